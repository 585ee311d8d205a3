/**
 * A number as a strict reader knows it. `low === high`: known. One of them infinite: a saturated input
 * bounds it on one side. Both infinite: not known.
 */
export interface Figure {
  readonly low: number;
  readonly high: number;
  /** What counts where the bound does not decide: the stand-in of `on_bad`; absent = taken out. */
  readonly instead: Plain;
  /** Saturated inputs behind it. */
  readonly saturated: readonly string[];
}
export type Plain = number | 'unknown' | 'absent';

export function known(value: number): Figure {
  return plain(value);
}

const none: readonly string[] = [];

/** Nothing saturated in it. */
export function plain(value: Plain): Figure {
  const isKnown = typeof value === 'number' && Number.isFinite(value);
  const instead = typeof value === 'number' && !isKnown ? 'unknown' : value;
  const [low, high] = isKnown ? [value, value] : [-Infinity, Infinity];
  return { low, high, instead, saturated: none };
}

export function bounded(low: number, high: number, instead: Plain, tag: string): Figure {
  return { low, high, instead, saturated: [tag] };
}

export function isSaturated(figure: Figure): boolean {
  return figure.saturated.length > 0;
}

/** `each` computes with numbers, `bound` with ranges; without `bound` a range says nothing. */
export function combine(
  of: readonly Figure[],
  each: (...values: number[]) => number,
  bound?: (...of: Figure[]) => readonly [number, number],
): Figure {
  const numbers: number[] = [];
  let isAbsent = false;
  for (const { instead } of of) {
    if (typeof instead === 'number') numbers.push(instead);
    else if (instead === 'absent') isAbsent = true;
  }
  // What is made of something taken out is taken out, whatever a bound beside it says.
  if (of.some((one) => one.instead === 'absent' && !isSaturated(one))) return plain('absent');
  const isWhole = numbers.length === of.length;
  const result = plain(isAbsent ? 'absent' : isWhole ? each(...numbers) : 'unknown');
  if (!of.some(isSaturated)) return result;
  const saturated = [...new Set(of.flatMap((one) => one.saturated))];
  const [low, high] = bound?.(...of) ?? [-Infinity, Infinity];
  return {
    low: Number.isNaN(low) ? -Infinity : low,
    high: Number.isNaN(high) ? Infinity : high,
    instead: result.instead,
    saturated,
  };
}

/** Not known, and not for being saturated. */
export function isBad(figure: Figure): boolean {
  return figure.instead === 'unknown' && !isSaturated(figure);
}

type Bound = (a: Figure, b: Figure) => readonly [number, number];

export const sums: Readonly<Record<'+' | '-' | 'min' | 'max', Bound>> = {
  '+': (a, b) => [a.low + b.low, a.high + b.high],
  '-': (a, b) => [a.low - b.high, a.high - b.low],
  min: (a, b) => [Math.min(a.low, b.low), Math.min(a.high, b.high)],
  max: (a, b) => [Math.max(a.low, b.low), Math.max(a.high, b.high)],
};

export function negated(a: Figure): readonly [number, number] {
  return [-a.high, -a.low];
}

export function absolute(a: Figure): readonly [number, number] {
  if (a.low === -Infinity && a.high === Infinity) return [a.low, a.high];
  if (a.low >= 0) return [a.low, a.high];
  if (a.high <= 0) return [-a.high, -a.low];
  return [0, Math.max(-a.low, a.high)];
}

export function times(a: Figure, factor: number): readonly [number, number] {
  if (factor === 0) return [0, 0];
  const ends = [a.low * factor, a.high * factor];
  return [Math.min(...ends), Math.max(...ends)];
}

/** Surely true of every value in the ranges. */
export function surely(op: '<' | '<=' | '>' | '>=', a: Figure, b: Figure, room: number): boolean {
  switch (op) {
    case '>':
      return a.low > b.high - room;
    case '>=':
      return a.low >= b.high - room;
    case '<':
      return a.high < b.low + room;
    case '<=':
      return a.high <= b.low + room;
  }
}
