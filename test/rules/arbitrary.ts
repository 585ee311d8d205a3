import fc from 'fast-check';
import { Quality } from '../../gateway/contract/index.js';
import type { TagSpecs } from './plant.js';

export const specs: TagSpecs = { A: 'bool', B: 'bool', C: 'bool', D: 'bool', X: '', Y: '', Z: '' };

/** Functions that look at single observations. */
const observers: readonly ((x: string) => string)[] = [
  (x) => `nelson(${x}, mean 0, sigma 1)`,
  (x) => `weco(${x}, rule 2, mean 0, sigma 1)`,
  (x) => `cusum(${x}, 0, 0.5, 4)`,
  (x) => `ewma_chart(${x}, mean 0, sigma 1, lambda 0.2, limit 2.9)`,
  (x) => `spike(${x}, 3)`,
];

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
      ...['stuck', 'steady'].map((f) => n.map((x) => `${f}(${x}, 1, 3s)`)),
      fc.tuple(b, b).map(([x, y]) => `ctu(${x}, ${y}, 2)`),
      fc.tuple(b, b).map(([x, y]) => `responds(${x}, ${y}, within 1s)`),
      ...observers.map((f) => n.map((x) => f(`sample(${x}, 1s)`))),
      fc.constantFrom(...observers.map((f) => f('X'))),
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
      ...['avg', 'min', 'max', 'stddev', 'ewma', 'sample'].map((f) =>
        n.map((x) => `${f}(${x}, 3s)`),
      ),
      n.map((x) => `avg(${x}, 3s, min_valid 40 %)`),
      fc.tuple(n, n).map(([x, y]) => `drift(${x}, ${y}, 2s)`),
      fc.tuple(n, n).map(([x, y]) => `spread(${x}, ${y})`),
      ...['avg', 'min', 'max', 'stddev', 'sum'].flatMap((agg) => [
        n.map((x) => `block(${agg}, ${x}, 5s)`),
        n.map((x) => `projected(block(${agg}, ${x}, 5s))`),
      ]),
      ...['(slope(X, 5s) * 1 s)', 'noise(Y, 5s)', 'sum(Z, 5s)'].map((text) => fc.constant(text)),
      ...['since', 'runtime'].map((f) => b.map((x) => `(${f}(${x}) / 1 s)`)),
      b.map((x) => `count(${x}, 5s)`),
      fc.tuple(n, b).map(([x, y]) => `(integral(${x}, ${y}) / 1 s)`),
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
