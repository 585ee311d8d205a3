import { parseNumber } from '../gateway/contract/index.js';
import { Exit } from './exit.js';
import { CliError, dateTime } from './output.js';

/** A time as it was written: 14:03 is a whole minute. Its first and its last instant, wall ms. */
export interface Moment {
  readonly first: number;
  readonly last: number;
}

/**
 * A time of the day of `today` (wall ms), or of the day that is written before it, in the time zone of this machine.
 * Who asks how it was at that time means its last instant: what happened within it has happened.
 */
export function momentOf(text: string, today: number = Date.now()): Moment {
  const { day, clock, seconds, fraction, zone } = momentForm.exec(text)?.groups ?? {};
  const date = day ?? dateTime(today).slice(0, 10);
  const first = Date.parse(
    `${date}T${clock ?? ''}${seconds ?? ':00'}${fraction ?? ''}${zone ?? ''}`,
  );
  if (!Number.isNaN(first)) return { first, last: first + widthOf(seconds, fraction) - shortest };
  throw new CliError(
    `${text} is no time`,
    'write it like 14:03:20, or 2026-05-01T14:03:20',
    Exit.usage,
  );
}
/** `--seconds`: undefined where it was left out. */
export function secondsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = parseNumber(text);
  if (seconds !== undefined && seconds >= 0) return seconds;
  throw new CliError(`--seconds ${text} is no number`, 'such as --seconds 30', Exit.usage);
}

/** Samples have times between two milliseconds. */
const shortest = 0.001;
/** How long what was written is, ms: a minute, a second, or as much as its last digit counts. */
function widthOf(seconds: string | undefined, fraction: string | undefined): number {
  if (fraction !== undefined) return 10 ** (4 - fraction.length);
  return seconds === undefined ? 60_000 : 1_000;
}
const momentForm =
  /^(?:(?<day>\d{4}-\d\d-\d\d)[T ])?(?<clock>\d\d:\d\d)(?:(?<seconds>:\d\d)(?<fraction>\.\d{1,3})?)?(?<zone>Z|[+-]\d\d:\d\d)?$/;
