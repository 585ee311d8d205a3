import { differenceOf } from '../text/units.js';
import { meanOf, sigmaOf } from './moments.js';
import type { Series } from './series.js';

/** What was normal of one name: `VT101.sd`, or the mean of a tag or a signal. */
export interface FittedBaseline {
  readonly name: string;
  readonly value: number;
  readonly unit: string | undefined;
  /** Values that were used. */
  readonly count: number;
}

const statistics: Readonly<Record<string, (sorted: readonly number[]) => number>> = {
  mean: meanOf,
  sd: (list) => sigmaOf(list),
  min: (list) => list[0] ?? NaN,
  max: (list) => list.at(-1) ?? NaN,
  median: (list) => {
    const middle = list.length >> 1;
    const high = list[middle] ?? NaN;
    return list.length % 2 === 1 ? high : ((list[middle - 1] ?? NaN) + high) / 2;
  },
};

/** The tag or signal of a baseline, and the statistic: `VT101.sd` is of `VT101`, `E301.UA` is its own mean. */
export function baselineParts(
  name: string,
  isKnown: (name: string) => boolean,
): { readonly of: string; readonly statistic: string } | undefined {
  if (isKnown(name)) return { of: name, statistic: 'mean' };
  const dot = name.lastIndexOf('.');
  const [of, statistic] = [name.slice(0, dot), name.slice(dot + 1)];
  return Object.hasOwn(statistics, statistic) && isKnown(of) ? { of, statistic } : undefined;
}

/** Fewest values that say what is normal. */
const fewest = 30;

/** A baseline from the column of a series; why not, if there are too few good values. */
export function fitBaseline(
  name: string,
  statistic: string,
  series: Series,
  column: number,
): FittedBaseline | { readonly refused: string } {
  const values = series.rows.map((row) => row[column] ?? NaN).filter(Number.isFinite);
  if (values.length < fewest)
    return { refused: `${name}: ${values.length} good values are too few, ${fewest} at least` };
  values.sort((a, b) => a - b);
  const value = statistics[statistic]?.(values) ?? NaN;
  const unit = series.units[column];
  return {
    name,
    value,
    unit: statistic === 'sd' ? differenceOf(unit) : unit,
    count: values.length,
  };
}
