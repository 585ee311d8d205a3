import { childrenOf, type Input, type Node } from '../check/ir.js';
import { checkResponse, warnShortDelays } from '../check/response-time.js';
import { boolType } from '../check/scope.js';
import { isTrip, type CompiledInterlock, type Effect, type OnFail } from '../program/program.js';
import type { EffectDraft, InterlockDraft } from '../read/kinds/interlock.js';
import type { BadPolicy } from '../read/terms.js';
import { didYouMean } from '../text/names.js';
import { signalOver } from './behind.js';
import { commonOf, type Compilation, type ScopeExtra } from './compilation.js';
import { refuseTrip } from './nonsense/trip.js';
import { findOutput, outputValue } from './outputs.js';
import { checkReset } from './reset.js';

/** Interlocks and groups: causes that trip outputs. */
export function compileTrip(c: Compilation, draft: InterlockDraft): CompiledInterlock | undefined {
  const named = policiesByTag(c, draft);
  const everyone = draft.onBad.find((one) => one.tag === '*')?.policy;
  const extra: ScopeExtra = {
    votes: (ref) => (named.get(ref.name) ?? everyone)?.kind === 'vote',
    minGood: draft.minGood,
    grace: draft.grace,
  };
  const inputs = new Map<string, Input>();
  const causes = causesOf(c, draft, inputs, extra);
  const arm = draft.arm && c.check(draft, draft.arm, inputs, 'bool', extra);
  // Apart: what `on_bad` says of a tag is about the cause, not about a button.
  const typedReset = draft.reset && c.check(draft, draft.reset, new Map(), 'bool');
  const effects = draft.effects.flatMap((effect) => compileEffect(c, draft, effect) ?? []);
  const { sink } = draft;
  const resets = typedReset && checkReset(typedReset, { path: ['reset'], sink, effects });
  const reset = resets === true ? typedReset : undefined;
  const cause = causes && anyOf(c, draft, causes);
  if (!cause || (draft.arm && !arm)) return undefined;
  const policies = new Map<string, BadPolicy>();
  for (const name of inputs.keys()) {
    const policy = named.get(name) ?? everyone;
    if (policy) policies.set(name, policy);
  }
  for (const [name] of named)
    if (!inputs.has(name)) {
      const signal = signalOver(c.drafts, c.tags, inputs.keys(), name);
      const hint = signal && `${name} is behind the signal ${signal}: name that`;
      draft.sink.report(['on_bad', name], `${name} is not used in cause or arm`, hint);
    }
  const nodes = causes.map(({ node }) => node);
  refuseTrip(draft, { cause, causes: nodes, arm, reset, effects, inputs: inputs.size });
  warnOfSignals(c, draft, inputs);
  warnEnergising(draft, effects);
  checkResponse(draft.sink, draft.maxResponse, cause);
  warnShortDelays(draft.sink, [draft.kind === 'group' ? 'causes' : 'cause'], cause);
  const common = commonOf(c, draft);
  const packed = ({ name, node }: NamedCause): CompiledInterlock['causes'][number] => ({
    name,
    node: c.pack(draft, node),
  });
  // Written out, and what is empty shared: there may be ten thousand of these.
  return {
    id: common.id,
    hash: common.hash,
    source: common.source,
    strict: common.strict,
    mode: common.mode,
    published: common.published,
    slotsStart: common.slotsStart,
    slotsEnd: common.slotsEnd,
    kind: draft.kind,
    cause: c.pack(draft, cause),
    causes: draft.kind === 'group' ? causes.map(packed) : nothing,
    inputs: draft.bypass ? [...inputs.keys()] : nothing,
    arm: arm && c.pack(draft, arm),
    reset: reset && c.pack(draft, reset),
    policies: policies.size > 0 ? policies : noPolicies,
    latch: draft.latch,
    hold: draft.hold,
    effects: effects.length > 0 ? effects : nothing,
    alarm: draft.alarm,
    init: draft.init,
    bypass: draft.bypass && { ...draft.bypass, names: deviceNames(c, inputs.keys()) },
    maxResponse: draft.maxResponse,
    resetRole: draft.resetRole,
    degrades: hasDegradedVote(cause),
    onLost: draft.onLost ?? (draft.latch === 'manual' ? 'trip' : 'init'),
  };
}

const nothing: readonly never[] = [];

/** Names of devices that stand for inputs: each for its primary tag. */
function deviceNames(c: Compilation, inputs: Iterable<string>): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const input of inputs) {
    const device = input.slice(0, Math.max(0, input.lastIndexOf('.')));
    if (device !== '' && c.tags.find(device)?.name === input) names.set(device, input);
  }
  return names;
}
const noPolicies: ReadonlyMap<string, BadPolicy> = new Map();

function hasDegradedVote(node: Node): boolean {
  return (
    (node.kind === 'vote' && node.degrade !== undefined) || childrenOf(node).some(hasDegradedVote)
  );
}

/** A span without a word on how the signal fails: a broken wire looks like a low value. Once for each tag. */
function warnOfSignals(
  c: Compilation,
  draft: InterlockDraft,
  inputs: ReadonlyMap<string, Input>,
): void {
  for (const name of inputs.keys()) {
    const tag = c.tags.find(name);
    if (!tag?.bands || tag.isSignalKnown === true || c.warned.has(name)) continue;
    c.warned.add(name);
    draft.sink.warn(
      [draft.kind === 'group' ? 'causes' : 'cause'],
      `${name} has a span, and nobody says how its signal fails: beyond the span it counts as at its stop`,
      'signal: 4-20mA at the tag, or signal: digital',
    );
  }
}

/** What must be switched on to trip is switched on, too, when nobody knows whether it was: the engineer decides. */
function warnEnergising(draft: InterlockDraft, effects: readonly Effect[]): void {
  if (draft.onLost !== undefined || draft.latch !== 'manual') return;
  const on = effects.filter(({ to }) => to === true).map(({ name }) => name);
  if (on.length > 0)
    draft.sink.warn(
      [],
      `if the memory of the gateway is lost this rule starts tripped and sets ${on.join(', ')}`,
      'on_lost: trip, as_found or init',
    );
}

interface NamedCause {
  readonly name: string;
  readonly node: Node;
}

function causesOf(
  c: Compilation,
  draft: InterlockDraft,
  inputs: Map<string, Input>,
  extra: ScopeExtra,
): readonly NamedCause[] | undefined {
  const found: NamedCause[] = [];
  for (const { name, expr } of draft.causes) {
    const node = c.check(draft, expr, inputs, 'bool', extra);
    if (node) found.push({ name: name ?? draft.id, node });
  }
  return found.length === draft.causes.length && found.length > 0 ? found : undefined;
}

/** The causes of a group as one condition: any of them. */
function anyOf(
  c: Compilation,
  draft: InterlockDraft,
  causes: readonly NamedCause[],
): Node | undefined {
  if (draft.kind === 'interlock') return causes[0]?.node;
  const of = causes.map(({ node }) => node);
  const source = causes.map(({ name }) => name).join(' or ');
  return { kind: 'logic', op: 'or', of, slot: c.slots.count++, type: boolType, source };
}

function policiesByTag(c: Compilation, draft: InterlockDraft): ReadonlyMap<string, BadPolicy> {
  const found = new Map<string, BadPolicy>();
  for (const { tag, policy } of draft.onBad) {
    if (tag === '*') continue;
    const name = c.tags.find(tag)?.name ?? c.refs.get(tag)?.name;
    if (name !== undefined) found.set(name, policy);
    else {
      const hint = didYouMean(tag, [...c.tags.names(), ...c.refs.keys()]);
      draft.sink.report(['on_bad', tag], `there is no tag or signal ${tag}`, hint);
    }
  }
  return found;
}

function compileEffect(
  c: Compilation,
  draft: InterlockDraft,
  effect: EffectDraft,
): Effect | undefined {
  const path = [...effect.path, 'set'];
  const verify = effect.verify;
  const expect = verify && c.check(draft, verify.expect, new Map(), 'bool');
  if (c.drafts.get(effect.set)?.kind === 'signal') {
    draft.sink.report(path, `${effect.set} is a signal: its rule alone gives it a value`);
    return undefined;
  }
  const tag = findOutput(effect.set, path, c.tags, draft.sink);
  const to = tag && outputValue(effect, tag, draft.sink);
  if (!tag || to === undefined || (verify && !expect)) return undefined;
  const { level } = effect;
  const demand = { rule: draft.id, tag: tag.index, name: tag.name, level, to };
  c.demands.push({ ...demand, path, sink: draft.sink });
  const onFail = verify && onFailOf(c, draft, effect);
  return {
    ...demand,
    verify: verify &&
      expect && {
        expect: c.pack(draft, expect),
        within: verify.within,
        retry: verify.retry,
        onFail: onFail ?? usualFail,
      },
  };
}

const usualFail: OnFail = { kind: 'alarm', id: undefined };

/** `alarm NAME`, or `trip RULE`; nothing said is an alarm named after the rule. */
function onFailOf(c: Compilation, draft: InterlockDraft, effect: EffectDraft): OnFail | undefined {
  const text = effect.verify?.onFail;
  if (text === undefined) return undefined;
  const path = [...effect.path, 'verify', 'on_fail'];
  const [what, id, ...more] = text.trim().split(/\s+/);
  if (what === 'alarm' && more.length === 0) {
    if (id !== undefined && c.drafts.has(id))
      draft.sink.report(path, `${id} is a rule already`, 'the alarm needs a name of its own');
    const owner = id === undefined ? undefined : c.alarms.get(id);
    if (owner !== undefined && owner !== draft.id)
      draft.sink.report(path, `${owner} has the alarm ${id ?? ''} already`, 'give it another name');
    if (id !== undefined) c.alarms.set(id, draft.id);
    return { kind: 'alarm', id };
  }
  if (what !== 'trip' || id === undefined || more.length > 0) {
    draft.sink.report(path, `${text} is no answer`, 'alarm NAME, or trip RULE');
    return undefined;
  }
  const other = c.drafts.get(id);
  if (other?.mode === 'off') draft.sink.report(path, `${id} is off: it would not trip`);
  if (other && isTrip(other)) return { kind: 'trip', rule: id };
  draft.sink.report(path, `there is no interlock ${id}`, didYouMean(id, c.drafts.keys()));
  return undefined;
}
