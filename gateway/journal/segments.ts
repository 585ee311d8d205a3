import { groupBy } from '../contract/index.js';
import { limits } from '../limits.js';
import { encodeSegment } from './codec.js';
import { crc32c } from './crc.js';
import { type Entry, isBlock, sizeOf } from './entry.js';
import type { NewSegment } from './store.js';

/** In order, each as long as it takes to reach `bytes`; the last one may be shorter. */
function chunksOf(entries: readonly Entry[], bytes: number): readonly (readonly Entry[])[] {
  const chunks: Entry[][] = [];
  let size = Infinity;
  for (const entry of entries) {
    if (size >= bytes) {
      chunks.push([]);
      size = 0;
    }
    chunks.at(-1)?.push(entry);
    size += sizeOf(entry);
  }
  return chunks;
}

/** What goes into one transaction each; one at least, for what is no entry. */
export function partsOf(entries: readonly Entry[]): readonly (readonly Entry[])[] {
  const parts = chunksOf(entries, limits.commitBytes);
  return parts.length > 0 ? parts : [[]];
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
  return [...groupBy(entries, (entry) => entry.class).values()]
    .flatMap((group) => chunksOf(group, limits.segmentBytes))
    .map(segmentOf);
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
