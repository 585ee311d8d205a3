import { parseDuration } from '../../../gateway/contract/index.js';
import type { Expr, Fields } from '../fields.js';
import type { Sink } from '../problems.js';
import type { AlarmText, BadPolicy, BypassTerms, OnLost } from '../terms.js';
import {
  present,
  readAlarmText,
  readSetting,
  type Base,
  type Common,
  type SettingDraft,
} from './common.js';

export interface EffectDraft extends SettingDraft {
  readonly level: 'trip' | 'interlock';
  readonly verify: VerifyDraft | undefined;
}
export interface VerifyDraft {
  readonly expect: Expr;
  readonly within: number;
  readonly retry: number;
  readonly onFail: string | undefined;
}
export interface CauseDraft {
  /** Of a group; an interlock has one cause without a name. */
  readonly name: string | undefined;
  readonly expr: Expr;
}
export interface InterlockDraft extends Common {
  readonly kind: 'interlock' | 'group';
  readonly causes: readonly CauseDraft[];
  readonly bypass: BypassTerms | undefined;
  readonly resetRole: string | undefined;
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
  /** Undefined: the rule does not say. */
  readonly onLost: OnLost | undefined;
}

export function readInterlock(f: Fields, base: Base, sink: Sink): InterlockDraft {
  const cause = f.required('cause', f.expression('cause'), 'cause: FT101 < 5 m3/h for 5s');
  const causes = cause ? [{ name: undefined, expr: cause }] : [];
  return { ...readTrip(f, base, causes, sink), kind: 'interlock' };
}

/** Several causes with names that trip the same outputs; the one that came first is told. */
export function readGroup(f: Fields, base: Base, sink: Sink): InterlockDraft {
  const list = f.required('causes', f.map('causes'), 'causes: {belt slip: CV1.slip for 2s}');
  const causes = list?.expressions() ?? [];
  if (list && list.keys().length === 0) sink.report(['causes'], 'causes has no cause');
  const firstOut = f.raw('first_out');
  if (firstOut !== undefined && firstOut !== true)
    sink.report(['first_out'], 'a group always tells which cause came first', 'first_out: true');
  return { ...readTrip(f, base, causes, sink), kind: 'group' };
}

/** What an interlock and a group have in common. */
function readTrip(
  f: Fields,
  base: Base,
  causes: readonly CauseDraft[],
  sink: Sink,
): Omit<InterlockDraft, 'kind'> {
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
  const effects = readEffects(f, sink);
  const expectations = effects.map(({ verify }) => verify?.expect);
  return {
    ...base,
    causes,
    arm,
    reset,
    exprs: present([...causes.map(({ expr }) => expr), arm, reset, ...expectations]),
    onBad: readOnBad(f.map('on_bad'), sink),
    latch,
    hold: hold ?? 0,
    effects,
    maxResponse: f.duration('max_response'),
    minGood: f.whole('min_good', 1, 64) ?? 2,
    grace: f.duration('grace') ?? 10_000,
    alarm: alarm && readAlarmText(alarm, true),
    init: f.choice('init', ['normal', 'tripped']) ?? 'normal',
    onLost: f.choice('on_lost', ['trip', 'as_found', 'init']),
    bypass: readBypass(f.map('bypass')),
    resetRole: f.text('reset_role'),
  };
}

/** Longest bypass where the rule does not say, ms: one shift. */
const usualBypass = 8 * 3_600_000;

function readBypass(f: Fields | undefined): BypassTerms | undefined {
  if (!f) return undefined;
  const perInput = f.flag('per_input') ?? false;
  const atMost = f.whole('at_most', 1, 64) ?? 1;
  const max = f.duration('max') ?? usualBypass;
  const role = f.text('role');
  f.done();
  return { perInput, atMost, max, role };
}

/** `trip`, `trip after 10s`, `hold`, `hold for 1min then trip`, `last_good for 10s`, `ignore`, `vote`. */
export function parsePolicy(text: string): BadPolicy | undefined {
  if (text === 'ignore' || text === 'vote') return { kind: text };
  if (text === 'trip') return { kind: 'trip', after: 0 };
  if (text === 'hold') return { kind: 'hold', after: Infinity };
  const after = /^trip after (\S+)$/.exec(text);
  const held = /^hold for (\S+) then trip$/.exec(text);
  const last = /^last_good for (\S+)$/.exec(text);
  const duration = parseDuration((after ?? held ?? last)?.[1] ?? '');
  if (duration === undefined) return undefined;
  return { kind: after ? 'trip' : held ? 'hold' : 'last_good', after: duration };
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
        'trip, trip after 10s, hold, hold for 1min then trip, last_good for 10s, ignore, vote',
      );
  }
  return list;
}

function readEffects(list: Fields, sink: Sink): readonly EffectDraft[] {
  const raw = list.raw('effects');
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
  const example = '{set: P101.run_cmd, to: false, level: trip}';
  for (const f of list.maps('effects', { message: 'an effect is a map', example })) {
    const setting = readSetting(f, 'P101.run_cmd');
    const level = f.choice('level', ['trip', 'interlock']) ?? 'trip';
    const verify = readVerify(f.map('verify'));
    f.done();
    if (setting) effects.push({ ...setting, level, verify });
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
