import {
  badFrom,
  putBool,
  recall,
  remember,
  truth,
  wantNext,
  type Slots,
  type Step,
} from './slots.js';

/**
 * rising, falling, changed: true for one scan. Compared with the last good value; after a start and
 * after a bad time the first good value is only remembered, so that neither a restart nor a repaired
 * cable looks like a pressed button.
 */
export function edgeStep(
  s: Slots,
  to: number,
  of: number,
  edge: 'rising' | 'falling' | 'changed',
): Step {
  const memory = remember(s, NaN);
  return () => {
    const q = s.q[of] as number;
    if (q >= badFrom) {
      s.memory[memory] = NaN;
      putBool(s, to, false, q);
      return;
    }
    const value = s.v[of] as number;
    const before = recall(s, memory);
    const fires =
      edge === 'changed'
        ? before === before && value !== before
        : edge === 'rising'
          ? before === 0 && value === 1
          : before === 1 && value === 0;
    s.memory[memory] = value;
    putBool(s, to, fires, q);
    if (fires) wantNext(s);
  };
}

/**
 * Notes when the truth of a condition changed. `memory`: where the truth of the scan before is, at first -1; behind
 * it, between which two monotonic times it changed in the plant.
 * @returns whether it did
 */
export function noteChange(s: Slots, slot: number, memory: number): boolean {
  const now = truth(s, slot);
  const before = recall(s, memory);
  if (now === before) return false;
  s.memory[memory] = now;
  // What was not known before may have been so for any time.
  s.memory[memory + 1] = before === 0 || before === 1 ? Infinity : -Infinity;
  s.memory[memory + 2] = -Infinity;
  return true;
}
/** What is made of no tag changed when that was computed. */
export function noteMoment(s: Slots, memory: number): void {
  s.memory[memory + 1] = s.memory[memory + 2] = s.clock.now;
}
/** Between which two times a watched condition changed in the plant, monotonic ms. */
export function changeOf(s: Slots, slot: number): readonly [after: number, until: number] {
  const memory = s.remembered[slot] as number;
  return memory < 0 ? [-Infinity, Infinity] : [recall(s, memory + 1), recall(s, memory + 2)];
}
/** One of the tags behind it was asked at `asked`, and before that at `before`: it changed in between. */
export function noteSample(s: Slots, memory: number, before: number, asked: number): void {
  s.memory[memory + 1] = Math.min(recall(s, memory + 1), before);
  s.memory[memory + 2] = Math.max(recall(s, memory + 2), asked);
}
