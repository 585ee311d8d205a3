/** Models and baselines from recorded data: against closed forms, and back through the language. */
import t from 'tap';
import { baselineParts, fitBaseline } from '../../../rules/fitting/baseline.js';
import { eigenOf } from '../../../rules/fitting/eigen.js';
import { chiSquare, fitModel, normalQuantile } from '../../../rules/fitting/pca.js';
import { seriesOf } from '../../../rules/fitting/series.js';
import { compiled, lookupOf, plant, type TagSpecs } from '../plant.js';

class Dice {
  #state = 99;
  next(): number {
    let sum = -6;
    for (let i = 0; i < 12; i++) {
      this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
      sum += this.#state / 2 ** 32;
    }
    return sum;
  }
}

void t.test('eigenvalues and vectors of symmetric matrices', (t) => {
  const two = eigenOf([
    [1, 0.6],
    [0.6, 1],
  ]);
  t.same(
    two.values.map((value) => Number(value.toFixed(12))),
    [1.6, 0.4],
  );
  t.ok(Math.abs((two.vectors[0]?.[0] ?? 0) - Math.SQRT1_2) < 1e-12);
  const matrix = [
    [4, 1, 0.5, 0],
    [1, 3, 0.2, 1],
    [0.5, 0.2, 2, 0.1],
    [0, 1, 0.1, 1],
  ];
  const { values, vectors } = eigenOf(matrix);
  for (const [i, vector] of vectors.entries())
    for (const [row, line] of matrix.entries()) {
      const product = line.reduce((sum, x, j) => sum + x * (vector[j] ?? 0), 0);
      t.ok(Math.abs(product - (values[i] ?? 0) * (vector[row] ?? 0)) < 1e-10);
    }
  t.ok(Math.abs(values.reduce((a, b) => a + b, 0) - 10) < 1e-10, 'their sum is the trace');
  t.end();
});

void t.test('quantiles, against tables', (t) => {
  for (const [p, z] of [
    [0.5, 0],
    [0.975, 1.959964],
    [0.99, 2.326348],
    [0.001, -3.090232],
  ] as const)
    t.ok(Math.abs(normalQuantile(p) - z) < 1e-6, `normal ${p}`);
  for (const [k, p, x] of [
    [2, 0.99, 9.2103],
    [5, 0.95, 11.0705],
    [10, 0.99, 23.2093],
  ] as const)
    t.ok(Math.abs(chiSquare(k, p) / x - 1) < 0.01, `chi-square ${k} ${p}`);
  t.end();
});

const tags: TagSpecs = { F: 'm3/h', P: 'bar', T: 'degC', Q: 'bool' };
/** A pump whose pressure follows its flow, at a temperature of its own. */
function record(rows: number): { samples: never[]; program: ReturnType<typeof compiled> } {
  const dice = new Dice();
  const samples: object[] = [];
  for (let i = 0; i < rows; i++) {
    const flow = 50 + 5 * dice.next();
    const values = [flow, 6 - 0.05 * flow + 0.02 * dice.next(), 40 + dice.next()];
    for (const [tag, value] of values.entries())
      samples.push({ at: 1e12 + i * 1000, tag, value, quality: 0 });
  }
  const program = compiled([{ signal: 'H', value: 'P * F', unit: 'bar.m3/h' }], tags);
  return { samples: samples as never[], program };
}

void t.test('a model of good data finds what is not like them, and which variable it is', (t) => {
  const { samples, program } = record(600);
  const series = seriesOf(program, lookupOf(tags), samples, ['F', 'P', 'T']);
  const model = fitModel(series, { explain: 0.8, falseAlarms: 0.01 });
  if ('refused' in model) throw new TypeError(model.refused);
  t.equal(model.loadings.length, 2, 'flow and pressure are one component, temperature another');
  t.ok(model.explained > 0.95);
  const text = (value: number, unit: string): string => `${value} ${unit}`;
  const element = {
    model: 'M',
    variables: model.variables.map(({ tag, unit = '', mean, sigma }) => ({
      tag,
      mean: text(mean, unit),
      sigma: text(sigma, unit === 'degC' ? 'K' : unit),
    })),
    loadings: model.loadings,
    variances: model.variances,
    limits: model.limits,
  };
  const p = plant(
    [
      element,
      { signal: 'FAR', value: 't2(M) > M.t2' },
      { signal: 'ODD', value: 'spe(M) > M.spe' },
      { signal: 'BY_P', value: 'contrib(M, P)' },
    ],
    tags,
  );
  const dice = new Dice();
  let [far, odd] = [0, 0];
  for (let i = 0; i < 2000; i++) {
    const flow = 50 + 5 * dice.next();
    p.set({ F: flow, P: 6 - 0.05 * flow + 0.02 * dice.next(), T: 40 + dice.next() });
    p.to(i);
    far += p.value('FAR');
    odd += p.value('ODD');
  }
  t.ok(far < 60 && odd < 60, `${far} and ${odd} of 2000 good ones beyond the limits of 1 %`);
  p.set({ F: 50, P: 4.1, T: 40 });
  p.to(3000);
  t.equal(p.value('ODD'), 1, 'each value is usual, but not the two together');
  t.equal(p.value('FAR'), 0);
  p.set({ F: 50, P: 3.5, T: 50 });
  p.to(3001);
  t.equal(p.value('FAR'), 1, 'ten degrees are far');
  t.end();
});

void t.test('a signal in a model is computed before what asks the model', (t) => {
  const one = { mean: '0 bar', sigma: '1 bar' };
  const model = { model: 'M', variables: [{ tag: 'Z', ...one }], loadings: [[1]], variances: [1] };
  const p = plant(
    [model, { signal: 'A', value: 't2(M)' }, { signal: 'Z', value: 'P * 2', unit: 'bar' }],
    tags,
  );
  t.same(p.program.ids, ['Z', 'A']);
  p.set({ P: 3 });
  p.scan();
  t.equal(p.value('A'), 36);
  t.end();
});

void t.test('what cannot be fitted is refused with why', (t) => {
  const { samples, program } = record(20);
  const fit = (names: string[]): unknown =>
    fitModel(seriesOf(program, lookupOf(tags), samples, names), {
      explain: 0.9,
      falseAlarms: 0.01,
    });
  t.match(fit(['F', 'P', 'T']), { refused: /20 complete rows are too few/ });
  const still = { names: ['X'], units: [undefined], rows: Array.from({ length: 50 }, () => [5]) };
  t.match(fitModel(still, { explain: 0.9, falseAlarms: 0.01 }), { refused: /X never moved/ });
  t.end();
});

void t.test('baselines: of a tag, of a signal; a deviation of a temperature is in K', (t) => {
  const { samples, program } = record(400);
  const isKnown = (name: string): boolean => ['F', 'P', 'T', 'H'].includes(name);
  t.same(baselineParts('T.sd', isKnown), { of: 'T', statistic: 'sd' });
  t.same(baselineParts('H', isKnown), { of: 'H', statistic: 'mean' });
  t.equal(baselineParts('T.foo', isKnown), undefined);
  const series = seriesOf(program, lookupOf(tags), samples, ['T', 'H']);
  const sd = fitBaseline('T.sd', 'sd', series, 0);
  t.match(sd, { name: 'T.sd', unit: 'K', count: 400 });
  t.ok('value' in sd && Math.abs(sd.value - 1) < 0.1);
  const mean = fitBaseline('H', 'mean', series, 1);
  t.ok('value' in mean && Math.abs(mean.value - 173.75) < 2);
  const few = { ...series, rows: series.rows.slice(0, 5) };
  t.match(fitBaseline('T.max', 'max', few, 0), { refused: /5 good values are too few/ });
  t.end();
});
