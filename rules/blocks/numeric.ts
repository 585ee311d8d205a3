import { Quality, type ImageView } from '../../gateway/contract/index.js';
import type { ArithOp, CompareOp } from '../ast.js';
import type { CompareNode, PickNode } from '../ir.js';
import { noteChange } from './edges.js';
import { readNumber, type TagInput } from './inputs.js';
import {
  badFrom,
  putBool,
  putNumber,
  recall,
  remember,
  worst,
  type Slots,
  type Step,
} from './slots.js';

function holds(op: CompareOp, a: number, b: number): boolean {
  switch (op) {
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
    case '==':
      return a === b;
    case '!=':
      return a !== b;
  }
}

/** A comparison, with hysteresis if any: once true it stays true until the value is back by that much. */
export function compareStep(s: Slots, node: CompareNode): Step {
  const { slot: to, op, hystFactor } = node;
  const left = node.left.slot;
  const right = node.right.slot;
  const hyst = node.hyst?.slot;
  const { k, c } = node.convert;
  if (hyst === undefined)
    return () => {
      const quality = worst(s.q[left] as number, s.q[right] as number);
      putBool(s, to, holds(op, s.v[left] as number, (s.v[right] as number) * k + c), quality);
    };
  const towards = op === '<' || op === '<=' ? 1 : -1;
  const memory = remember(s, 0);
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

/**
 * A tag against a constant, in one step: reads the tag, compares it, and notes when the truth of that
 * changed if somebody asks for it. The most frequent condition there is; three steps in one take a third of their
 * memory.
 */
export function limitStep(
  s: Slots,
  image: ImageView,
  { at, slot, strict }: TagInput,
  { slot: to, op, right: { slot: right }, convert: { k, c } }: CompareNode,
  isWatched: boolean,
): Step {
  const watch = isWatched ? remember(s, -1) : -1;
  return () => {
    readNumber(s, image, at, slot, strict);
    const quality = worst(s.q[slot] as number, s.q[right] as number);
    putBool(s, to, holds(op, s.v[slot] as number, (s.v[right] as number) * k + c), quality);
    if (watch >= 0) noteChange(s, to, watch);
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

/** The first value while it is there, else the other one, marked as substituted. */
export function fallbackStep(
  s: Slots,
  to: number,
  of: number,
  other: number,
  k: number,
  c: number,
): Step {
  return () => {
    const q = s.q[of] as number;
    if (q < badFrom) {
      s.v[to] = s.v[of] as number;
      s.q[to] = q;
      return;
    }
    const second = s.q[other] as number;
    s.v[to] = (s.v[other] as number) * k + c;
    s.q[to] = second < badFrom ? Quality.substituted : Quality.input;
  };
}
