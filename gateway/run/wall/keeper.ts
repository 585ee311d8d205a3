import { type GapRecord, streamOf } from '../../journal/entry.js';
import { joined } from '../../journal/gaps.js';
import type { Safe } from '../../journal/options.js';
import type { Resume } from '../../journal/numbers.js';
import { limits } from '../../limits.js';
import type { Numbered, WallEntry } from './entries.js';

/** What may be given; losses are made here. */
export type Given = Exclude<WallEntry, { readonly type: 'lost' }>;

interface Kept extends Numbered {
  /** Sequences that it takes in its stream. */
  readonly stream: string;
  readonly seq: number;
  readonly count: number;
  readonly bytes: number;
}

/** What a journal that was killed is to go on with. */
export interface Again extends Resume {
  readonly losses: readonly GapRecord[];
}

/** Positions that a journal may have given to records of its own since it was heard of last. */
const ownRecords = 4_096;

/**
 * Keeps what goes into the journal until it is safe there: the half that has the journal can be killed at any time, and
 * gets the rest once more. Bounded: the oldest samples go first, and leave a record of their loss in their place.
 */
export class Keeper {
  #entries: Kept[] = [];
  #n = 0;
  #bytes = 0;
  /** Last sequence by stream: of all that was given, and of what is safe. */
  readonly #given = new Map<string, number>();
  readonly #safe = new Map<string, number>();
  #counter = 0;
  #losses: readonly GapRecord[] = [];
  readonly #epoch: () => number;
  /** Samples that were let go of here. */
  lost = 0;

  /** @param epoch that of this boot, once it is known */
  constructor(epoch: () => number) {
    this.#epoch = epoch;
  }

  /** Everything that is not safe, oldest first. */
  get entries(): readonly Numbered[] {
    return this.#entries;
  }
  get bytes(): number {
    return this.#bytes;
  }

  add(entry: Given): Numbered {
    const stream = streamOfEntry(entry);
    const count = entry.type === 'block' ? entry.block.count : 1;
    const seq = (this.#given.get(stream) ?? 0) + 1;
    this.#given.set(stream, seq + count - 1);
    const kept: Kept = { n: ++this.#n, entry, stream, seq, count, bytes: sizeOf(entry) };
    this.#entries.push(kept);
    this.#bytes += kept.bytes;
    if (this.#bytes > limits.wallBytes) this.#shed();
    return kept;
  }

  /** The journal has begun, late: what was lost before is of this epoch, too. */
  begun(epoch: number): void {
    this.#entries = this.#entries.map((one) =>
      one.entry.type === 'lost' && one.entry.gap.epoch !== epoch
        ? { ...one, entry: { ...one.entry, gap: { ...one.entry.gap, epoch } } }
        : one,
    );
  }

  /** The first entry behind a number. */
  after(n: number): Numbered | undefined {
    // Nearly always the last one was sent.
    const last = this.#entries.at(-1);
    if (!last || last.n <= n) return undefined;
    let low = 0;
    let high = this.#entries.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#entries[middle] as Kept).n > n) high = middle;
      else low = middle + 1;
    }
    return this.#entries[low];
  }

  /** The journal has everything up to a number. */
  safe({ upTo, counter, losses }: Safe): void {
    this.#counter = counter;
    this.#losses = losses;
    let gone = 0;
    for (const { n, stream, seq, count, bytes } of this.#entries) {
      if (n > upTo) break;
      gone++;
      this.#bytes -= bytes;
      this.#safe.set(stream, seq + count - 1);
    }
    this.#entries.splice(0, gone);
  }

  /** What the journal goes on with when it comes back; {@link entries} follow. */
  again(): Again {
    return {
      epoch: this.#epoch(),
      sequences: this.#safe,
      counter: this.#counter + this.#entries.length + ownRecords,
      given: this.#n,
      losses: this.#losses,
    };
  }

  /** The oldest samples go, to nine tenths of the bound. What was lost of a stream before becomes one with it. */
  #shed(): void {
    const lostOf = new Map<string, { readonly gap: GapRecord; readonly at: Kept }>();
    const kept: Kept[] = [];
    let over = this.#bytes - limits.wallBytes * 0.9;
    for (const one of this.#entries) {
      const { entry, stream } = one;
      const isLost = entry.type === 'lost';
      if (!isLost && (entry.type !== 'block' || over <= 0)) {
        kept.push(one);
        continue;
      }
      if (!isLost) {
        this.lost += one.count;
        over -= one.bytes;
      }
      this.#bytes -= one.bytes;
      const before = lostOf.get(stream);
      const own = isLost ? entry.gap : this.#gapOf(one);
      const gap = before ? joined(before.gap, own) : own;
      const bytes = recordBytes;
      const made: Kept = { ...one, entry: { type: 'lost', gap }, seq: gap.from, bytes };
      const whole = { ...made, n: before?.at.n ?? one.n, count: gap.to - gap.from + 1 };
      if (before) kept[kept.indexOf(before.at)] = whole;
      else {
        kept.push(whole);
        this.#bytes += bytes;
      }
      lostOf.set(stream, { gap, at: whole });
    }
    this.#entries = kept;
  }

  #gapOf({ stream, seq, count, entry }: Kept): GapRecord {
    const time = entry.type === 'lost' ? 0 : entry.time;
    const about = { stream, epoch: this.#epoch(), fromTime: time, toTime: time };
    return { ...about, from: seq, to: seq + count - 1, samples: count, why: 'memory' };
  }
}

function streamOfEntry(entry: Given): string {
  return entry.type === 'block' ? streamOf('samples', entry.block) : entry.type;
}

/** Of a record, about. */
const recordBytes = 512;

function sizeOf(entry: WallEntry): number {
  return entry.type === 'block' ? entry.block.count * 24 + 160 : recordBytes;
}
