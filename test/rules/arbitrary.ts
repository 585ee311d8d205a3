import fc from 'fast-check';
import { Quality } from '../../gateway/contract/index.js';
import type { TagSpecs } from './plant.js';

export const specs: TagSpecs = { A: 'bool', B: 'bool', C: 'bool', D: 'bool', X: '', Y: '', Z: '' };

/** Well-typed expressions over A..D (bool) and X..Z (numbers). */
export const typed: fc.LetrecValue<{ bool: string; num: string }> = fc.letrec<{
  bool: string;
  num: string;
}>((tie) => {
  const b = tie('bool');
  const n = tie('num');
  const two = (x: fc.Arbitrary<string>, op: string): fc.Arbitrary<string> =>
    fc.tuple(x, x).map(([l, r]) => `(${l} ${op} ${r})`);
  return {
    bool: fc.oneof(
      { maxDepth: 5, depthSize: 'small' },
      fc.constantFrom('A', 'B', 'C', 'D', 'true', 'false', 'stale(X)', 'age(X) > 1 s'),
      two(b, 'and'),
      two(b, 'or'),
      ...['<', '<=', '>', '>=', '==', '!='].map((op) => two(n, op)),
      fc.tuple(n, n).map(([l, r]) => `(${l} > ${r} hyst 1)`),
      b.map((x) => `not ${x}`),
      ...['for 1s', 'held 1s'].map((w) => b.map((x) => `(${x} ${w})`)),
      ...['rising', 'falling', 'changed', 'prev', 'good', 'bad', 'missing'].map((f) =>
        b.map((x) => `${f}(${x})`),
      ),
      ...['pulse', 'changing'].map((f) => b.map((x) => `${f}(${x}, 1s)`)),
      fc.tuple(b, b, b).map(([x, y, z]) => `(2 of [${x}, ${y}, ${z}] degrade 1oo2)`),
      fc.tuple(b, b, b).map(([x, y, z]) => `(2 of [${x}, ${y}, ${z}])`),
      fc.tuple(b, b).map(([x, y]) => `latch(${x}, ${y})`),
      fc.tuple(b, b).map(([x, y]) => `latch_r(${x}, ${y})`),
      fc.tuple(b, b).map(([x, y]) => `fallback(${x}, ${y})`),
      fc.tuple(b, b, b).map(([x, y, z]) => `(if ${x} then ${y} else ${z})`),
    ),
    num: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      fc.constantFrom('X', 'Y', 'Z', '0', '1', '2.5', '1e300'),
      ...['+', '-', '*', '/'].map((op) => two(n, op)),
      n.map((x) => `abs(${x})`),
      n.map((x) => `(-${x})`),
      n.map((x) => `prev(${x})`),
      fc.tuple(n, n).map(([x, y]) => `max(${x}, ${y})`),
      fc.tuple(n, n, n).map(([x, y, z]) => `limit(${x}, ${y}, ${z})`),
      fc.tuple(n, n).map(([x, y]) => `fallback(${x}, ${y})`),
      fc.tuple(b, n, n).map(([x, y, z]) => `(if ${x} then ${y} else ${z})`),
    ),
  };
});
export const names: readonly string[] = ['A', 'B', 'C', 'D', 'X', 'Y', 'Z'];
/** What a scan finds: how long after the one before, and all values and qualities. */
export interface Frame {
  step: number;
  values: number[];
  qualities: number[];
}
export const frame: fc.Arbitrary<Frame> = fc.record({
  step: fc.integer({ min: 0, max: 2500 }),
  values: fc.tuple(
    ...names.map((name) =>
      'ABCD'.includes(name)
        ? fc.integer({ min: 0, max: 1 })
        : fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double(), fc.constant(NaN)),
    ),
  ),
  qualities: fc.tuple(
    ...names.map(() => fc.constantFrom(...Object.values(Quality), Quality.good, Quality.good)),
  ),
});
