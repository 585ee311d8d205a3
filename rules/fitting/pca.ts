import { exp, ln } from '../engine/blocks/elementary.js';
import { eigenOf } from './eigen.js';
import { meanOf, sigmaOf, sum } from './moments.js';
import type { Series } from './series.js';

/** A principal-component model of what was normal, as it stands in a rule file. */
export interface FittedModel {
  readonly variables: readonly {
    readonly tag: string;
    readonly unit: string | undefined;
    readonly mean: number;
    readonly sigma: number;
  }[];
  /** One row a component. */
  readonly loadings: readonly (readonly number[])[];
  readonly variances: readonly number[];
  readonly limits: { readonly t2: number; readonly spe: number };
  /** Rows that were complete and used. */
  readonly rows: number;
  /** Share of the variance that the components hold. */
  readonly explained: number;
}

export interface FitOptions {
  /** Share of the variance that the components must hold. */
  readonly explain: number;
  /** One observation in so many may lie beyond the limits though all is well. */
  readonly falseAlarms: number;
}

/** Fewest complete rows for each variable. */
const rowsForEach = 10;

/** Why no model can be made of these data, or the model. */
export function fitModel(
  series: Series,
  options: FitOptions,
): FittedModel | { readonly refused: string } {
  const rows = series.rows.filter((row) => row.every(Number.isFinite));
  const n = series.names.length;
  if (rows.length < rowsForEach * n)
    return {
      refused: `${rows.length} complete rows are too few for ${n} variables: ${rowsForEach * n} at least`,
    };
  const columns = series.names.map((_, i) => rows.map((row) => row[i] ?? 0));
  const means = columns.map(meanOf);
  const sigmas = columns.map((column) => sigmaOf(column));
  const still = series.names.filter((_, i) => !((sigmas[i] ?? 0) > 0));
  if (still.length > 0) return { refused: `${still.join(', ')} never moved: leave it out` };
  const z = rows.map((row) => row.map((x, i) => (x - (means[i] ?? 0)) / (sigmas[i] ?? 1)));
  const { values, vectors } = eigenOf(correlation(z, n));
  const count = components(values, options.explain);
  const kept = values.slice(0, count).map((value) => Math.max(value, 1e-12));
  return {
    variables: series.names.map((tag, i) => ({
      tag,
      unit: series.units[i],
      mean: means[i] ?? 0,
      sigma: sigmas[i] ?? 1,
    })),
    loadings: vectors.slice(0, count),
    variances: kept,
    limits: {
      t2: chiSquare(count, 1 - options.falseAlarms),
      spe: speLimit(values.slice(count), 1 - options.falseAlarms),
    },
    rows: rows.length,
    explained: sum(kept) / sum(values),
  };
}

function correlation(z: readonly (readonly number[])[], n: number): readonly (readonly number[])[] {
  const of = (i: number, j: number): number =>
    sum(z.map((row) => (row[i] ?? 0) * (row[j] ?? 0))) / (z.length - 1);
  return Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_row, j) => of(i, j)));
}

/** As few as hold the wanted share, and at least one is left out: else there is no error beside the model. */
function components(values: readonly number[], share: number): number {
  const all = sum(values);
  let held = 0;
  for (let count = 1; count < values.length; count++) {
    held += values[count - 1] ?? 0;
    if (held / all >= share) return count;
  }
  return Math.max(1, values.length - 1);
}

/** Quantile of the chi-square distribution (Wilson and Hilferty): within 1 % for the usual limits. */
export function chiSquare(degrees: number, p: number): number {
  const k = 2 / (9 * degrees);
  const root = 1 - k + normalQuantile(p) * Math.sqrt(k);
  return degrees * root * root * root;
}

/** Limit of the squared prediction error (Jackson and Mudholkar), from the variances that were left out. */
export function speLimit(left: readonly number[], p: number): number {
  const [t1, t2, t3] = [1, 2, 3].map((power) =>
    sum(
      left
        .map((value) => Math.max(value, 0))
        .map((value) =>
          power === 1 ? value : power === 2 ? value * value : value * value * value,
        ),
    ),
  ) as [number, number, number];
  if (!(t1 > 1e-12)) return 1e-9;
  const h = 1 - (2 * t1 * t3) / (3 * t2 * t2);
  const h0 = Math.max(h, 1e-3);
  const inner =
    (normalQuantile(p) * Math.sqrt(2 * t2 * h0 * h0)) / t1 + 1 + (t2 * h0 * (h0 - 1)) / (t1 * t1);
  return t1 * exp(ln(Math.max(inner, 1e-12)) / h0);
}

/** Quantile of the normal distribution, by bisection of its integral: exact to 1e-9, and slow. */
export function normalQuantile(p: number): number {
  let [low, high] = [-9, 9];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (normalShare(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Share of a normal distribution below x, by its series around 0. */
function normalShare(x: number): number {
  if (x > 7) return 1;
  if (x < -7) return 0;
  let term = x;
  let all = x;
  for (let k = 1; k < 200; k++) {
    term *= (x * x) / (2 * k + 1);
    all += term;
    if (Math.abs(term) < 1e-17 * Math.abs(all)) break;
  }
  return 0.5 + (all * exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}
