import { limits } from '../limits.js';
import type { Entry, GapRecord } from './entry.js';
import { gapIn, gapsOf, isMemoryGap, mergeGaps } from './gaps.js';
import type { Readers } from './readers.js';
import type { Tail } from './tail.js';

/**
 * The disk takes nothing, and memory is at its bound: the oldest goes. The ledger of it is kept short, for it grows as long as
 * the disk is away.
 * @returns samples that are lost, and the records of it that stand from now on
 */
export function shed(
  tail: Tail,
  writing: ReadonlySet<Entry>,
  readers: Readers,
): { readonly lost: number; readonly gaps: readonly GapRecord[] } {
  const gone = tail.excess(limits.tailBytes * 0.9, writing);
  const lost = gone.filter((entry) => readers.waitFor(entry.pos));
  const told = tail.entries.filter((entry) => isMemoryGap(entry) && !writing.has(entry));
  const waiting = told.filter(({ pos }) => readers.waitFor(pos));
  for (const entries of [gone, told]) {
    tail.take(entries);
    for (const { pos } of entries) readers.dropped(pos, pos);
  }
  const gaps = gapsOf(lost, 'memory');
  return {
    lost: gaps.reduce((sum, { samples }) => sum + samples, 0),
    gaps: mergeGaps([...waiting.map(gapIn), ...gaps]),
  };
}
