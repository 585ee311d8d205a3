import { type EntryClass, entryClasses } from './entry.js';
import type { SegmentInfo } from './store.js';

export interface RetentionBounds {
  /** Most bytes on disk. */
  readonly sizeBytes: number;
  /** Oldest entry kept, ms. */
  readonly age: number;
  /** How long acknowledged samples are kept for local history, ms; undefined = not at all. */
  readonly historyKeep: number | undefined;
  /** Share of the file system that must stay free, 0..1. */
  readonly freeDisk: number;
  /** Free and total bytes of the file system; undefined where nobody can tell. */
  disk(): Promise<{ free: number; total: number } | undefined>;
}

export interface Verdict {
  /** Nobody needs these any more. */
  readonly free: readonly SegmentInfo[];
  /** Somebody may still need these, but they must go. */
  readonly evict: readonly { segment: SegmentInfo; why: 'size' | 'age' | 'disk' }[];
}

/** How long records that everybody has are kept for local questions (`why`, audit). */
const recordKeepMs: Readonly<Record<EntryClass, number>> = {
  samples: 0,
  event: 0,
  gap: 0,
  audit: Infinity,
};

/** Which segments go: by class, oldest first, within bounds of bytes, age and free disk. */
export class Retention {
  readonly #bounds: RetentionBounds;
  #diskAt = -Infinity;
  #disk: { free: number; total: number } | undefined;

  constructor(bounds: RetentionBounds) {
    this.#bounds = bounds;
  }

  /**
   * @param now monotonic
   * @param ageOf how long a segment has existed, ms; not by a clock that may be set
   * @param wanted has some sink not acknowledged all of the segment?
   * @param full the disk took nothing at the last try: a tenth must go whatever the figures say
   */
  async judge(
    segments: readonly SegmentInfo[],
    usedBytes: number,
    now: number,
    ageOf: (segment: SegmentInfo) => number,
    wanted: (segment: SegmentInfo) => boolean,
    full: boolean,
  ): Promise<Verdict> {
    const free: SegmentInfo[] = [];
    const evict: { segment: SegmentInfo; why: 'size' | 'age' | 'disk' }[] = [];
    const rest: SegmentInfo[] = [];
    for (const segment of segments) {
      const age = ageOf(segment);
      const keep =
        segment.class === 'samples' ? (this.#bounds.historyKeep ?? 0) : recordKeepMs[segment.class];
      if (!wanted(segment) && age >= keep) free.push(segment);
      else if (age > this.#bounds.age) evict.push({ segment, why: 'age' });
      else rest.push(segment);
    }
    let excess = usedBytes - this.#bounds.sizeBytes * 0.9;
    let why: 'size' | 'disk' = 'size';
    const short = await this.#diskShortage(now);
    if (short > excess) [excess, why] = [short, 'disk'];
    if (full && excess <= 0) [excess, why] = [Math.max(usedBytes * 0.1, 1), 'disk'];
    for (const segment of free) excess -= segment.bytes;
    for (const { segment } of evict) excess -= segment.bytes;
    for (const segment of byWorth(rest)) {
      if (excess <= 0) break;
      excess -= segment.bytes;
      evict.push({ segment, why });
    }
    return { free, evict };
  }

  /** Bytes that other programs need us to give back; asked at most every ten seconds. */
  async #diskShortage(now: number): Promise<number> {
    if (this.#bounds.freeDisk <= 0) return 0;
    if (now - this.#diskAt > 10_000) {
      this.#disk = await this.#bounds.disk();
      this.#diskAt = now;
    }
    if (!this.#disk) return 0;
    return this.#disk.total * this.#bounds.freeDisk - this.#disk.free;
  }
}

/** The least worthy first: by class, then by age. */
function byWorth(segments: readonly SegmentInfo[]): readonly SegmentInfo[] {
  return [...segments].sort(
    (a, b) => entryClasses.indexOf(a.class) - entryClasses.indexOf(b.class) || a.first - b.first,
  );
}
