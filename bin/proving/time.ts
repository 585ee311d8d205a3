const isoForm =
  /^(?<date>\d{4}-\d\d-\d\d)[T ](?<clock>\d\d:\d\d)(?<seconds>:\d\d)?(?<fraction>[.,]\d+)?\s?(?<zone>Z|[+-]\d\d(?::?\d\d)?)?$/i;
const dateForm = /^\d{4}-\d\d-\d\d$/;

/** Numbers below this are seconds since 1970, from here on milliseconds. */
const leastMilliseconds = 1e11;
const day = 86_400_000;

/** A time of a record, wall ms; or why it is none, and what to write instead. */
export type RecordTime =
  { readonly at: number } | { readonly wrong: string; readonly hint: string };

/**
 * ISO 8601 with a time zone, or seconds or milliseconds since 1970. Everything else is refused: 03/04/2026 is two
 * days, and a time without a zone is another one on another machine.
 */
export function recordTime(text: string): RecordTime {
  if (/^\d+(\.\d+)?$/.test(text)) {
    const number = Number(text);
    return { at: number < leastMilliseconds ? number * 1000 : number };
  }
  const parts = isoForm.exec(text)?.groups;
  if (!parts) return { wrong: `${text === '' ? 'nothing' : text} is no time`, hint: example(text) };
  const { date = '', clock = '', seconds = ':00', fraction = '', zone } = parts;
  const local = `${date}T${clock}${seconds}`;
  const utc = Date.parse(`${local}Z`);
  // Date.parse takes the 30th of February for the 2nd of March.
  const isReal = !Number.isNaN(utc) && new Date(utc).toISOString().startsWith(local);
  if (!isReal) return { wrong: `${text}: there is no such day or time`, hint: example('') };
  if (zone === undefined)
    return { wrong: `${text} has no time zone`, hint: `write ${local}Z, or ${local}+02:00` };
  const ms = fraction === '' ? 0 : Number(`0.${fraction.slice(1)}`) * 1000;
  const offset = offsetOf(zone);
  if (Math.abs(offset) >= day)
    return { wrong: `${text}: there is no such zone`, hint: example('') };
  return { at: utc + ms - offset };
}

function example(text: string): string {
  const date = dateForm.test(text) ? text : '2026-05-01';
  return `write it like ${date}T14:03:20Z or ${date}T14:03:20+02:00, or as seconds or milliseconds since 1970`;
}

/** `+02:00`, `+0200` and `+02` in ms; `Z` is 0. */
function offsetOf(zone: string): number {
  const [, sign = '+', hours = '0', minutes = '0'] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? [];
  const size = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return sign === '-' ? -size : size;
}
