import { decodeSegment } from './codec.js';
import type { Disk } from './disk.js';
import { type Entry, type GapRecord, positionsPerEpoch } from './entry.js';
import { Intervals } from './intervals.js';
import type { SegmentInfo } from './store.js';

/**
 * Positions of which all that there was is lost with a segment whose bytes have rotted. Entries of other classes from the same
 * commit lie between them; those are well.
 */
export async function lostWith(
  { id, first, last }: SegmentInfo,
  disk: Disk,
  tail: readonly Entry[],
): Promise<Intervals> {
  const lost = Intervals.from([[first, last]]);
  for (const other of disk.segments) {
    if (other.id === id || other.first > last || other.last < first) continue;
    const data = await disk.read(other.id);
    for (const { pos } of data ? decodeSegment(data) : []) lost.remove(pos, pos);
  }
  for (const { pos } of tail) lost.remove(pos, pos);
  return lost;
}

/** What was in it nobody knows: the record names positions. */
export function corruptGap({ first, last, time }: SegmentInfo): GapRecord {
  const epoch = Math.floor(first / positionsPerEpoch);
  const [from, to] = [first % positionsPerEpoch, last % positionsPerEpoch];
  const about = { stream: '*', epoch, from, to, samples: 0, fromTime: time, toTime: time };
  return { ...about, why: 'corrupt' };
}
