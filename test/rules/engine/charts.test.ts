/**
 * Control charts against their exact run lengths. The charts are those of the language, fed through an engine
 * with normal numbers of a seeded generator; each mean must lie within four standard errors of the oracle.
 */
import t from 'tap';
import { Quality } from '../../../gateway/contract/index.js';
import { ln } from '../../../rules/engine/blocks/elementary.js';
import { plant, type Plant } from '../plant.js';

/** Normal numbers, the same in every run. */
class Normal {
  #state: number;
  #spare = NaN;

  constructor(seed: number) {
    this.#state = seed;
  }
  #uniform(): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    const high = this.#state;
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return (high * 2 ** 21 + (this.#state >>> 11)) / 2 ** 53;
  }
  /** By the polar method. */
  next(): number {
    if (!Number.isNaN(this.#spare)) {
      const spare = this.#spare;
      this.#spare = NaN;
      return spare;
    }
    for (;;) {
      const x = 2 * this.#uniform() - 1;
      const y = 2 * this.#uniform() - 1;
      const s = x * x + y * y;
      if (s >= 1 || s === 0) continue;
      const factor = Math.sqrt((-2 * ln(s)) / s);
      this.#spare = y * factor;
      return x * factor;
    }
  }
}

/** Observations until the chart calls, over many runs: mean and standard error. */
function runLength(
  chart: string,
  o: { readonly shift: number; readonly runs: number; readonly censored?: number },
): { mean: number; error: number } {
  const normal = new Normal(20_261_127);
  let sum = 0;
  let squares = 0;
  for (let run = 0; run < o.runs; run++) {
    const p = plant([{ signal: 'S', value: chart }], { X: '' });
    const length = until(p, normal, o.shift, o.censored ?? 100_000);
    sum += length;
    squares += length * length;
  }
  const mean = sum / o.runs;
  return { mean, error: Math.sqrt((squares / o.runs - mean * mean) / o.runs) };
}

function until(p: Plant, normal: Normal, shift: number, most: number): number {
  for (let n = 1; n <= most; n++) {
    p.now += 1000;
    p.set({ X: normal.next() + shift });
    p.scan();
    if (p.value('S') === 1) return n;
  }
  return most;
}

const cusum4 = 'cusum(X, 0, 0.5, 4)';
const cusum5 = 'cusum(X, 0, 0.5, 5)';
const ewma1 = 'ewma_chart(X, mean 0, sigma 1, lambda 0.1, limit 2.814)';
const ewma2 = 'ewma_chart(X, mean 0, sigma 1, lambda 0.2, limit 2.962)';
const shewhart = 'nelson(X, rule 1, mean 0, sigma 1)';

const oracles: readonly (readonly [chart: string, shift: number, oracle: number, runs: number])[] =
  [
    [shewhart, 0, 370.4, 400],
    [shewhart, 1, 43.89, 1500],
    [shewhart, 2, 6.3, 3000],
    [cusum4, 0, 167.68, 600],
    [cusum4, 0.5, 26.63, 1500],
    [cusum4, 1, 8.38, 3000],
    [cusum4, 2, 3.34, 3000],
    [cusum5, 0, 465.43, 300],
    [cusum5, 1, 10.38, 3000],
    [ewma1, 0, 499.5, 300],
    [ewma1, 1, 10.33, 3000],
    [ewma2, 0, 499.7, 300],
    [ewma2, 2, 3.74, 3000],
    ['weco(X, rule 2, mean 0, sigma 1)', 0, 510, 300],
    ['weco(X, rule 3, mean 0, sigma 1)', 0, 293, 400],
    ['weco(X, rule 4, mean 0, sigma 1)', 0, 256, 400],
    ['weco(X, mean 0, sigma 1)', 0, 91.75, 1000],
    ['nelson(X, rule 2, mean 0, sigma 1)', 0, 510, 300],
    ['nelson(X, rule 3, mean 0, sigma 1)', 0, 425, 300],
    ['nelson(X, rule 4, mean 0, sigma 1)', 0, 601, 300],
    ['nelson(X, rule 7, mean 0, sigma 1)', 0, 952, 200],
    ['nelson(X, mean 0, sigma 1)', 0, 73.6, 1000],
  ];

void t.test('run lengths of the charts are those of their theory', (t) => {
  for (const [chart, shift, oracle, runs] of oracles) {
    const { mean, error } = runLength(chart, { shift, runs });
    const off = Math.abs(mean - oracle) / error;
    t.ok(off < 4, `${chart} at ${shift}: ${mean.toFixed(2)} ± ${error.toFixed(2)}, ${oracle}`);
  }
  t.end();
});

void t.test('Nelson 8, censored at 4000', (t) => {
  const chart = 'nelson(X, rule 8, mean 0, sigma 1)';
  const { mean, error } = runLength(chart, { shift: 0, runs: 60, censored: 4000 });
  t.ok(mean + 4 * error > 3480 || mean > 3000, `${mean.toFixed(0)} ± ${error.toFixed(0)}`);
  t.end();
});

void t.test('CUSUM of the residual of values that depend on the one before', (t) => {
  const count = (chart: string): number => {
    const normal = new Normal(7);
    const p = plant([{ signal: 'S', value: `count(${chart}, 9h)` }], { X: '' });
    let x = 0;
    for (let n = 0; n < 3000; n++) {
      x = 0.8 * x + normal.next();
      p.now += 1000;
      p.set({ X: x });
      p.scan();
    }
    return p.value('S');
  };
  const plain = count(cusum5);
  const residual = count('cusum(X, 0, 0.5, 5, phi 0.8)');
  t.ok(plain > 4 * Math.max(1, residual), `${plain} false calls, ${residual} with phi`);
  t.end();
});

void t.test('a chart without scatter, or without a limit, says nothing', (t) => {
  const charts = [
    'nelson(X, mean 5, sigma S)',
    'weco(X, mean 5, sigma S)',
    'ewma_chart(X, mean 5, sigma S, lambda 0.2, limit 3)',
    'cusum(X, 5, 0.5, S)',
  ];
  for (const value of charts) {
    const p = plant([{ signal: 'OUT', value }], { X: '', S: '' });
    for (const [at, S] of [0, -1, 1].entries()) {
      p.set({ X: 5, S });
      p.to(at + 1);
      t.equal(p.qualityOf('OUT'), S > 0 ? Quality.good : Quality.input, `${value}, S = ${S}`);
    }
    t.equal(p.value('OUT'), 0, value);
  }
  t.end();
});
