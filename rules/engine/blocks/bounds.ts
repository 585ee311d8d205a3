import { isOneSided, isSound, Quality, type ImageView } from '../../../gateway/contract/index.js';
import {
  childrenOf,
  type ArithNode,
  type CompareNode,
  type Node,
  type Ref,
} from '../../check/ir.js';
import { holds, compareOps } from './numeric.js';
import { badFrom, putBool, recall, truth, type Slots, type Step } from './slots.js';

/** Where the true value of an expression surely lies: one number, a half line, or between two. */
interface Range {
  readonly low: number;
  readonly high: number;
}
/** One of the values in it is not known at all: nothing that follows is a bound of anything. */
type Known = Range | undefined;

/** What is needed to say where a value lies. */
export interface BoundWorld {
  readonly slots: Slots;
  readonly image: ImageView;
  readonly positionOf: (ref: Ref) => number;
  /** Uncertain values were refused when they were read: what is not bad may be used. */
  readonly strict: boolean;
}

function exactly(value: number): Range {
  return { low: value, high: value };
}
function isExact({ low, high }: Range): boolean {
  return low === high;
}

/** `x × k + c`; nothing is known where that has no answer. */
function scaled(range: Known, k: number, c = 0): Known {
  if (!range || k === 0) return undefined;
  const [a, b] = [range.low * k + c, range.high * k + c];
  return a <= b ? { low: a, high: b } : { low: b, high: a };
}

/**
 * Where the true value lies while an instrument is beyond its range. The bound passes through sums, factors,
 * `min`, `max`, `abs`, `limit`, choices, `fallback` and units; what else is made of it may be anything.
 */
export function rangeOf(w: BoundWorld, node: Node): Known {
  const { slots: s } = w;
  switch (node.kind) {
    case 'input':
      return ofInput(w, node.input.ref, node.slot);
    case 'neg':
      return scaled(rangeOf(w, node.of), -1);
    case 'arith':
      return ofArith(w, node);
    case 'pick':
      return ofPick(
        node.pick,
        node.of.map((child, i) => {
          const { k, c } = node.convert[i] ?? { k: 1, c: 0 };
          return scaled(rangeOf(w, child), k, c);
        }),
      );
    case 'if': {
      const is = truth(s, node.when.slot);
      if (is === 1) return rangeOf(w, node.then);
      return is === 0
        ? scaled(rangeOf(w, node.otherwise), node.convert.k, node.convert.c)
        : undefined;
    }
    case 'fallback': {
      const first = rangeOf(w, node.of);
      return first ?? scaled(rangeOf(w, node.other), node.convert.k, node.convert.c);
    }
    default:
      return ofSlot(w, node.slot);
  }
}

function ofSlot({ slots: s, strict }: BoundWorld, slot: number): Known {
  const q = s.q[slot] as number;
  const isKnown = strict ? q < badFrom : isSound(q);
  return isKnown ? exactly(s.v[slot] as number) : undefined;
}

function ofInput(w: BoundWorld, ref: Ref, slot: number): Known {
  const at = w.positionOf(ref);
  const q = w.image.qualities[at] as number;
  const value = w.image.numbers[at] as number;
  if (q === Quality.aboveRange) return { low: value, high: Infinity };
  if (q === Quality.belowRange) return { low: -Infinity, high: value };
  return ofSlot(w, slot);
}

function ofArith(w: BoundWorld, node: ArithNode): Known {
  const { k, c } = node.convert;
  const left = rangeOf(w, node.left);
  const own = rangeOf(w, node.right);
  if (!left || !own) return undefined;
  if (node.op === '+' || node.op === '-') {
    const right = scaled(own, k, c);
    if (!right) return undefined;
    return node.op === '+'
      ? { low: left.low + right.low, high: left.high + right.high }
      : { low: left.low - right.high, high: left.high - right.low };
  }
  if (node.op === '/') {
    if (isExact(own) && own.low !== 0 && (isExact(left) || isConst(node.right)))
      return scaled(left, k / own.low);
    return undefined;
  }
  if (isExact(own) && (isExact(left) || isConst(node.right))) return scaled(left, k * own.low);
  return isExact(left) && isConst(node.left) ? scaled(own, k * left.low) : undefined;
}

/** A number of the rule itself: of two measured values neither is known to keep its sign. */
function isConst(node: Node): boolean {
  return node.kind === 'const' || (node.kind === 'neg' && isConst(node.of));
}

function ofPick(pick: 'min' | 'max' | 'limit' | 'abs', each: readonly Known[]): Known {
  const of = each.filter((one) => one !== undefined);
  if (of.length < each.length) return undefined;
  const lows = of.map(({ low }) => low);
  const highs = of.map(({ high }) => high);
  switch (pick) {
    case 'min':
      return { low: Math.min(...lows), high: Math.min(...highs) };
    case 'max':
      return { low: Math.max(...lows), high: Math.max(...highs) };
    case 'abs': {
      const [low = NaN, high = NaN] = [lows[0], highs[0]];
      if (low >= 0) return { low, high };
      if (high <= 0) return { low: -high, high: -low };
      return { low: 0, high: Math.max(-low, high) };
    }
    case 'limit': {
      const [least, x, most] = of;
      if (!least || !x || !most || !isExact(least) || !isExact(most) || least.low > most.low)
        return undefined;
      const clamp = (value: number): number => Math.min(Math.max(value, least.low), most.low);
      return { low: clamp(x.low), high: clamp(x.high) };
    }
  }
}

/** Value and quality of a number made of one beyond its range; undefined: nothing is known of it. */
export function boundOf(
  w: BoundWorld,
  node: Node,
): { readonly value: number; readonly quality: number } | undefined {
  const range = rangeOf(w, node);
  if (!range) return undefined;
  const { low, high } = range;
  if (high === Infinity && Number.isFinite(low)) return { value: low, quality: Quality.aboveRange };
  if (low === -Infinity && Number.isFinite(high))
    return { value: high, quality: Quality.belowRange };
  return undefined;
}

/** Is a bound of what this is made of one of the result? */
export function passesBounds({ kind }: Node): boolean {
  return (
    kind === 'neg' || kind === 'arith' || kind === 'pick' || kind === 'if' || kind === 'fallback'
  );
}

/** Tags that a number is made of along a way on which a bound is not lost. */
export function boundedInputs(node: Node): readonly Extract<Node, { kind: 'input' }>[] {
  if (node.kind === 'input') return node.input.ref.type.kind === 'number' ? [node] : [];
  return passesBounds(node) ? childrenOf(node).flatMap(boundedInputs) : [];
}

/** A comparison that a bound can decide. */
export function isOrder({ op }: CompareNode): boolean {
  return op !== '==' && op !== '!=';
}

export interface BoundTerms {
  /** Where a comparison with hysteresis remembers whether it was true; undefined: it has none. */
  readonly memory: number | undefined;
  /** Called when it decides nothing. */
  undecided: () => void;
}

/**
 * A comparison that a value beyond its range surely satisfies is true at once. The other way round nothing follows:
 * what is in doubt may trip, and releases nothing. Run only while there is such a value.
 */
export function boundStep(w: BoundWorld, node: CompareNode, terms: BoundTerms): Step {
  const { slots: s } = w;
  const op = compareOps.indexOf(node.op);
  const isLess = node.op === '<' || node.op === '<=';
  return () => {
    const left = rangeOf(w, node.left);
    const right = scaled(rangeOf(w, node.right), node.convert.k, node.convert.c);
    const band = bandOf(s, node, terms.memory) * (isLess ? 1 : -1);
    const [a, b] = isLess ? [left?.high, right?.low] : [left?.low, right?.high];
    const isSure = a !== undefined && b !== undefined && Number.isFinite(a) && Number.isFinite(b);
    if (!isSure || !holds(op, a, b + band)) {
      terms.undecided();
      return;
    }
    putBool(s, node.slot, true, Quality.surely);
    if (terms.memory !== undefined) s.memory[terms.memory] = 1;
  };
}

function bandOf(s: Slots, { hyst, hystFactor }: CompareNode, memory: number | undefined): number {
  if (!hyst || memory === undefined || recall(s, memory) !== 1) return 0;
  return Math.abs(s.v[hyst.slot] as number) * hystFactor;
}

/** A tag against a constant, decided by the value alone. `op`: position in {@link compareOps}. */
export function boundDecides(op: number, quality: number, value: number, limit: number): boolean {
  if (!isOneSided(quality) || op > 3) return false;
  const isAbove = op === 2 || op === 3;
  return isAbove === (quality === Quality.aboveRange) && holds(op, value, limit);
}
