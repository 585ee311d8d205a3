import { GatewayError, type Evidence, type RuleEvent, type WallMs } from '../contract/index.js';
import { wall } from '../contract/index.js';
import type { TripRecord } from './black-box.js';

/** Records of trips that are kept, each under its name. */
export interface TripShelf {
  save(name: string, json: string): Promise<void>;
  /** Names of all that are kept. */
  names(): Promise<readonly string[]>;
  /** Undefined: it has gone meanwhile. */
  load(name: string): Promise<string | undefined>;
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
export async function recordsOf(shelf: TripShelf, rule: string): Promise<readonly TripRecord[]> {
  const found: TripRecord[] = [];
  for (const name of await shelf.names()) {
    const json = name.startsWith(plainName(`${rule}-`)) ? await shelf.load(name) : undefined;
    const record = json === undefined ? undefined : (JSON.parse(json) as TripRecord);
    if (record?.rule === rule) found.push(record);
  }
  return found.sort((a, b) => a.time - b.time);
}

/** As the name of a file. */
export function plainName(name: string): string {
  return name.replace(/[^A-Za-z0-9_.-]/g, '_');
}

/** Answers for the time `at`, wall ms. Throws where no record covers it. */
export function whyThen(rule: string, records: readonly TripRecord[], at: number): PastExplanation {
  const covering = records.filter((one) => at >= fromOf(one) && at <= toOf(one));
  const nearest = covering.sort((a, b) => Math.abs(a.time - at) - Math.abs(b.time - at))[0];
  if (!nearest) {
    const trips = records.length === 1 ? 'trip' : 'trips';
    const what = `none of the ${records.length} recorded ${trips} of ${rule} was near that time`;
    throw new GatewayError('bad-request', what);
  }
  const { source, hash } = nearest;
  const own = nearest.events.filter((event) => event.rule === rule);
  const last = own.findLast(({ time }) => time <= at);
  return {
    rule,
    at: wall(at),
    state: last?.to ?? own[0]?.from ?? '',
    since: last?.time,
    text: last?.text,
    evidence: last?.evidence ?? [],
    tags: tagsThen(nearest, at - nearest.time),
    trip: tripOf(nearest),
    source,
    hash,
  };
}

export function tripOf(record: TripRecord): RecordedTrip {
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
