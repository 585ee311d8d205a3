import { parseDuration, type Priority, type RuleKind } from '../gateway/contract/index.js';
import { createFields, isMap, readExpression, type Expr, type Fields, type Raw } from './fields.js';
import { didYouMean } from './names.js';
import type { Path, RuleSource, Sink } from './problems.js';
import type { BadPolicy } from './blocks/inputs.js';

/** Texts of an alarm, for the operator. */
export interface AlarmText {
  readonly priority: Priority;
  readonly text: string | undefined;
  readonly consequence: string | undefined;
  readonly response: string | undefined;
  readonly responseTime: string | undefined;
  readonly ackRequired: boolean;
}

export interface EffectDraft {
  readonly set: string;
  readonly to: unknown;
  readonly level: 'trip' | 'interlock';
  readonly verify: VerifyDraft | undefined;
  readonly path: Path;
}
export interface VerifyDraft {
  readonly expect: Expr;
  readonly within: number;
  readonly retry: number;
  readonly onFail: string | undefined;
}
interface Common {
  readonly id: string;
  readonly source: RuleSource;
  readonly sink: Sink;
  /** `uncertain: bad`: uncertain values count as bad. */
  readonly strict: boolean;
  readonly exprs: readonly Expr[];
}
export interface InterlockDraft extends Common {
  readonly kind: 'interlock';
  readonly cause: Expr | undefined;
  readonly arm: Expr | undefined;
  readonly reset: Expr | undefined;
  readonly onBad: readonly { readonly tag: string; readonly policy: BadPolicy }[];
  readonly latch: 'manual' | 'auto';
  readonly hold: number;
  readonly effects: readonly EffectDraft[];
  readonly maxResponse: number | undefined;
  readonly minGood: number;
  readonly grace: number;
  readonly alarm: AlarmText | undefined;
  readonly init: 'normal' | 'tripped';
}
export interface PermissiveDraft extends Common {
  readonly kind: 'permissive';
  readonly output: string | undefined;
  readonly conditions: readonly { readonly name: string; readonly expr: Expr }[];
}
export interface AlarmDraft extends Common {
  readonly kind: 'alarm';
  readonly when: Expr | undefined;
  readonly arm: Expr | undefined;
  readonly onDelay: number;
  readonly offDelay: number;
  readonly alarm: AlarmText | undefined;
}
export interface SignalDraft extends Common {
  readonly kind: 'signal';
  readonly value: Expr | undefined;
  readonly valid: Expr | undefined;
  readonly unit: string | undefined;
  readonly type: 'bool' | 'number' | undefined;
}
export type Draft = InterlockDraft | PermissiveDraft | AlarmDraft | SignalDraft;

const kinds: readonly RuleKind[] = ['interlock', 'permissive', 'alarm', 'signal'];
const kindsNotYet: readonly string[] = ['diagnosis', 'shed', 'group', 'matrix', 'test'];
const priorities: readonly Priority[] = ['low', 'medium', 'high', 'critical'];
const idPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/;

function present<T>(list: readonly (T | undefined)[]): readonly T[] {
  return list.filter((one) => one !== undefined);
}

/** Reads the shape of one rule and parses its expressions; looks nothing up. */
export function readDraft(source: RuleSource, sink: Sink): Draft | undefined {
  if (!isMap(source.rule)) {
    sink.report([], 'a rule is a map of keys', 'it starts like - interlock: P101-DRYRUN');
    return undefined;
  }
  const kind = kindOf(source.rule, sink);
  if (!kind) return undefined;
  const fields = createFields(source.rule, [], sink);
  const id = fields.raw(kind);
  if (typeof id !== 'string' || !idPattern.test(id)) {
    sink.report([kind], `the name of ${kind} must be letters, digits, _ - and .`);
    return undefined;
  }
  const isStrict = kind === 'interlock' || kind === 'permissive';
  const uncertain = fields.choice('uncertain', ['use', 'bad']) ?? (isStrict ? 'bad' : 'use');
  fields.text('description');
  const base = { id, source, sink, strict: uncertain === 'bad' };
  const draft = readers[kind](fields, base, sink);
  fields.done(['bypass', 'quality', 'ne107', 'shelve', 'group', 'enabled', 'sequence']);
  return draft;
}

function kindOf(rule: Raw, sink: Sink): RuleKind | undefined {
  const named = kinds.filter((kind) => Object.hasOwn(rule, kind));
  // `alarm:` is also a key of an interlock.
  const kind = named[0];
  if (kind !== undefined && (named.length === 1 || kind === 'interlock')) return kind;
  const later = kindsNotYet.find((name) => Object.hasOwn(rule, name));
  const first = Object.keys(rule)[0] ?? '';
  if (kind !== undefined) sink.report([], `one rule cannot be ${named.join(' and ')}`);
  else if (later !== undefined)
    sink.report([later], `${later} is not yet supported`, `there are ${kinds.join(', ')}`);
  else
    sink.report(
      first === '' ? [] : [first],
      'what kind of rule is this?',
      didYouMean(first, kinds, `start with one of ${kinds.join(', ')}`),
    );
  return undefined;
}

type Base = Omit<Common, 'exprs'>;
const readers: Readonly<Record<RuleKind, (f: Fields, base: Base, sink: Sink) => Draft>> = {
  interlock: readInterlock,
  permissive: readPermissive,
  alarm: readAlarm,
  signal: readSignal,
};

function readInterlock(f: Fields, base: Base, sink: Sink): InterlockDraft {
  const cause = f.required('cause', f.expression('cause'), 'cause: FT101 < 5 m3/h for 5s');
  const arm = f.expression('arm');
  const reset = f.expression('reset');
  const latch = f.choice('latch', ['manual', 'auto']) ?? 'manual';
  const hold = f.duration('hold');
  if (latch === 'auto' && f.has('reset'))
    sink.report(
      ['reset'],
      'latch: auto resets by itself',
      'take out reset, or write latch: manual',
    );
  if (latch === 'manual' && f.has('hold'))
    sink.report(['hold'], 'hold is for latch: auto', 'take it out, or write latch: auto');
  const alarm = f.map('alarm');
  return {
    ...base,
    kind: 'interlock',
    cause,
    arm,
    reset,
    exprs: present([cause, arm, reset]),
    onBad: readOnBad(f.map('on_bad'), sink),
    latch,
    hold: hold ?? 0,
    effects: readEffects(f.raw('effects'), sink),
    maxResponse: f.duration('max_response'),
    minGood: f.whole('min_good', 1, 64) ?? 2,
    grace: f.duration('grace') ?? 10_000,
    alarm: alarm && readAlarmText(alarm, true),
    init: f.choice('init', ['normal', 'tripped']) ?? 'normal',
  };
}

/** `trip`, `trip after 10s`, `hold`, `hold for 1min then trip`, `ignore`, `vote`. */
export function parsePolicy(text: string): BadPolicy | undefined {
  if (text === 'ignore' || text === 'vote') return { kind: text };
  if (text === 'trip') return { kind: 'trip', after: 0 };
  if (text === 'hold') return { kind: 'hold', after: Infinity };
  const after = /^trip after (\S+)$/.exec(text);
  const held = /^hold for (\S+) then trip$/.exec(text);
  const duration = parseDuration(after?.[1] ?? held?.[1] ?? '');
  if (duration === undefined) return undefined;
  return { kind: after ? 'trip' : 'hold', after: duration };
}

function readOnBad(f: Fields | undefined, sink: Sink): InterlockDraft['onBad'] {
  const list: { tag: string; policy: BadPolicy }[] = [];
  for (const tag of f?.keys() ?? []) {
    const text = f?.text(tag);
    const policy = text === undefined ? undefined : parsePolicy(text.trim().replace(/\s+/g, ' '));
    if (policy) list.push({ tag, policy });
    else if (text !== undefined)
      sink.report(
        ['on_bad', tag],
        `${text} is no answer to a bad value`,
        'trip, trip after 10s, hold, hold for 1min then trip, ignore, vote',
      );
  }
  return list;
}

function readEffects(raw: unknown, sink: Sink): readonly EffectDraft[] {
  if (raw === undefined || raw === null) {
    sink.warn(
      [],
      'an interlock without effects only shows its state',
      'effects: [{set: …, to: …}]',
    );
    return [];
  }
  if (!Array.isArray(raw)) {
    sink.report(['effects'], 'effects is a list', '- {set: P101.run_cmd, to: false, level: trip}');
    return [];
  }
  const effects: EffectDraft[] = [];
  for (const [position, item] of (raw as unknown[]).entries()) {
    const path = ['effects', position];
    if (!isMap(item)) {
      sink.report(path, 'an effect is a map', '{set: P101.run_cmd, to: false, level: trip}');
      continue;
    }
    const f = createFields(item, path, sink);
    const set = f.required('set', f.text('set'), 'set: P101.run_cmd');
    const to = f.required('to', f.raw('to') ?? undefined, 'to: false');
    const level = f.choice('level', ['trip', 'interlock']) ?? 'trip';
    const verify = readVerify(f.map('verify'));
    f.done();
    if (set !== undefined && to !== undefined) effects.push({ set, to, level, verify, path });
  }
  return effects;
}

function readVerify(f: Fields | undefined): VerifyDraft | undefined {
  if (!f) return undefined;
  const expect = f.required('expect', f.expression('expect'), 'expect: not P101.running');
  const within = f.required('within', f.duration('within'), 'within: 3s');
  const retry = f.whole('retry', 0, 10) ?? 0;
  const onFail = f.text('on_fail');
  f.done();
  return expect && within !== undefined ? { expect, within, retry, onFail } : undefined;
}

function readAlarmText(f: Fields, own: boolean): AlarmText | undefined {
  const priority = f.required('priority', f.choice('priority', priorities), 'priority: high');
  const text = f.text('message') ?? f.text('text');
  f.raw('text');
  const consequence = f.text('consequence');
  const response = f.text('response');
  f.duration('response_time');
  const responseTime = f.text('response_time');
  const ackRequired = (f.choice('ack', ['required', 'none']) ?? 'required') === 'required';
  if (own) f.done();
  return priority && { priority, text, consequence, response, responseTime, ackRequired };
}

function readPermissive(f: Fields, base: Base, sink: Sink): PermissiveDraft {
  const output = f.text('output');
  const all = f.required('all_of', f.map('all_of'), 'all_of: {suction valve open: HV100.open_ls}');
  const conditions: { name: string; expr: Expr }[] = [];
  for (const name of all?.keys() ?? []) {
    const expr = readExpression(all?.raw(name), ['all_of', name], sink);
    if (expr) conditions.push({ name, expr });
  }
  if (all?.keys().length === 0) sink.report(['all_of'], 'all_of has no condition');
  const exprs = conditions.map((condition) => condition.expr);
  return { ...base, kind: 'permissive', output, conditions, exprs };
}

function readAlarm(f: Fields, base: Base): AlarmDraft {
  const when = f.required('when', f.expression('when'), 'when: LT100 > 90 % hyst 2 % for 10s');
  const arm = f.expression('arm');
  const onDelay = f.duration('on_delay') ?? 0;
  const offDelay = f.duration('off_delay') ?? 0;
  const alarm = readAlarmText(f, false);
  return {
    ...base,
    kind: 'alarm',
    when,
    arm,
    onDelay,
    offDelay,
    alarm,
    exprs: present([when, arm]),
  };
}

function readSignal(f: Fields, base: Base): SignalDraft {
  const value = f.required('value', f.expression('value'), 'value: PT105 - PT104');
  const valid = f.expression('valid');
  const unit = f.text('unit');
  const type = f.choice('type', ['bool', 'number']);
  return { ...base, kind: 'signal', value, valid, unit, type, exprs: present([value, valid]) };
}
