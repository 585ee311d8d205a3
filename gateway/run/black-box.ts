import {
  formatDuration,
  jsonValue,
  qualityText,
  type Log,
  type RuleEvent,
  type RuleProgram,
  type Steps,
} from '../contract/index.js';
import { limits } from '../limits.js';
import { type TagImage, valueOf } from '../tags/image.js';
import { Kind } from '../tags/table.js';
import { plainName, type TripShelf } from './past-why.js';
import { type RingView, SampleRing } from './sample-ring.js';

/** A trip with what was before and after it, for whoever has to explain it. */
export interface TripRecord {
  readonly rule: string;
  /** Wall ms. */
  readonly time: number;
  readonly event: RuleEvent;
  readonly hash: string;
  readonly source: string;
  /** The other rules' states at the trip. */
  readonly states: Readonly<Record<string, string>>;
  /** What happened to rules in the time that is covered. */
  readonly events: readonly RuleEvent[];
  /** `[ms from the trip, tag, value, quality]`, oldest first; the first of a tag is what stood at the start. */
  readonly samples: readonly (readonly [
    ms: number,
    tag: string,
    value: unknown,
    quality: string,
  ])[];
  /** From and to, ms from the trip. */
  readonly covers: readonly [from: number, to: number];
}

export interface BlackBoxOptions {
  readonly log: Log;
  readonly states: () => ReadonlyMap<string, string>;
  /** Where records are kept; old ones go when there are too many. */
  readonly shelf: Pick<TripShelf, 'save'>;
}

/** What was recorded under one configuration: positions mean something in it only. */
interface Tape {
  readonly image: TagImage;
  readonly watched: Watched;
  readonly samples: SampleRing;
  /** Since when its tags are watched, monotonic ms. */
  readonly since: number;
  /** Until when. */
  until: number;
}

interface Open {
  readonly tape: Tape;
  readonly rule: string;
  readonly event: RuleEvent;
  readonly at: number;
  readonly states: Readonly<Record<string, string>>;
  /** The record as it is begun is on its way to the shelf; undefined: not yet. */
  begun: Promise<boolean> | undefined;
}

/**
 * Remembers the last minute of every tag that an interlock reads or sets. When one trips it is written to a file at
 * once, for the crash right after a trip is the one that is asked about, and again with the half minute that follows.
 * Bounded: a plant that changes faster than the bound has a shorter memory, and the file says from when to when it
 * covers.
 */
export class BlackBox {
  readonly #o: BlackBoxOptions;
  #tape: Tape;
  #times: Float64Array;
  #qualities: Uint8Array;
  #events: { readonly at: number; readonly event: RuleEvent }[] = [];
  #open: Open[] = [];

  constructor(image: TagImage, watched: Watched, options: BlackBoxOptions) {
    this.#o = options;
    this.#tape = tapeOf(image, watched, -Infinity);
    [this.#times, this.#qualities] = unseen(watched);
  }

  /** The configuration changed: what is recorded from now on refers to other positions. Open records end here. */
  replace(image: TagImage, watched: Watched, now: number): void {
    this.#tape.until = now;
    this.#tape = tapeOf(image, watched, now);
    [this.#times, this.#qualities] = unseen(watched);
  }

  /** The gateway stops: what is being recorded is written as far as it goes. */
  async close(now: number): Promise<void> {
    const open = this.#open;
    this.#open = [];
    await Promise.all(open.map((one) => this.#complete(one, now)));
  }

  /** Once a tick, after the rules ran. */
  tick(events: readonly RuleEvent[], now: number): void {
    this.#record(now);
    for (const event of events) this.#events.push({ at: now, event });
    const trips = events.filter(isTrip);
    if (trips.length > 0) this.#begin(trips, now);
    if (this.#open.length > 0) {
      this.#writeFirst(now);
      this.#close(now);
    }
    this.#forget(now);
  }

  #record(now: number): void {
    const { image, watched, samples } = this.#tape;
    const { times, qualities, numbers, wide } = image;
    const { positions } = watched;
    for (let i = 0; i < positions.length; i++) {
      const tag = positions[i] as number;
      const time = times[tag] as number;
      const quality = qualities[tag] as number;
      // A value goes stale without being asked for again.
      if (time === (this.#times[i] as number) && quality === (this.#qualities[i] as number))
        continue;
      this.#times[i] = time;
      this.#qualities[i] = quality;
      samples.push(now, tag, numbers[tag] as number, wide[tag], quality);
    }
  }

  #begin(trips: readonly RuleEvent[], now: number): void {
    // One copy for all trips of one tick: a plant that goes down trips by the dozen.
    const states = Object.fromEntries(this.#o.states());
    for (const event of trips) {
      const { rule } = event;
      if (this.#open.length < limits.openTripRecords)
        this.#open.push({ tape: this.#tape, rule, event, at: now, states, begun: undefined });
      else this.#o.log.warn('too many trips at once: this one has no record', { rule });
    }
  }

  /** What is known up to now, a few at a time. */
  #writeFirst(now: number): void {
    const waiting = this.#open.filter(({ begun }) => begun === undefined);
    for (const open of waiting.slice(0, limits.tripsBegunAtOnce))
      open.begun = this.#write(open, now);
  }

  #close(now: number): void {
    // A few at a time: putting a record together takes a while, and the next trip must not wait for it.
    const ready = this.#open
      .filter(({ at, tape }) => now >= Math.min(at + limits.tripAfterMs, tape.until))
      .slice(0, limits.tripRecordsAtOnce);
    if (ready.length === 0) return;
    this.#open = this.#open.filter((one) => !ready.includes(one));
    for (const open of ready) void this.#complete(open, now);
  }

  /** Drops events that are older than any record needs. */
  #forget(now: number): void {
    if (this.#events.length === 0) return;
    const oldest = Math.min(now, ...this.#open.map(({ at }) => at)) - limits.tripBeforeMs;
    while ((this.#events[0]?.at ?? now) < oldest) this.#events.shift();
    while (this.#events.length > limits.tripEvents) this.#events.shift();
  }

  async #complete(open: Open, now: number): Promise<void> {
    if (!(await this.#write(open, now))) return;
    const covered = untilOf(open, now) - open.at;
    this.#o.log.info('trip recorded', { rule: open.rule, after: formatDuration(covered) });
  }

  /** Was it written? Never rejects: a record that cannot be is told. */
  async #write(open: Open, now: number): Promise<boolean> {
    const { rule, event, at, tape } = open;
    const { samples, since } = tape;
    const { program } = tape.watched;
    const about = program.describe(rule);
    const tags = new Set(program.watched(rule));
    const from = Math.max(at - limits.tripBeforeMs, since, samples.lostUntil);
    const until = untilOf(open, now);
    const record: TripRecord = {
      rule,
      time: event.time,
      event,
      hash: about?.hash ?? '',
      source: about?.source ?? '',
      states: open.states,
      events: this.#events
        .filter((one) => one.at >= from && one.at <= until)
        .map((one) => one.event),
      samples: [...samples.between(from, until)]
        .filter((one) => tags.has(one.tag))
        .map((one) => lineOf(tape.image, one, at)),
      covers: [Math.round(from - at), Math.round(until - at)],
    };
    // Put together at once: the next tick forgets what no open record needs. Kept after what was begun.
    await open.begun;
    const name = plainName(`${rule}-${Math.round(event.time)}`);
    try {
      await this.#o.shelf.save(name, JSON.stringify(record));
      return true;
    } catch (error) {
      this.#o.log.warn('a trip record could not be written', { rule, why: String(error) });
      return false;
    }
  }
}

/** The record ends half a minute after the trip, or with its configuration. */
function untilOf({ at, tape }: Open, now: number): number {
  return Math.min(now, at + limits.tripAfterMs, tape.until);
}

function lineOf({ table }: TagImage, one: RingView, at: number): TripRecord['samples'][number] {
  const value = valueOf(table.kinds[one.tag] ?? Kind.number, one.number, one.wide);
  const name = table.tags[one.tag]?.name ?? '';
  return [Math.round(one.at - at), name, jsonValue(value), qualityText(one.quality)];
}

function tapeOf(image: TagImage, watched: Watched, since: number): Tape {
  const samples = new SampleRing(limits.tripSamples);
  return { image, watched, samples, since, until: Infinity };
}

function isTrip({ kind, to }: RuleEvent): boolean {
  return (kind === 'interlock' || kind === 'group') && to === 'TRIPPED';
}

/** The tags that trips of a program are about. */
export interface Watched {
  readonly program: RuleProgram;
  /** Positions in the image. */
  readonly positions: Int32Array;
}

/** Finds them, a rule a step. */
export function* watch(program: RuleProgram): Steps<Watched> {
  const found = new Set<number>();
  for (const id of program.ids) {
    for (const tag of program.watched(id)) found.add(tag);
    yield;
  }
  return { program, positions: Int32Array.from(found) };
}

/** When each of them was seen last. */
function unseen({ positions: { length } }: Watched): [times: Float64Array, qualities: Uint8Array] {
  return [new Float64Array(length).fill(NaN), new Uint8Array(length)];
}
