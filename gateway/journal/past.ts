import { isBad } from '../contract/index.js';
import type { Block } from '../tags/block.js';
import { derivedDevice } from '../tags/table.js';
import { decodeSegment } from './codec.js';
import { type Entry, entryClasses, isBlock } from './entry.js';
import type { HistoryDisk } from './history.js';
import { firstPlace } from './search.js';
import type { SegmentInfo, Store } from './store.js';

/** One sample that the journal still has. */
export type PastSample = readonly [
  /** Wall ms. */
  at: number,
  tag: string,
  /** In the unit of the tag; null: there was none. */
  value: number | string | null,
  quality: number,
];
export interface PastPage {
  readonly samples: readonly PastSample[];
  /** Where the next page begins; undefined: that was all. */
  readonly next: number | undefined;
}
export interface PastSource {
  readonly disk: Pick<HistoryDisk, 'segments' | 'tail' | 'read'>;
  /** Names of the tags of a device as the dictionary of this revision has them. */
  readonly names: (revision: string) => readonly string[] | undefined;
}

/**
 * What is still on disk of reported samples, a page at a time, in the order of the journal. A page is what one
 * commit stored; `from` is where the page before ended, or 0. Samples of dictionaries that are gone, and those in
 * segments that are damaged, are left out.
 */
export async function pastPage({ disk, names }: PastSource, from: number): Promise<PastPage> {
  const segment = nextSegment(disk.segments(), from);
  const entries = segment ? await entriesOf(disk, segment) : disk.tail();
  const samples = entries.flatMap(({ pos, body }) =>
    pos >= from && isBlock(body) ? [...samplesOf(body, names)] : [],
  );
  return { samples, next: segment && segment.last + 1 };
}

/** The first segment of samples from a position on: there may be a million of them, in the order of positions. */
function nextSegment(segments: readonly SegmentInfo[], from: number): SegmentInfo | undefined {
  const place = firstPlace(segments.length, (at) => (segments[at]?.last ?? Infinity) < from);
  // Those of one commit interleave with each other: a few may be out of order.
  for (let at = Math.max(0, place - 2 * entryClasses.length); at < segments.length; at++) {
    const one = segments[at];
    if (one?.class === 'samples' && one.last >= from) return one;
  }
  return undefined;
}

async function entriesOf(disk: PastSource['disk'], { id }: SegmentInfo): Promise<readonly Entry[]> {
  const data = await disk.read(id);
  return data ? decodeSegment(data) : [];
}

/** The pages of a store that no gateway has open: opens it; who gave it closes it. */
export async function pastOfStore(store: Store): Promise<(from: number) => Promise<PastPage>> {
  const { segments, state } = await store.open();
  const ordered = [...segments].sort((a, b) => a.first - b.first);
  const disk: PastSource['disk'] = {
    segments: () => ordered,
    tail: () => [],
    read: (id) => store.read(id),
  };
  const dictionaries = new Map<string, readonly string[] | undefined>();
  const names = (revision: string): readonly string[] | undefined => {
    // Asked for each block: read once.
    if (!dictionaries.has(revision))
      dictionaries.set(revision, namesOf(state.get(dictionaryKey + revision)));
    return dictionaries.get(revision);
  };
  return (from) => pastPage({ disk, names }, from);
}

/** Under it and its revision the dictionary of a device stands among the states of a journal, as JSON. */
export const dictionaryKey = 'dict:';
function namesOf(json: string | undefined): readonly string[] | undefined {
  return json === undefined
    ? undefined
    : (JSON.parse(json) as { readonly names: readonly string[] }).names;
}

function* samplesOf(block: Block, names: PastSource['names']): Generator<PastSample> {
  // What rules made of the others they make again.
  if (block.device === derivedDevice) return;
  const known = names(block.revision);
  for (let i = 0; i < block.count; i++) {
    const name = known?.[block.indexes[i] ?? -1];
    if (name === undefined) continue;
    const quality = block.qualities[i] ?? 0xff;
    const wide = block.wide?.get(i);
    const number = block.numbers[i] ?? NaN;
    const value = typeof wide === 'bigint' ? Number(wide) : (wide ?? number);
    const isThere = !isBad(quality) && value === value;
    const at = (block.times[i] ?? NaN) + block.wallOffset;
    yield [at, `${block.device}.${name}`, isThere ? value : null, quality];
  }
}
