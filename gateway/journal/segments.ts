import { groupBy } from '../contract/index.js';
import { limits } from '../limits.js';
import { encodeSegment } from './codec.js';
import { crc32c } from './crc.js';
import { type Entry, sizeOf } from './entry.js';
import type { NewSegment } from './store.js';

/** Packs entries into segments: one class each, none much larger than `limits.segmentBytes`. */
export function segmentsOf(entries: readonly Entry[]): readonly NewSegment[] {
  const segments: NewSegment[] = [];
  for (const group of groupBy(entries, (entry) => entry.class).values()) {
    let part: Entry[] = [];
    let bytes = 0;
    for (const entry of group) {
      part.push(entry);
      bytes += sizeOf(entry);
      if (bytes < limits.segmentBytes) continue;
      segments.push(segmentOf(part));
      part = [];
      bytes = 0;
    }
    if (part.length > 0) segments.push(segmentOf(part));
  }
  return segments;
}

function segmentOf(entries: readonly Entry[]): NewSegment {
  const data = encodeSegment(entries);
  const [first] = entries;
  return {
    class: first?.class ?? 'samples',
    first: first?.pos ?? 0,
    last: entries.at(-1)?.pos ?? 0,
    time: first?.time ?? 0,
    crc: crc32c(data),
    data,
  };
}
