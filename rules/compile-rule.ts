import { formatDuration } from '../gateway/contract/index.js';
import type { BadPolicy } from './blocks/inputs.js';
import { commonOf, type Compilation, type ScopeExtra } from './compile.js';
import type {
  AlarmDraft,
  Draft,
  EffectDraft,
  InterlockDraft,
  PermissiveDraft,
  SignalDraft,
} from './drafts.js';
import { childrenOf, inputsOf, type Input, type Node } from './ir.js';
import { didYouMean } from './names.js';
import { findOutput, outputValue } from './outputs.js';
import type {
  CompiledAlarm,
  CompiledInterlock,
  CompiledPermissive,
  CompiledRule,
  CompiledSignal,
  Effect,
} from './program.js';
import { conversion, parseUnit, same, unitOfTag, unitsCompatible, unitText } from './units.js';

/** What the gateway itself takes at most between a new value and the write, ms. */
const ownResponse = 100;

/** Looks up, checks and compiles one rule; problems go to its sink and make the result undefined. */
export function compileRule(c: Compilation, draft: Draft): CompiledRule | undefined {
  switch (draft.kind) {
    case 'interlock':
      return compileInterlock(c, draft);
    case 'permissive':
      return compilePermissive(c, draft);
    case 'alarm':
      return compileAlarm(c, draft);
    case 'signal':
      return compileSignal(c, draft);
  }
}

function compileInterlock(c: Compilation, draft: InterlockDraft): CompiledInterlock | undefined {
  const named = policiesByTag(c, draft);
  const everyone = draft.onBad.find((one) => one.tag === '*')?.policy;
  const extra: ScopeExtra = {
    votes: (ref) => (named.get(ref.name) ?? everyone)?.kind === 'vote',
    minGood: draft.minGood,
    grace: draft.grace,
  };
  const inputs = new Map<string, Input>();
  const cause = draft.cause && c.check(draft, draft.cause, inputs, 'bool', extra);
  const arm = draft.arm && c.check(draft, draft.arm, inputs, 'bool', extra);
  // Apart: what `on_bad` says of a tag is about the cause, not about a button.
  const reset = draft.reset && c.check(draft, draft.reset, new Map(), 'bool');
  const effects = draft.effects.map((effect) => compileEffect(c, draft, effect));
  if (!cause || (draft.arm && !arm)) return undefined;
  const policies = new Map<string, BadPolicy>();
  for (const name of inputs.keys()) {
    const policy = named.get(name) ?? everyone;
    if (policy) policies.set(name, policy);
  }
  for (const [name] of named)
    if (!inputs.has(name))
      draft.sink.report(['on_bad', name], `${name} is not used in cause or arm`);
  checkResponse(draft, cause);
  warnShortDelays(draft, cause);
  const { latch, hold, alarm, init } = draft;
  return {
    ...commonOf(c, draft),
    kind: 'interlock',
    cause,
    arm,
    reset,
    policies,
    latch,
    hold,
    effects: effects.filter((effect) => effect !== undefined),
    alarm,
    init,
  };
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
  return {
    ...demand,
    verify: verify && {
      expect: verify.expect.text,
      within: verify.within,
      retry: verify.retry,
      onFail: verify.onFail,
    },
  };
}

/** The longest chain of on-delays from an input to the top, through signals. */
export function longestDelay(node: Node): number {
  let longest = node.kind === 'input' ? node.input.ref.delay : 0;
  for (const child of childrenOf(node)) longest = Math.max(longest, longestDelay(child));
  return node.kind === 'timed' && node.op === 'for' ? longest + node.duration : longest;
}

/** The slowest of the tags that a condition needs; signals count by the tags that they are made of. */
function slowestPeriod(node: Node): number {
  return Math.max(0, ...inputsOf(node).map((input) => input.ref.period ?? 0));
}

function checkResponse(draft: InterlockDraft, cause: Node): void {
  if (draft.maxResponse === undefined) return;
  const period = slowestPeriod(cause);
  const delay = longestDelay(cause);
  const sum = period + delay + ownResponse;
  if (sum <= draft.maxResponse) return;
  const parts = [
    `scan ${formatDuration(period)}`,
    `delays ${formatDuration(delay)}`,
    `gateway ${formatDuration(ownResponse)}`,
  ].join(' + ');
  draft.sink.report(
    ['max_response'],
    `cannot respond within ${formatDuration(draft.maxResponse)}: ${parts} = ${formatDuration(sum)}`,
    'scan the tags faster, or shorten the delay',
  );
}

/** A delay shorter than two scans sees one sample and filters nothing. */
function warnShortDelays(draft: InterlockDraft | AlarmDraft, node: Node): void {
  const period = slowestPeriod(node);
  if (node.kind === 'timed' && node.op === 'for' && node.duration < 2 * period)
    draft.sink.warn(
      [draft.kind === 'interlock' ? 'cause' : 'when'],
      `for ${formatDuration(node.duration)} is shorter than two scans of ${formatDuration(period)}`,
    );
  for (const child of childrenOf(node)) warnShortDelays(draft, child);
}

function compilePermissive(c: Compilation, draft: PermissiveDraft): CompiledPermissive | undefined {
  const inputs = new Map<string, Input>();
  const conditions: { name: string; node: Node }[] = [];
  for (const { name, expr } of draft.conditions) {
    const node = c.check(draft, expr, inputs, 'bool');
    if (node) conditions.push({ name, node });
  }
  let output: CompiledPermissive['output'];
  if (draft.output !== undefined) {
    const tag = findOutput(draft.output, ['output'], c.tags, draft.sink);
    if (tag && tag.type !== 'bool')
      draft.sink.report(['output'], `${tag.name} must be a bool, it is ${tag.type}`);
    else if (tag) {
      output = { tag: tag.index, name: tag.name };
      const { sink } = draft;
      const demand = { rule: draft.id, ...output, level: 'interlock', to: undefined } as const;
      c.demands.push({ ...demand, path: ['output'], sink });
    }
  }
  return { ...commonOf(c, draft), kind: 'permissive', output, conditions };
}

function compileAlarm(c: Compilation, draft: AlarmDraft): CompiledAlarm | undefined {
  const inputs = new Map<string, Input>();
  const when = draft.when && c.check(draft, draft.when, inputs, 'bool');
  const arm = draft.arm && c.check(draft, draft.arm, inputs, 'bool');
  if (!when || (draft.arm && !arm) || !draft.alarm) return undefined;
  warnShortDelays(draft, when);
  const { onDelay, offDelay, alarm } = draft;
  return { ...commonOf(c, draft), kind: 'alarm', when, arm, onDelay, offDelay, alarm };
}

function compileSignal(c: Compilation, draft: SignalDraft): CompiledSignal | undefined {
  const inputs = new Map<string, Input>();
  const value = draft.value && c.check(draft, draft.value, inputs);
  const valid = draft.valid && c.check(draft, draft.valid, inputs, 'bool');
  if (!draft.value || !value || (draft.valid && !valid)) return undefined;
  const { sink } = draft;
  if (value.type.kind === 'text') {
    sink.report(draft.value.path, 'a signal is a number or true and false, not a text');
    return undefined;
  }
  const isBool = value.type.kind === 'bool';
  if (draft.type !== undefined && (draft.type === 'bool') !== isBool)
    sink.report(['type'], `the value is ${isBool ? 'true or false' : 'a number'}`);
  if (isBool && draft.unit !== undefined) sink.report(['unit'], 'true and false have no unit');
  const signal = c.signals.length;
  let convert = same;
  let unit: string | undefined;
  let type: Node['type'] = value.type;
  if (type.kind === 'number') {
    const own = type.unit;
    const wanted = draft.unit === undefined ? own : unitOfTag(draft.unit);
    if (!unitsCompatible(own, wanted)) {
      const known = parseUnit(draft.unit ?? '') !== undefined;
      sink.report(
        ['unit'],
        known
          ? `the value is in ${unitText(own)}, not in ${unitText(wanted)}`
          : `unknown unit ${wanted.text}`,
      );
      return undefined;
    }
    convert = conversion(own, wanted);
    unit = wanted.text === '' ? undefined : wanted.text;
    type = { kind: 'number', unit: wanted, bare: false };
  }
  const { id } = draft;
  c.signals.push({ name: id, type: isBool ? 'bool' : 'float64', unit, rule: id });
  c.refs.set(id, {
    name: id,
    tag: -1,
    signal,
    type,
    dataType: isBool ? 'bool' : 'float64',
    enumeration: undefined,
    period: slowestPeriod(value) || undefined,
    delay: longestDelay(value),
  });
  return { ...commonOf(c, draft), kind: 'signal', signal, value, valid, convert };
}
