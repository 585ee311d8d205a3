import { parseDuration, parseQuantity, type Quantity } from '../contract/index.js';

/** Patterns of the texts below, as the schema has them. Linear: no nested repetition. */
export const patterns: Readonly<Record<'duration' | 'size' | 'percent' | 'perTime', string>> = {
  duration: '^\\s*\\d+(\\.\\d+)?\\s*(ms|s|min|m|h|d)\\s*$',
  size: '^\\s*\\d+(\\.\\d+)?\\s*(B|kB|KB|KiB|MB|MiB|GB|GiB|TB|TiB)\\s*$',
  percent: '^\\s*\\d+(\\.\\d+)?\\s*%\\s*$',
  perTime: '^\\s*\\d+(\\.\\d+)?\\s*/\\s*(s|min|h)\\s*$',
};

const sizes: ReadonlyMap<string, number> = new Map([
  ['B', 1],
  ['kB', 1e3],
  ['KB', 1e3],
  ['KiB', 1024],
  ['MB', 1e6],
  ['MiB', 1024 ** 2],
  ['GB', 1e9],
  ['GiB', 1024 ** 3],
  ['TB', 1e12],
  ['TiB', 1024 ** 4],
]);
const sizePattern = new RegExp(patterns.size);

/** `64MiB`, `10 MB` in bytes. */
export function parseSize(text: string): number | undefined {
  const match = sizePattern.exec(text);
  const factor = match ? sizes.get(match[2] ?? '') : undefined;
  return factor === undefined ? undefined : Math.round(Number.parseFloat(text) * factor);
}

const percentPattern = new RegExp(patterns.percent);

/** `0.5 %` as 0.005. */
export function parsePercent(text: string): number | undefined {
  return percentPattern.test(text) ? Number.parseFloat(text) / 100 : undefined;
}

const signedPercentPattern = /^\s*[+-]?\d+(\.\d+)?\s*%\s*$/;

/** `-1.25 %` as -0.0125. */
export function parseSignedPercent(text: string): number | undefined {
  return signedPercentPattern.test(text) ? Number.parseFloat(text) / 100 : undefined;
}

const perTimePattern = new RegExp(patterns.perTime);

/** `50/s`, `600/min` as a number a second. */
export function parsePerSecond(text: string): number | undefined {
  const match = perTimePattern.exec(text);
  const span = match ? parseDuration(`1${match[2] ?? ''}`) : undefined;
  return span === undefined ? undefined : (Number.parseFloat(text) / span) * 1000;
}

/** `5 m/min per s`: the quantity that may change in one second. */
export function parseRate(text: string): Quantity | undefined {
  const split = /^(.*\S)\s+per\s+(s|min|h)\s*$/.exec(text);
  const quantity = split ? parseQuantity(split[1] ?? '') : undefined;
  const span = split ? parseDuration(`1${split[2] ?? ''}`) : undefined;
  if (!quantity || span === undefined || quantity.value <= 0) return undefined;
  return { value: (quantity.value / span) * 1000, unit: quantity.unit };
}
