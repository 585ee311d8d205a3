import { globMatcher, type RuleTag } from '../../gateway/contract/index.js';
import type { Input, Node } from '../check/ir.js';
import { lagOf } from '../check/lag.js';
import { slowestPeriod, warnShortDelays } from '../check/response-time.js';
import type { Packed } from '../program/packed.js';
import type {
  CompiledAlarm,
  CompiledHeartbeat,
  CompiledPermissive,
  CompiledRule,
  CompiledSignal,
} from '../program/program.js';
import type { AlarmDraft } from '../read/kinds/alarm.js';
import type { HeartbeatDraft } from '../read/kinds/heartbeat.js';
import type { PermissiveDraft } from '../read/kinds/permissive.js';
import type { SignalDraft } from '../read/kinds/signal.js';
import type { Draft } from '../read/rule.js';
import {
  conversion,
  parseUnit,
  same,
  unitOfTag,
  unitsCompatible,
  unitText,
} from '../text/units.js';
import { commonOf, type Compilation } from './compilation.js';
import { compileDiagnosis } from './diagnosis.js';
import { refuseAlarm, refuseCondition } from './nonsense/others.js';
import { findOutput, findTag } from './outputs.js';
import { compileShed } from './shed.js';
import { compileTrip } from './trip.js';

/** Looks up, checks and compiles one rule; problems go to its sink and make the result undefined. */
export function compileRule(c: Compilation, draft: Draft): CompiledRule | undefined {
  switch (draft.kind) {
    case 'interlock':
    case 'group':
      return compileTrip(c, draft);
    case 'permissive':
      return compilePermissive(c, draft);
    case 'alarm':
      return compileAlarm(c, draft);
    case 'signal':
      return compileSignal(c, draft);
    case 'shed':
      return compileShed(c, draft);
    case 'diagnosis':
      return compileDiagnosis(c, draft);
    case 'heartbeat':
      return compileHeartbeat(c, draft);
  }
}

function compilePermissive(c: Compilation, draft: PermissiveDraft): CompiledPermissive | undefined {
  const inputs = new Map<string, Input>();
  const conditions: { name: string; node: Packed }[] = [];
  const own = draft.output === undefined ? undefined : c.tags.find(draft.output)?.name;
  for (const { name, expr } of draft.conditions) {
    const node = c.check(draft, expr, inputs, 'bool');
    if (node) refuseCondition(draft, own, name, node);
    if (node) conditions.push({ name, node: c.pack(draft, node) });
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
  return Object.assign(commonOf(c, draft), { kind: 'permissive', output, conditions } as const);
}

function compileAlarm(c: Compilation, draft: AlarmDraft): CompiledAlarm | undefined {
  const inputs = new Map<string, Input>();
  const when = draft.when && c.check(draft, draft.when, inputs, 'bool');
  const arm = draft.arm && c.check(draft, draft.arm, inputs, 'bool');
  const suppress = draft.suppress && c.check(draft, draft.suppress, inputs, 'bool');
  if (!when || (draft.arm && !arm) || (draft.suppress && !suppress) || !draft.alarm)
    return undefined;
  refuseAlarm(draft, when, arm, suppress);
  warnShortDelays(draft.sink, ['when'], when);
  const { onDelay, offDelay, alarm } = draft;
  const doubts = doubtsOf(c, draft);
  const conditions = {
    when: c.pack(draft, when),
    arm: arm && c.pack(draft, arm),
    suppress: suppress && c.pack(draft, suppress),
  };
  const life = { onDelay, offDelay, alarm, doubts };
  return Object.assign(commonOf(c, draft), { kind: 'alarm' } as const, conditions, life);
}

function compileHeartbeat(c: Compilation, draft: HeartbeatDraft): CompiledHeartbeat | undefined {
  const condition =
    draft.condition && c.check(draft, draft.condition, new Map<string, Input>(), 'bool');
  const { sink, set, every, id: rule } = draft;
  if (set === undefined || (draft.condition && !condition)) return undefined;
  const tag = findOutput(set, ['set'], c.tags, sink);
  if (!tag) return undefined;
  const isCounter = /^(u?int(16|32|64))$/.test(tag.type) && tag.unit === undefined;
  if (!isCounter)
    sink.report(['set'], `${tag.name} must be an integer without a unit, of 16 bits or more`);
  const { index, name } = tag;
  c.demands.push({ rule, tag: index, name, level: 'auto', to: undefined, path: ['set'], sink });
  if (tag.range && (tag.range[0] > 1 || tag.range[1] < 65_535))
    sink.refuse(
      ['set'],
      `${name} counts from 1 to 65535, its range is ${String(tag.range[0])} to ${String(tag.range[1])}`,
      `take writes: ${name}: range out`,
    );
  const packed = condition && c.pack(draft, condition);
  const covers = coveredBy(c, draft, tag);
  const rest = { kind: 'heartbeat', tag: index, name, every, condition: packed, covers } as const;
  return Object.assign(commonOf(c, draft), rest);
}

/** Positions of the outputs of its own device, and of those that it names. */
function coveredBy(
  c: Compilation,
  { covers, sink }: HeartbeatDraft,
  own: RuleTag,
): readonly number[] {
  const outputs = new Map<number, RuleTag>();
  for (const name of c.tags.names()) {
    const tag = c.tags.find(name);
    if (tag?.writable) outputs.set(tag.index, tag);
  }
  const all = [...outputs.values()];
  const matchers = covers.map(globMatcher);
  const fits = (matches: (name: string) => boolean, tag: RuleTag): boolean =>
    matches(tag.name) || matches(deviceOf(tag));
  for (const [at, matches] of matchers.entries())
    if (!all.some((tag) => fits(matches, tag)))
      sink.report(['covers', at], `no output that rules may write fits ${covers[at] ?? ''}`);
  const isCovered = (tag: RuleTag): boolean =>
    deviceOf(tag) === deviceOf(own) || matchers.some((matches) => fits(matches, tag));
  return all.filter(isCovered).map(({ index }) => index);
}
function deviceOf({ name, device }: RuleTag): string {
  return device ?? name.slice(0, Math.max(0, name.lastIndexOf('.')));
}

/** Positions of the tags that are doubted while the alarm stands. */
function doubtsOf(c: Compilation, draft: AlarmDraft): readonly number[] {
  return draft.doubts.flatMap((name) => {
    const tag = findTag(name, ['quality', name], c.tags, draft.sink);
    return tag ? [tag.index] : [];
  });
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
    lag: lagOf(value),
  });
  const packed = { value: c.pack(draft, value), valid: valid && c.pack(draft, valid) };
  return Object.assign(commonOf(c, draft), { kind: 'signal', signal, convert } as const, packed);
}
