import { Exit } from './exit.js';
import { CliError, dateTime } from './output.js';

/**
 * A time of this day, or of the day that is written before it, in the time zone of this machine, wall ms. What
 * is not written of it is over: 14:03 is its last millisecond, so that what happened within it has happened.
 */
export function momentOf(text: string): number {
  const { day, clock, seconds, fraction, zone } = momentForm.exec(text)?.groups ?? {};
  const date = day ?? dateTime(Date.now()).slice(0, 10);
  const begin = Date.parse(
    `${date}T${clock ?? ''}${seconds ?? ':00'}${fraction ?? ''}${zone ?? ''}`,
  );
  if (!Number.isNaN(begin)) return begin + (fraction ? 0 : seconds ? 999 : 59_999);
  throw new CliError(
    `${text} is no time`,
    'write it like 14:03:20, or 2026-05-01T14:03:20',
    Exit.usage,
  );
}
const momentForm =
  /^(?:(?<day>\d{4}-\d\d-\d\d)[T ])?(?<clock>\d\d:\d\d)(?:(?<seconds>:\d\d)(?<fraction>\.\d{1,3})?)?(?<zone>Z|[+-]\d\d:\d\d)?$/;
