import type { Log } from '../contract/index.js';
import { limits } from '../limits.js';
import { decodeSegment } from './codec.js';
import type { Disk } from './disk.js';
import type { Entry, GapRecord } from './entry.js';
import { gapIn, gapsOf, isMemoryGap, mergeGaps } from './gaps.js';
import type { Readers } from './readers.js';
import { Retention, type RetentionBounds } from './retention.js';
import { corruptGap, lostWith } from './rotten.js';
import { shed } from './shed.js';
import type { JournalStats } from './stats.js';
import type { Room, SegmentInfo } from './store.js';
import type { Tail } from './tail.js';

export interface EvictorOptions {
  readonly bounds: RetentionBounds;
  readonly disk: Disk;
  readonly tail: Tail;
  readonly readers: Readers;
  readonly stats: JournalStats;
  readonly log: Log;
  readonly now: () => number;
  readonly isNeeded: (entry: Entry) => boolean;
  /** Entries of the transaction that is under way. */
  readonly writing: () => ReadonlySet<Entry>;
  /** Puts a record into the ledger of losses. */
  readonly append: (gap: GapRecord) => void;
}

export interface Retired {
  /** Ids of segments. */
  readonly remove: readonly number[];
  /** The file may not grow. */
  readonly short: boolean;
}

/** Decides what the journal lets go of, and writes each loss into the ledger. */
export class Evictor {
  readonly #o: EvictorOptions;
  readonly #retention: Retention;
  readonly #rotten = new Set<number>();
  #shedFrom: number = limits.tailBytes;

  constructor(options: EvictorOptions) {
    this.#o = options;
    this.#retention = new Retention(options.bounds);
  }

  /** Segments that may or must go: acknowledged by all, or evicted with a gap record. `isFull`: the disk took nothing at the last try. */
  async retire(room: Room | undefined, isFull: boolean): Promise<Retired> {
    if (!room) return { remove: [], short: false };
    const { disk, readers, tail, now } = this.#o;
    const { free, evict, short } = await this.#retention.judge(disk.segments, room.used, {
      now: now(),
      ageOf: ({ id }) => disk.ageOf(id),
      wanted: ({ first, last }) => readers.waitWithin(first, last),
      full: isFull,
      // Memory first: it is there for this.
      pressed: tail.bytes > limits.tailBytes * 0.75,
    });
    const carried: GapRecord[] = [];
    for (const { segment, why } of evict) carried.push(...(await this.#evict(segment, why)));
    this.#append(mergeGaps(carried));
    const gone = [...free, ...evict.map(({ segment }) => segment)];
    return { remove: gone.map(({ id }) => id), short };
  }

  /** The disk does not take anything: above the bound of memory the oldest samples go, and are counted. */
  shed(): void {
    const { tail, readers, stats, writing } = this.#o;
    if (tail.bytes <= this.#shedFrom) return;
    const { lost, gaps } = shed(tail, writing(), readers);
    stats.evicted += lost;
    // What cannot be shed must not be looked through at each entry.
    this.#shedFrom = Math.max(limits.tailBytes, tail.bytes * 1.05);
    this.#append(gaps);
  }

  /** Losses that only memory knows of. */
  get losses(): readonly GapRecord[] {
    return this.#o.tail.entries.filter(isMemoryGap).map(gapIn);
  }

  record(gaps: readonly GapRecord[]): void {
    for (const gap of gaps) this.#o.stats.evicted += gap.samples;
    this.#append(gaps);
  }

  /** A segment whose bytes have rotted: its entries are counted as lost, never sent. */
  async damaged(segment: SegmentInfo): Promise<void> {
    if (this.#rotten.has(segment.id)) return;
    this.#rotten.add(segment.id);
    const { log, disk, tail, readers } = this.#o;
    log.error('a journal segment is damaged; its entries are lost', { segment: segment.id });
    const lost = await lostWith(segment, disk, tail.entries);
    for (const [from, to] of lost.toJSON()) readers.dropped(from, to);
    this.record([corruptGap(segment)]);
  }

  /**
   * Writes into the ledger what is lost with this segment, for every sink that still waited for it.
   * @returns records of the ledger itself that were in the segment: they must be written again
   */
  async #evict(segment: SegmentInfo, why: GapRecord['why']): Promise<readonly GapRecord[]> {
    const { disk, readers, isNeeded } = this.#o;
    const data = await disk.read(segment.id);
    if (!data) {
      await this.damaged(segment);
      return [];
    }
    const entries = decodeSegment(data);
    const lost = entries.filter((entry) => isNeeded(entry) && readers.waitFor(entry.pos));
    for (const { pos } of entries) readers.dropped(pos, pos);
    if (segment.class === 'gap') return lost.map(gapIn);
    this.record(gapsOf(lost, why));
    return [];
  }

  #append(gaps: readonly GapRecord[]): void {
    for (const gap of gaps) this.#o.append(gap);
  }
}
