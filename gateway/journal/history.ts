import { decodeSegment } from './codec.js';
import type { Entry } from './entry.js';
import type { Intervals } from './intervals.js';
import type { HistoryPart } from './sink-reader.js';
import type { SegmentInfo } from './store.js';

/** The journal as the history lanes see it; what it gives may change while something is read. */
export interface HistoryDisk {
  segments: () => readonly SegmentInfo[];
  /** What is not on disk yet. */
  tail: () => readonly Entry[];
  read: (id: number) => Promise<Uint8Array | undefined>;
  /** The bytes of a segment have rotted: its entries are to be counted as lost. */
  damaged: (segment: SegmentInfo) => Promise<void>;
}

/**
 * See {@link HistorySource.history}. One commit makes a segment for each class, so positions interleave:
 * the stretch up to the end of one segment is taken from all segments that reach into it, or entries of
 * the others would be passed over and forgotten.
 */
export async function historyPart(
  disk: HistoryDisk,
  from: number,
  before: number,
  wanted: Intervals,
): Promise<HistoryPart> {
  const inReach = (entry: Entry): boolean =>
    entry.pos >= from && entry.pos < before && wanted.has(entry.pos);
  for (let start = from; ;) {
    const last = endOfNext(disk.segments(), start, before, wanted);
    if (last === undefined) return { entries: disk.tail().filter(inReach), until: before };
    const read = new Set<number>();
    const found: Entry[] = [];
    for (
      let part = unread(disk.segments(), start, last, read);
      part !== undefined;
      part = unread(disk.segments(), start, last, read)
    ) {
      read.add(part.id);
      const data = await disk.read(part.id);
      if (data) found.push(...decodeSegment(data));
      else if (disk.segments().includes(part)) await disk.damaged(part);
    }
    const entries = [...found, ...disk.tail()].filter((e) => inReach(e) && e.pos <= last);
    // Not beyond `before`: what follows in the same segment goes by the live lane, and is not missing.
    const until = Math.min(last + 1, before);
    if (entries.length > 0) return { entries: entries.sort((a, b) => a.pos - b.pos), until };
    start = last + 1;
  }
}

/** Where the first segment ends that holds something wanted; of several that interleave the shortest. */
function endOfNext(
  segments: readonly SegmentInfo[],
  from: number,
  before: number,
  wanted: Intervals,
): number | undefined {
  let end: number | undefined;
  for (const { first, last } of segments) {
    const next = wanted.next(Math.max(from, first));
    if (next !== undefined && next <= last && next < before) end = Math.min(end ?? Infinity, last);
  }
  return end;
}

function unread(
  segments: readonly SegmentInfo[],
  from: number,
  last: number,
  read: ReadonlySet<number>,
): SegmentInfo | undefined {
  return segments.find((s) => s.first <= last && s.last >= from && !read.has(s.id));
}
