import type { Expr, Fields } from '../fields.js';
import type { AlarmText } from '../terms.js';
import { present, readAlarmText, type Base, type Common } from './common.js';

export interface AlarmDraft extends Common {
  readonly kind: 'alarm';
  readonly when: Expr | undefined;
  readonly arm: Expr | undefined;
  /** While it is true the alarm is suppressed by design. */
  readonly suppress: Expr | undefined;
  readonly onDelay: number;
  readonly offDelay: number;
  readonly alarm: AlarmText | undefined;
  /** Tags whose values are doubted while the alarm stands. */
  readonly doubts: readonly string[];
}

export function readAlarm(f: Fields, base: Base): AlarmDraft {
  const when = f.required('when', f.expression('when'), 'when: LT100 > 90 % hyst 2 % for 10s');
  const arm = f.expression('arm');
  const suppress = f.expression('suppress');
  const onDelay = f.duration('on_delay') ?? 0;
  const offDelay = f.duration('off_delay') ?? 0;
  const alarm = readAlarmText(f, false);
  return {
    ...base,
    kind: 'alarm',
    when,
    arm,
    suppress,
    onDelay,
    offDelay,
    alarm,
    doubts: readDoubts(f.map('quality')),
    exprs: present([when, arm, suppress]),
  };
}

function readDoubts(f: Fields | undefined): readonly string[] {
  return (f?.keys() ?? []).filter((tag) => f?.choice(tag, ['uncertain']) !== undefined);
}
