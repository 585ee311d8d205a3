import { GatewayError, type Evidence, type RuleEvent, type WallMs } from '../contract/index.js';
import { wall } from '../contract/index.js';
import { limits } from '../limits.js';
import type { TripRecord } from './black-box.js';

/** Records of trips that are kept, each under its name. */
export interface TripShelf {
  save: (name: string, json: string) => Promise<void>;
  /** Names of all that are kept. */
  names: () => Promise<readonly string[]>;
  /** Undefined: it has gone meanwhile. */
  load: (name: string) => Promise<string | undefined>;
}

/** A trip of which there is a record. */
export interface RecordedTrip {
  readonly time: WallMs;
  readonly text: string;
  /** From and to, wall ms. */
  readonly covers: readonly [from: WallMs, to: WallMs];
}

/** Why a rule was as it was at a time of which there is a record. */
export interface PastExplanation {
  readonly rule: string;
  readonly at: WallMs;
  readonly state: string;
  /** Wall time of the change into that state; undefined: before the record begins. */
  readonly since: WallMs | undefined;
  /** What was told of that change. */
  readonly text: string | undefined;
  readonly evidence: readonly Evidence[];
  /** Tags that the rule reads or sets, as they stood then. */
  readonly tags: readonly {
    readonly tag: string;
    readonly value: unknown;
    readonly quality: string;
    readonly time: WallMs;
  }[];
  readonly trip: RecordedTrip;
  readonly source: string;
  readonly hash: string;
}

/** Trips of a rule of which there are records, oldest first. */
export async function tripsOf(shelf: TripShelf, rule: string): Promise<readonly RecordedTrip[]> {
  const trips: RecordedTrip[] = [];
  for (const name of await namesOf(shelf, rule)) {
    // One at a time: a record may hold thousands of samples.
    const record = await recordOf(shelf, name, rule);
    if (record) trips.push(tripOf(record));
  }
  return trips;
}

/** Names of the records that may be of this rule, oldest first. */
async function namesOf(shelf: TripShelf, rule: string): Promise<readonly string[]> {
  const own = (await shelf.names()).filter((name) => name.startsWith(plainName(`${rule}-`)));
  return own.sort((a, b) => timeIn(a) - timeIn(b));
}
function timeIn(name: string): number {
  return Number(/-(\d+)$/.exec(name)?.[1] ?? NaN);
}

/** Undefined: it is of another rule, has gone, or is no record any more. */
async function recordOf(
  shelf: TripShelf,
  name: string,
  rule: string,
): Promise<TripRecord | undefined> {
  try {
    const record = JSON.parse((await shelf.load(name)) ?? 'null') as TripRecord | null;
    const isWhole =
      record?.rule === rule &&
      [record.covers, record.samples, record.events].every(Array.isArray) &&
      typeof record.event.text === 'string';
    return isWhole ? record : undefined;
  } catch {
    return undefined;
  }
}

/** As the name of a file. */
export function plainName(name: string): string {
  return name.replace(/[^A-Za-z0-9_.-]/g, '_');
}

/** Answers for the time `at`, wall ms. Throws where no record covers it. */
export async function whyThen(
  shelf: TripShelf,
  rule: string,
  at: number,
): Promise<PastExplanation> {
  const names = await namesOf(shelf, rule);
  const away = (name: string): number => Math.abs(timeIn(name) - at);
  for (const name of [...names].sort((a, b) => away(a) - away(b))) {
    if (away(name) > Math.max(limits.tripBeforeMs, limits.tripAfterMs)) break;
    const record = await recordOf(shelf, name, rule);
    if (record && at >= fromOf(record) && at <= toOf(record)) return explain(record, at);
  }
  const trips = names.length === 1 ? 'trip' : 'trips';
  const what = `none of the ${names.length} recorded ${trips} of ${rule} was near that time`;
  throw new GatewayError('no-record', what);
}

function explain(record: TripRecord, at: number): PastExplanation {
  const { rule, source, hash } = record;
  // Its alarm has the same name, and bypasses are news that change nothing.
  const own = record.events.filter(
    (one) => one.rule === rule && one.kind === record.event.kind && one.from !== one.to,
  );
  const last = own.findLast(({ time }) => time <= at);
  return {
    rule,
    at: wall(at),
    state: last?.to ?? own[0]?.from ?? '',
    since: last?.time,
    text: last?.text,
    evidence: last?.evidence ?? [],
    tags: tagsThen(record, at - record.time),
    trip: tripOf(record),
    source,
    hash,
  };
}

function tripOf(record: TripRecord): RecordedTrip {
  const { text }: RuleEvent = record.event;
  return {
    time: wall(record.time),
    text,
    covers: [wall(fromOf(record)), wall(toOf(record))],
  };
}

function fromOf({ time, covers }: TripRecord): number {
  return time + covers[0];
}
function toOf({ time, covers }: TripRecord): number {
  return time + covers[1];
}

function tagsThen({ samples, time }: TripRecord, at: number): PastExplanation['tags'] {
  const found = new Map<string, PastExplanation['tags'][number]>();
  for (const [when, tag, value, quality] of samples)
    if (when <= at) found.set(tag, { tag, value, quality, time: wall(time + when) });
  return [...found.values()].sort((a, b) => (a.tag < b.tag ? -1 : 1));
}
