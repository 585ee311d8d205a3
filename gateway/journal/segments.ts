import { groupBy } from '../contract/index.js';
import { limits } from '../limits.js';
import { encodeSegment } from './codec.js';
import { crc32c } from './crc.js';
import { type Entry, isBlock, sizeOf } from './entry.js';
import type { NewSegment } from './store.js';

/** In order, none much larger than `limits.commitBytes`; one at least, for what is no entry. */
export function partsOf(entries: readonly Entry[]): readonly (readonly Entry[])[] {
  const parts: Entry[][] = [];
  let part: Entry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    part.push(entry);
    bytes += sizeOf(entry);
    if (bytes < limits.commitBytes) continue;
    parts.push(part);
    part = [];
    bytes = 0;
  }
  if (part.length > 0 || parts.length === 0) parts.push(part);
  return parts;
}

/** All records, and as many samples as have room in so many bytes. */
export function fitting(
  entries: readonly Entry[],
  bytes: number = Infinity,
): { readonly written: readonly Entry[]; readonly held: readonly Entry[] } {
  if (bytes === Infinity) return { written: entries, held: [] };
  let left = bytes;
  const written: Entry[] = [];
  const held: Entry[] = [];
  for (const entry of entries) {
    left -= sizeOf(entry);
    (left > 0 || !isBlock(entry.body) ? written : held).push(entry);
  }
  return { written, held };
}

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
