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
  disk: () => Promise<{ free: number; total: number } | undefined>;
}

/** What retention goes by, besides sizes. */
export interface Situation {
  /** Monotonic. */
  readonly now: number;
  /** How long a segment has existed, ms; not by a clock that may be set. */
  readonly ageOf: (segment: SegmentInfo) => number;
  /** Has some sink not acknowledged all of the segment? */
  readonly wanted: (segment: SegmentInfo) => boolean;
  /** The disk took nothing at the last try. */
  readonly full: boolean;
  /** Memory holds nearly what it may. */
  readonly pressed: boolean;
}

export interface Verdict {
  /** Others need the disk: the file may not grow. */
  readonly short: boolean;
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
  refusal: Infinity,
};

/** What a class may take of the journal, at most; together they leave samples the better part. */
const quotas: Readonly<Record<EntryClass, number>> = {
  samples: Infinity,
  event: 0.15,
  gap: 0.05,
  audit: 0.2,
  refusal: 0.02,
};

/** Which segments go: by class, oldest first, within bounds of bytes, age and free disk. */
export class Retention {
  readonly #bounds: RetentionBounds;
  #diskAt = -Infinity;
  #disk: { free: number; total: number } | undefined;

  constructor(bounds: RetentionBounds) {
    this.#bounds = bounds;
  }

  async judge(
    segments: readonly SegmentInfo[],
    usedBytes: number,
    { now, ageOf, wanted, full, pressed }: Situation,
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
    const short = (await this.#diskShortage(now)) > 0;
    // Deleting gives nothing back to others: it makes room inside the file, for what memory holds no longer.
    if ((full || short) && pressed && excess <= 0)
      [excess, why] = [Math.max(usedBytes * 0.1, 1), 'disk'];
    for (const segment of free) excess -= segment.bytes;
    for (const { segment } of evict) excess -= segment.bytes;
    const { over, within } = this.#byQuota(rest);
    for (const segment of over) {
      excess -= segment.bytes;
      evict.push({ segment, why: 'size' });
    }
    for (const segment of byWorth(within)) {
      if (excess <= 0) break;
      excess -= segment.bytes;
      evict.push({ segment, why });
    }
    return { free, evict, short };
  }

  /** What is more than the share of its class goes, oldest first: no class of records can push out another, or samples. */
  #byQuota(segments: readonly SegmentInfo[]): {
    readonly over: readonly SegmentInfo[];
    readonly within: readonly SegmentInfo[];
  } {
    const left = new Map(entryClasses.map((c) => [c, quotas[c] * this.#bounds.sizeBytes] as const));
    const within: SegmentInfo[] = [];
    const over: SegmentInfo[] = [];
    for (const segment of [...segments].sort((a, b) => b.first - a.first)) {
      const rest = (left.get(segment.class) ?? 0) - segment.bytes;
      left.set(segment.class, rest);
      (rest >= 0 ? within : over).push(segment);
    }
    return { over, within };
  }

  /** Bytes of which the file system has too little left; asked at most every ten seconds. */
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

/** Evicted in this order, where quotas do not help. */
const worth: readonly EntryClass[] = ['samples', 'refusal', 'event', 'gap', 'audit'];

/** The least worthy first: by class, then by age. */
function byWorth(segments: readonly SegmentInfo[]): readonly SegmentInfo[] {
  return [...segments].sort(
    (a, b) => worth.indexOf(a.class) - worth.indexOf(b.class) || a.first - b.first,
  );
}
