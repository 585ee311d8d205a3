import type { Log, RetainedStates } from '../../contract/index.js';
import { asGatewayError } from '../../contract/index.js';
import { crc32c } from '../../journal/crc.js';
import { lastEpoch } from '../../journal/states.js';
import { notesIn } from './notes.js';
import { seal, unseal } from './sealed.js';
import {
  memoryVersion,
  readAnchor,
  readSnapshot,
  type Anchor,
  type Read,
  type Snapshot,
} from './snapshot.js';
import { judge, type Finding, type Verdict } from './verdict.js';

/** Places in the state folder: where memory must reach, and the second copy of it, in two files that take turns. */
export const memoryPlaces = ['anchor', 'memory-a', 'memory-b'] as const;
export type MemoryPlace = (typeof memoryPlaces)[number];

/** The state folder. */
export interface MemoryFiles {
  /** Bytes; undefined: there is no such file. Rejects where the disk does not say. */
  read: (place: MemoryPlace) => Promise<Uint8Array | undefined>;
  /** Durable when it settles: after a power cut there is the old or the new one. */
  replace: (place: MemoryPlace, bytes: Uint8Array) => Promise<void>;
  /** Keeps what is there under another name. @returns that name */
  setAside: (place: MemoryPlace) => Promise<string>;
}

/** Rows of the journal that hold the first copy; the first and the last as the first version had them. */
export const memoryKeys = { states: 'rules', rest: 'memory', mark: 'latch-mark' } as const;

/** The first copy. */
export interface MemoryRows {
  get: (key: string) => string | undefined;
  /** Durable together when it settles. */
  put: (rows: readonly (readonly [key: string, json: string])[]) => Promise<void>;
  /** A journal that was there before, whatever is in it. */
  readonly isOld: boolean;
  /** The disk did not say what is in them. */
  readonly isUnread: boolean;
  /** A row was not what it was, and is set aside. */
  isDamaged: (key: string) => boolean;
  /** Keeps what is in a row under another name, before something else is put there. */
  setAside: (key: string) => void;
  readonly epoch: number;
}

/** Which memory, and how far it is. */
export interface MemoryId {
  /** Of the installation. */
  readonly id: string;
  /** The last note. */
  readonly note: number;
}

export interface MemoryOptions {
  readonly files: MemoryFiles;
  readonly rows: MemoryRows;
  /** What is in the file of notes. */
  readonly notes: Uint8Array;
  /** The memory that this boot goes by already: then what is on the disk is no news. */
  readonly known?: MemoryId | undefined;
  /** Up to this note it is durable. */
  onStored: (note: number) => void;
  /** An id that no other installation has. */
  readonly newId: string;
  readonly log: Log;
}

/** What is to survive, as it stands now. */
export type Contents = Pick<Snapshot, 'roster' | 'states' | 'orders'>;

/**
 * The memory of rules and orders: in the journal, and in two files beside it that take turns; for what no commit has yet there are notes. An anchor says how far memory must reach, so that what is gone is not taken for what never was.
 */
export class Memory {
  readonly #o: MemoryOptions;
  #verdict: Verdict;
  #current: MemoryId;
  /** Note up to which the files hold everything, and up to which the anchor says so. */
  #filed = -1;
  #anchored = 0;
  /** Both files are to be written, whatever they hold. */
  #mustFile = true;
  #next: 'memory-a' | 'memory-b' = 'memory-a';
  #storing: Promise<void> | undefined;
  #waiting: { readonly contents: Contents; readonly note: number } | undefined;
  #condition: string | undefined;

  private constructor(options: MemoryOptions, verdict: Verdict) {
    this.#o = options;
    this.#verdict = verdict;
    this.#current = options.known ?? currentOf(verdict, options);
    // An end before anything could be stored must not take the anchor back.
    this.#anchored = verdict.note;
  }

  static async open(options: MemoryOptions): Promise<Memory> {
    const verdict = await verdictOn(options);
    if (verdict.kind !== 'unknown') await setAside(verdict, options);
    const memory = new Memory(options, verdict);
    // What this boot knows by itself is written over whatever is there.
    if (options.known && memory.isFrozen) memory.#verdict = { ...verdict, kind: 'known' };
    return memory;
  }

  get verdict(): Verdict {
    return this.#verdict;
  }
  /** Nothing is touched while it is not known what is there. */
  get isFrozen(): boolean {
    return this.#verdict.kind === 'unknown';
  }

  /** The disk answers. @returns what is known now, if nothing was before; undefined otherwise */
  async reread(notes: Uint8Array): Promise<Verdict | undefined> {
    if (!this.isFrozen) return undefined;
    const options = { ...this.#o, notes };
    const verdict = await verdictOn(options);
    if (verdict.kind === 'unknown') return undefined;
    await setAside(verdict, options);
    this.#verdict = verdict;
    this.#current = currentOf(verdict, options);
    this.#anchored = verdict.note;
    return verdict;
  }

  /** What is wrong with the second copy; undefined: nothing. */
  get condition(): string | undefined {
    return this.isFrozen ? 'the disk does not say what is remembered' : this.#condition;
  }
  /** Which one it is, and where its notes go on. */
  get current(): MemoryId {
    return this.#current;
  }

  /**
   * Makes it durable, both copies; settles when the last that was given is, or could not be. Never rejects.
   * @param note the last one that is in it
   */
  store(contents: Contents, note: number): Promise<void> {
    if (this.isFrozen) return Promise.resolve();
    this.#waiting = { contents, note };
    this.#storing ??= this.#run().finally(() => {
      this.#storing = undefined;
    });
    return this.#storing;
  }

  /** What was there may have been deleted: all places are written with the next {@link store}. */
  writeAnew(): void {
    this.#mustFile = true;
  }

  /** The gateway ends in good order. */
  async close(): Promise<void> {
    await this.#storing;
    if (!this.isFrozen) await this.#anchor(this.#anchored, true);
  }

  async #run(): Promise<void> {
    while (this.#waiting) {
      const { contents, note } = this.#waiting;
      this.#waiting = undefined;
      await this.#write({
        v: memoryVersion,
        id: this.#current.id,
        note,
        epoch: this.#o.rows.epoch,
        ...contents,
      });
    }
  }

  async #write(snapshot: Snapshot): Promise<void> {
    const isRow = await this.#o.rows.put(toRows(snapshot)).then(
      () => true,
      // A condition of the journal is raised; the notes stay, unless the second copy is further.
      () => false,
    );
    const isFile =
      this.#mustFile || snapshot.note > this.#filed ? await this.#file(snapshot) : false;
    if (!isRow && !isFile) return;
    this.#o.onStored(snapshot.note);
    if (isFile || snapshot.note > this.#anchored) await this.#anchor(snapshot.note, false);
  }

  /** Both files at first, then in turn: the one that is not written is whole whatever happens. */
  async #file(snapshot: Snapshot): Promise<boolean> {
    const bytes = seal(snapshot);
    try {
      await this.#o.files.replace(this.#next, bytes);
      this.#next = this.#next === 'memory-a' ? 'memory-b' : 'memory-a';
      if (this.#mustFile) await this.#o.files.replace(this.#next, bytes);
      this.#mustFile = false;
      this.#filed = snapshot.note;
      this.#condition = undefined;
      return true;
    } catch (thrown) {
      this.#complain('the second copy of the memory is not written', thrown);
      return false;
    }
  }

  async #anchor(note: number, clean: boolean): Promise<void> {
    const anchor: Anchor = {
      v: memoryVersion,
      id: this.#current.id,
      note: Math.max(this.#anchored, note),
      epoch: this.#o.rows.epoch,
      clean,
    };
    try {
      await this.#o.files.replace('anchor', seal(anchor));
      this.#anchored = anchor.note;
    } catch (thrown) {
      this.#complain('the anchor of the memory is not written', thrown);
    }
  }

  #complain(what: string, thrown: unknown): void {
    const why = asGatewayError(thrown).message;
    if (this.#condition === undefined) this.#o.log.error(what, { why });
    this.#condition = `${what}: ${why}`;
  }
}

/** A journal that nobody can look into. */
const unread: MemoryRows = {
  get: () => undefined,
  put: () => Promise.resolve(),
  isOld: false,
  isUnread: true,
  isDamaged: () => false,
  setAside: () => undefined,
  epoch: 0,
};

/** What the second copy and the notes say of the time before, where the journal cannot be asked. Writes nothing. */
export async function memoryBeside(
  options: Pick<MemoryOptions, 'files' | 'notes' | 'newId'>,
): Promise<{ readonly verdict: Verdict; readonly memory: MemoryId }> {
  const verdict = await verdictOn({ ...options, rows: unread });
  return { verdict, memory: currentOf(verdict, options) };
}

/** What the disk says of the time before. */
async function verdictOn({
  files,
  rows,
  notes,
}: Pick<MemoryOptions, 'files' | 'rows' | 'notes'>): Promise<Verdict> {
  const [anchor, a, b] = await findAll(files);
  const first = fromRows(rows);
  return judge({
    anchor,
    copies: [first, a, b],
    notes: notesIn(notes),
    legacy: legacyOf(rows, first),
    hasRun: rows.isOld || notes.some((byte) => byte !== 0),
  });
}

/** Behind a past that is lost numbers go on where nothing that lies about can be taken for them. */
function currentOf(
  verdict: Verdict,
  { newId, notes }: Pick<MemoryOptions, 'newId' | 'notes'>,
): MemoryId {
  const { kind, note } = verdict;
  const id = verdict.id === undefined || verdict.id === '' ? newId : verdict.id;
  const noted = notesIn(notes).map((one) => (one.id === id ? one.note : 0));
  return { id, note: kind === 'known' ? note : Math.max(note, ...noted) };
}

/** Nothing that cannot be used is written over: people may want to look at it. */
async function setAside({ damaged }: Verdict, { files, rows, log }: MemoryOptions): Promise<void> {
  for (const place of memoryPlaces) {
    if (!damaged.includes(place)) continue;
    const name = await files.setAside(place).catch(() => undefined);
    if (name !== undefined) log.warn('a file of the memory is kept aside', { name });
  }
  if (!damaged.includes(journal)) return;
  for (const key of [memoryKeys.states, memoryKeys.rest]) rows.setAside(key);
}

async function find<T>(
  files: MemoryFiles,
  place: MemoryPlace,
  read: (value: unknown) => Read<T>,
): Promise<Finding<T>> {
  try {
    const bytes = await files.read(place);
    if (bytes === undefined) return { place, found: 'none' };
    const value = unseal(bytes);
    return { place, found: value === undefined ? 'bad' : read(value) };
  } catch {
    return { place, found: 'unreadable' };
  }
}

function findAll(
  files: MemoryFiles,
): Promise<readonly [Finding<Anchor>, Finding<Snapshot>, Finding<Snapshot>]> {
  return Promise.all([
    find(files, 'anchor', readAnchor),
    find(files, 'memory-a', readSnapshot),
    find(files, 'memory-b', readSnapshot),
  ]);
}

/** How far anything in the state folder says that epochs have come; undefined: it cannot be read. Never rejects. */
export async function lastEpochOf(files: MemoryFiles): Promise<number | undefined> {
  const found = (await findAll(files)).map(({ found: one }) => one);
  const last = lastEpoch(...found.map((one) => (typeof one === 'string' ? 0 : one.epoch)));
  return last === 0 && found.includes('unreadable') ? undefined : last;
}

interface Rest extends Omit<Snapshot, 'states'> {
  /** Check sum of the states that it belongs to. */
  readonly sum: number;
}

function toRows(snapshot: Snapshot): readonly (readonly [string, string])[] {
  const { states, ...rest } = snapshot;
  const json = JSON.stringify(states);
  const { id, note } = rest;
  return [
    [memoryKeys.states, json],
    [memoryKeys.rest, JSON.stringify({ ...rest, sum: sumOf(json) } satisfies Rest)],
    [memoryKeys.mark, JSON.stringify({ id, note })],
  ];
}
function sumOf(json: string): number {
  return crc32c(new TextEncoder().encode(json));
}

const journal = 'the journal';

function fromRows(rows: MemoryRows): Finding<Snapshot> {
  if (rows.isUnread) return { place: journal, found: 'unreadable' };
  const states = rows.get(memoryKeys.states);
  const rest = rows.get(memoryKeys.rest);
  if ([memoryKeys.states, memoryKeys.rest].some((key) => rows.isDamaged(key)))
    return { place: journal, found: 'bad' };
  if (rest === undefined) return { place: journal, found: 'none' };
  if (states === undefined) return { place: journal, found: 'bad' };
  const { sum, ...known } = (JSON.parse(rest) ?? {}) as Partial<Rest>;
  const found = readSnapshot({ ...known, states: JSON.parse(states) as unknown });
  return {
    place: journal,
    found: typeof found !== 'string' && sum !== sumOf(states) ? 'bad' : found,
  };
}

/** States of the first version, which kept the journal alone. */
function legacyOf(
  rows: MemoryRows,
  { found }: Finding<Snapshot>,
): { states: RetainedStates; id: string; note: number } | undefined {
  const states = rows.get(memoryKeys.states);
  if (found !== 'none' || states === undefined) return undefined;
  const value = JSON.parse(states) as unknown;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const mark = JSON.parse(rows.get(memoryKeys.mark) ?? '{}') as unknown;
  const { id, note } = (mark ?? {}) as { readonly id?: unknown; readonly note?: unknown };
  return {
    states: value as RetainedStates,
    id: typeof id === 'string' ? id : '',
    note: typeof note === 'number' ? note : 0,
  };
}
