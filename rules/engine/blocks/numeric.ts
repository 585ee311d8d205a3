import { isOneSided, isSound, Quality } from '../../../gateway/contract/index.js';
import type { CompareNode, PickNode } from '../../check/ir.js';
import type { ArithOp, CompareOp } from '../../text/ast.js';
import type { Conversion } from '../../text/units.js';
import { badFrom, putBool, putNumber, recall, worst, type Slots, type Step } from './slots.js';

/** What a comparison is called in numbers: its position here. */
export const compareOps: readonly CompareOp[] = ['<', '<=', '>', '>=', '==', '!='];

export function holds(op: number, a: number, b: number): boolean {
  switch (op) {
    case 0:
      return a < b;
    case 1:
      return a <= b;
    case 2:
      return a > b;
    case 3:
      return a >= b;
    case 4:
      return a === b;
    default:
      return a !== b;
  }
}

/** `op`: position in {@link compareOps}; `k`, `c` take the right side to the unit of the left. */
export function compare(
  s: Slots,
  to: number,
  op: number,
  left: number,
  right: number,
  k: number,
  c: number,
): void {
  const quality = worst(s.q[left] as number, s.q[right] as number);
  // Two truths compared: what is true for certain only is not false for certain where it is not equal.
  const q = quality === Quality.surely ? Quality.input : quality;
  putBool(s, to, holds(op, s.v[left] as number, (s.v[right] as number) * k + c), q);
}

/** A comparison with hysteresis: once true it stays true until the value is back by that much. `memory`: was it true? */
export function bandStep(s: Slots, node: CompareNode, hyst: number, memory: number): Step {
  const { slot: to, hystFactor } = node;
  const left = node.left.slot;
  const right = node.right.slot;
  const { k, c } = node.convert;
  const op = compareOps.indexOf(node.op);
  const towards = node.op === '<' || node.op === '<=' ? 1 : -1;
  return () => {
    const quality = worst(worst(s.q[left] as number, s.q[right] as number), s.q[hyst] as number);
    let was = recall(s, memory) === 1;
    if (quality < badFrom) {
      const band = was ? Math.abs(s.v[hyst] as number) * hystFactor * towards : 0;
      was = holds(op, s.v[left] as number, (s.v[right] as number) * k + c + band);
      s.memory[memory] = was ? 1 : 0;
    }
    putBool(s, to, was, quality);
  };
}

/** Sums convert the right side; products scale the result. Division by zero is bad. */
export function arithStep(
  s: Slots,
  to: number,
  op: ArithOp,
  left: number,
  right: number,
  k: number,
  c: number,
): Step {
  const isSum = op === '+' || op === '-';
  return () => {
    const quality = worst(s.q[left] as number, s.q[right] as number);
    const a = s.v[left] as number;
    const b = isSum ? (s.v[right] as number) * k + c : (s.v[right] as number);
    if (op === '+') putNumber(s, to, a + b, quality);
    else if (op === '-') putNumber(s, to, a - b, quality);
    else putNumber(s, to, (op === '*' ? a * b : a / b) * k, quality);
  };
}

export function negStep(s: Slots, to: number, of: number): Step {
  return () => {
    s.v[to] = -(s.v[of] as number);
    s.q[to] = s.q[of] as number;
  };
}

/** min, max, abs, limit(lo, x, hi): each value converted to the unit of the result. */
export function pickStep(s: Slots, node: PickNode): Step {
  const of = Int32Array.from(node.of, (child) => child.slot);
  const k = Float64Array.from(node.convert, (convert) => convert.k);
  const c = Float64Array.from(node.convert, (convert) => convert.c);
  const { slot: to, pick } = node;
  const at = (i: number): number =>
    (s.v[of[i] as number] as number) * (k[i] as number) + (c[i] as number);
  return () => {
    let quality = 0;
    let value = at(0);
    for (let i = 0; i < of.length; i++) {
      quality = worst(quality, s.q[of[i] as number] as number);
      if (pick === 'min') value = Math.min(value, at(i));
      else if (pick === 'max') value = Math.max(value, at(i));
    }
    if (pick === 'abs') value = Math.abs(value);
    else if (pick === 'limit') {
      // Limits the wrong way round have no answer.
      if (at(0) > at(2)) quality = worst(quality, Quality.input);
      value = Math.min(Math.max(at(1), at(0)), at(2));
    }
    putNumber(s, to, value, quality);
  };
}

/**
 * The first value while it is there, else the other one, marked as such. `leaves`: a doubtful first value is left,
 * too, while the other one is sound, as a strict rule does; not one beyond its range, for it still says something.
 */
export function fallbackStep(
  s: Slots,
  node: { readonly slot: number; readonly of: number; readonly other: number },
  { k, c }: Conversion,
  leaves: boolean,
): Step {
  const { slot: to, of, other } = node;
  return () => {
    const q = s.q[of] as number;
    const second = s.q[other] as number;
    const stays = !leaves || isSound(q) || isOneSided(q) || !isSound(second);
    if (q < badFrom && stays) {
      s.v[to] = s.v[of] as number;
      s.q[to] = q;
      return;
    }
    s.v[to] = (s.v[other] as number) * k + c;
    s.q[to] =
      second >= badFrom ? Quality.input : isSound(second) ? Quality.fallback : Quality.derived;
  };
}
