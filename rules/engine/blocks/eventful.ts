import { badFrom, recall, remember, wantScan, type Slots, type Step } from './slots.js';
import type { Operands, Wiring } from './wiring.js';

/** The operands of a function as they are now, and as they were held until now. */
export interface Inputs {
  readonly value: (i: number) => number;
  readonly quality: (i: number) => number;
  readonly heldValue: (i: number) => number;
  readonly heldQuality: (i: number) => number;
  /** Was the first operand observed anew, and is it not bad? */
  isObserved: boolean;
}

/** Brings the function up to `now`; gives when it must run again though nothing changed (or Infinity). */
export type Update = (inputs: Inputs, now: number) => number;

function same(a: number, b: number): boolean {
  return a === b || (a !== a && b !== b);
}

/**
 * A step that does something only when an operand changed, was observed anew, or the time that it asked
 * for has come. So a scan that brings it nothing new never changes it, and leaving such a scan out gives
 * the same bits.
 */
export function eventful(s: Slots, w: Wiring, update: Update): Step {
  const { of, beat } = w;
  const count = of.length;
  const held = remember(s, ...Array.from({ length: 2 * count }, () => NaN));
  const lastBeat = remember(s, NaN, NaN);
  const due = lastBeat + 1;
  const at = (i: number): Operands => of[i] as Operands;
  const convert = (i: number, value: number): number => value * at(i).k + at(i).c;
  const inputs: Inputs = {
    value: (i) => convert(i, s.v[at(i).slot] as number),
    quality: (i) => s.q[at(i).slot] as number,
    heldValue: (i) => convert(i, recall(s, held + 2 * i)),
    heldQuality: (i) => recall(s, held + 2 * i + 1),
    isObserved: false,
  };
  const isNews = (): boolean => {
    for (let i = 0; i < count; i++) {
      const { slot } = at(i);
      if (recall(s, held + 2 * i + 1) !== (s.q[slot] as number)) return true;
      if (!same(recall(s, held + 2 * i), s.v[slot] as number)) return true;
    }
    return false;
  };
  return () => {
    const { now } = s.clock;
    const wanted = recall(s, due);
    const beats = beat();
    const isNewBeat = !same(beats, recall(s, lastBeat));
    if (isNewBeat || now >= wanted || wanted !== wanted || isNews()) {
      inputs.isObserved = isNewBeat && (count === 0 || inputs.quality(0) < badFrom);
      s.memory[due] = update(inputs, now);
      s.memory[lastBeat] = beats;
      for (let i = 0; i < count; i++) {
        const { slot } = at(i);
        s.memory[held + 2 * i] = s.v[slot] as number;
        s.memory[held + 2 * i + 1] = s.q[slot] as number;
      }
    }
    wantScan(s, recall(s, due));
  };
}

/** Is a condition surely true now? */
export function isTrue(inputs: Inputs, i: number): boolean {
  return inputs.quality(i) < badFrom && inputs.value(i) === 1;
}
/** A condition that was false, surely, and is true now: no start and no mended wire looks like it. */
export function rises(inputs: Inputs, i: number): boolean {
  return inputs.heldQuality(i) < badFrom && inputs.heldValue(i) === 0 && isTrue(inputs, i);
}
/** Was it surely true until now? */
export function wasTrue(inputs: Inputs, i: number): boolean {
  return inputs.heldQuality(i) < badFrom && inputs.heldValue(i) === 1;
}
