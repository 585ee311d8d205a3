import {
  formatDuration,
  type Evidence,
  type InterlockState,
} from '../../../gateway/contract/index.js';
import type { CompiledInterlock } from '../../program/program.js';
import { conditionOf, ignored, truth } from '../blocks/slots.js';
import type { Context } from './context.js';
import { badInputs, because, evidenceList } from './evidence.js';
import type { Senses } from './senses.js';

/** An interlock as it stands. */
export interface Standing {
  readonly state: InterlockState;
  readonly firstOut: Evidence | undefined;
  readonly evidence: readonly Evidence[];
  readonly isWaiting: boolean;
  readonly remarks: readonly string[];
  readonly bypasses: readonly string[];
}

/** Why an interlock is as it is, in sentences, the most important first. */
export function explainInterlock(
  c: Context,
  rule: CompiledInterlock,
  senses: Senses,
  { state, firstOut, evidence, isWaiting, remarks, bypasses }: Standing,
): readonly string[] {
  const disobeyed = remarks[0] === undefined ? '' : `, ${remarks[0].split(':')[0] ?? ''}`;
  const text = [`${rule.id} is ${state}${disobeyed}`, ...remarks];
  if (isWaiting) text.push('not judged yet: a tag has not been read since the start');
  text.push(...firstLines(firstOut, evidence));
  if (state === 'DISARMED' && rule.arm && !isWaiting)
    text.push(`not armed: ${evidenceList(because(c.explaining, rule.arm))}`);
  text.push(causeLine(c, rule, senses));
  if (state === 'PENDING') text.push(...pendingLines(senses));
  if (state === 'TRIPPED') text.push('a reset is refused while the cause stands');
  if (state === 'TRIPPED_CLEAR' && rule.latch === 'manual') text.push('waits for a reset');
  const doubts = state.startsWith('TRIPPED') ? senses.doubts() : [];
  if (doubts.length > 0)
    text.push(`beyond its span, and no reason to release: ${doubts.join(', ')}`);
  text.push(...bypasses, ...badInputs(c.explaining, [rule.cause, rule.arm]));
  return text;
}

/** What came first, if that can be said: of causes seen within one scan period of each other nobody can. */
function firstLines(first: Evidence | undefined, evidence: readonly Evidence[]): readonly string[] {
  if (!first) return [];
  const isFirst = (one: Evidence): boolean =>
    one.expression === first.expression && one.cause === first.cause;
  const ties = evidence.filter((one) => one.tie);
  const others = evidence.filter((one) => !one.tie && !isFirst(one));
  const lines = [
    ties.length > 0
      ? `may have come first: ${evidenceList([first, ...ties])}; they cannot be told apart within one scan period`
      : `came first: ${evidenceList([first])}`,
  ];
  if (others.length > 0) lines.push(`also: ${evidenceList(others)}`);
  return lines;
}

function causeLine({ basis }: Context, { cause }: CompiledInterlock, senses: Senses): string {
  const { slots } = basis;
  if ((slots.q[cause.slot] as number) === ignored)
    return 'the whole cause is taken out by on_bad: it cannot trip now';
  const now = evidenceList(senses.now());
  if (conditionOf(slots, cause.slot) !== 0) return `the cause now: ${now}`;
  if (senses.isPending) return `the condition stands, its delay runs: ${now}`;
  return truth(slots, cause.slot) === 0 ? `no cause now: ${now}` : `the cause now: ${now}`;
}

/** How long there is until it trips, if nothing changes. */
function pendingLines(senses: Senses): readonly string[] {
  const left = senses.timeLeft();
  return left < Infinity
    ? [`trips in ${formatDuration(Math.ceil(left / 100) * 100)} unless that changes`]
    : [];
}
