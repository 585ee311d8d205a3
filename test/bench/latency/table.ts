/** What comes of a row, and whether it meets the bars. */
import { GatewayError } from '../../../gateway/contract/index.js';

export interface Row {
  readonly name: string;
  /** ms; Infinity: it never came. */
  readonly times: readonly number[];
  readonly pollGap: number;
  readonly bareGap: number;
  /** Trips without a cause. */
  readonly unprovoked: number;
  /** What went on meanwhile. */
  readonly seen: string;
  /** Why there is nothing more. */
  readonly failure?: string;
}

/** ms. */
export const bars = { p99: 20, max: 100, gapBeyondBare: 100 } as const;

/** The smallest value that so many of all are not above. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}

/** Which bars it does not meet. */
export function missed({ times, pollGap, bareGap, unprovoked, failure }: Row): readonly string[] {
  const sorted = [...times].sort((a, b) => a - b);
  const over: readonly (readonly [boolean, string])[] = [
    [failure !== undefined, failure ?? ''],
    [times.length === 0, 'no trips'],
    [unprovoked > 0, `${unprovoked} trips without a cause`],
    [quantile(sorted, 0.99) > bars.p99, `p99 over ${bars.p99} ms`],
    [quantile(sorted, 1) > bars.max, `max over ${bars.max} ms`],
    [pollGap - bareGap > bars.gapBeyondBare, `poll gap over ${bars.gapBeyondBare} ms beyond`],
  ];
  return over.filter(([is]) => is).map(([, what]) => what);
}

const columns = ['trips', 'median', 'p99', 'max', 'poll gap', 'bare loop'] as const;
const width = { name: 15, column: 10 } as const;

export const head: string = [
  'row'.padEnd(width.name),
  ...columns.map((name) => name.padStart(width.column)),
  '  result (all in ms)',
].join('');

export function line(row: Row): string {
  const sorted = [...row.times].sort((a, b) => a - b);
  const ms = (value: number): string =>
    (Number.isFinite(value) ? value.toFixed(1) : value > 0 ? 'never' : '-').padStart(width.column);
  const over = missed(row);
  const verdict = over.length === 0 ? 'ok' : `FAILS: ${over.join(', ')}`;
  return [
    row.name.padEnd(width.name),
    String(row.times.length).padStart(width.column),
    ...[0.5, 0.99, 1].map((share) => ms(quantile(sorted, share))),
    ms(row.pollGap),
    ms(row.bareGap),
    `  ${verdict}${row.seen === '' ? '' : `; ${row.seen}`}`,
  ].join('');
}

/** Those that `--rows name,name` chooses; all without it. */
export function chosen<T extends { readonly name: string }>(
  all: readonly T[],
  argv: readonly string[],
): readonly T[] {
  const at = argv.indexOf('--rows');
  if (at < 0) return all;
  const names = (argv[at + 1] ?? '').split(',');
  const unknown = names.find((name) => !all.some((one) => one.name === name));
  if (unknown !== undefined) {
    const known = all.map(({ name }) => name).join(', ');
    throw new GatewayError('bad-request', `no row named "${unknown}"; there are ${known}`);
  }
  return all.filter(({ name }) => names.includes(name));
}
