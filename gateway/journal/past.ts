import { isBad } from '../contract/index.js';
import type { Block } from '../tags/block.js';
import { derivedDevice } from '../tags/table.js';
import { isBlock } from './entry.js';
import { type HistoryDisk, historyPart } from './history.js';
import { Intervals } from './intervals.js';
import type { Store } from './store.js';

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
  readonly disk: HistoryDisk;
  /** The first position that is not taken yet. */
  readonly end: () => number;
  /** Names of the tags of a device as the dictionary of this revision has them. */
  readonly names: (revision: string) => readonly string[] | undefined;
}

/**
 * What is still on disk of reported samples, a page at a time, in the order of the journal. A page is about one
 * commit; `from` is where the page before ended, or 0. Samples of dictionaries that are gone are left out.
 */
export async function pastPage({ disk, end, names }: PastSource, from: number): Promise<PastPage> {
  const before = end();
  const all = Intervals.from([[0, Number.MAX_SAFE_INTEGER]]);
  const { entries, until } = await historyPart(disk, from, before, all);
  const samples = entries.flatMap(({ body }) => (isBlock(body) ? [...samplesOf(body, names)] : []));
  return { samples, next: until < before ? until : undefined };
}

/** The pages of a store that no gateway has open: opens it; who gave it closes it. */
export async function pastOfStore(store: Store): Promise<(from: number) => Promise<PastPage>> {
  const { segments, state } = await store.open();
  const ordered = [...segments].sort((a, b) => a.first - b.first);
  const disk: HistoryDisk = {
    segments: () => ordered,
    tail: () => [],
    read: (id) => store.read(id),
    damaged: () => Promise.resolve(),
  };
  const names = (revision: string): readonly string[] | undefined =>
    namesOf(state.get(dictionaryKey + revision));
  const end = Math.max(-1, ...ordered.map(({ last }) => last)) + 1;
  return (from) => pastPage({ disk, end: () => end, names }, from);
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
