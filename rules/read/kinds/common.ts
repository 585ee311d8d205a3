import { priorities, type RuleMode } from '../../../gateway/contract/index.js';
import type { Expr, Fields } from '../fields.js';
import type { Path, ExpandedSource, Sink } from '../problems.js';
import { ne107, type AlarmText } from '../terms.js';

export interface Common {
  readonly id: string;
  readonly source: ExpandedSource;
  readonly sink: Sink;
  /** `uncertain: bad`: uncertain values count as bad. */
  readonly strict: boolean;
  /** Every expression, for the order of evaluation. */
  readonly exprs: readonly Expr[];
  readonly mode: RuleMode;
  /** Figures of the rule that become tags. */
  readonly publish: readonly string[];
}
/** An output and what it is set to, as typed. */
export interface SettingDraft {
  readonly set: string;
  readonly to: unknown;
  readonly path: Path;
}
/** What every kind has been read of a rule before its own keys. */
export type Base = Omit<Common, 'exprs'>;

/** `{set: …, to: …}`; undefined and a report when one of them is missing. */
export function readSetting(f: Fields, example: string): SettingDraft | undefined {
  const set = f.required('set', f.text('set'), `set: ${example}`);
  const to = f.required('to', f.raw('to') ?? undefined, 'to: false');
  return set === undefined || to === undefined ? undefined : { set, to, path: f.path };
}

export function present<T>(list: readonly (T | undefined)[]): readonly T[] {
  return list.filter((one) => one !== undefined);
}

export function readAlarmText(f: Fields, own: boolean): AlarmText | undefined {
  const priority = f.required('priority', f.choice('priority', priorities), 'priority: high');
  const text = f.text('message') ?? f.text('text');
  f.raw('text');
  const consequence = f.text('consequence');
  const response = f.text('response');
  f.duration('response_time');
  const responseTime = f.text('response_time');
  const ackRequired = (f.choice('ack', ['required', 'none']) ?? 'required') === 'required';
  const rest = readLife(f);
  if (own) f.done();
  const texts = { text, consequence, response, responseTime, ackRequired };
  return priority && { priority, ...texts, ...rest };
}

/** What says how long an alarm stands, and who may put it away. */
function readLife(f: Fields): Pick<AlarmText, 'ne107' | 'reAlarm' | 'latch' | 'class' | 'shelve'> {
  const trouble = f.choice('ne107', ne107);
  const reAlarm = f.duration('re_alarm');
  const latch = f.choice('latched', ['true', 'false']) === 'true';
  const sort = f.text('class');
  const shelve = readShelve(f);
  return {
    ...(trouble === undefined ? {} : { ne107: trouble }),
    ...(reAlarm === undefined ? {} : { reAlarm }),
    ...(latch ? { latch } : {}),
    ...(sort === undefined ? {} : { class: sort }),
    ...(shelve === undefined ? {} : { shelve }),
  };
}

function readShelve(f: Fields): AlarmText['shelve'] {
  if (f.raw('shelve') === false) return false;
  const terms = f.map('shelve');
  if (!terms) return undefined;
  const max = terms.duration('max') ?? 8 * 3_600_000;
  const role = terms.text('role');
  terms.done();
  return { max, role };
}
