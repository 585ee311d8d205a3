import type { Log, RetainedStates } from '../../contract/index.js';
import type { Contents, MemoryId } from './memory.js';
import { Notes, type NotesFile, type NotesStanding } from './notes.js';
import type { OrdersByRule } from './snapshot.js';

export interface FieldMemoryOptions {
  readonly file: NotesFile;
  readonly log: Log;
  /** Hands over what is to be kept, with the last note that is in it. */
  readonly store: (contents: Contents, note: number) => void;
}

/** The memory of rules as the field half has it: notes at once, and the rest handed over to be stored. */
export class FieldMemory {
  readonly #o: FieldMemoryOptions;
  #notes: Notes | undefined;
  #id: string | undefined;

  /** @param known undefined: the disk does not say what was before, and nothing is touched until it does */
  constructor(options: FieldMemoryOptions, known: MemoryId | undefined) {
    this.#o = options;
    if (known) this.goOn(known);
  }

  /** It is known what was before. */
  goOn({ id, note }: MemoryId): void {
    const { file, log } = this.#o;
    this.#id = id;
    this.#notes = new Notes({ file, id, last: note, log });
  }

  /** Which memory this boot goes by; undefined: it is not known. */
  get current(): MemoryId | undefined {
    return this.#notes && this.#id !== undefined
      ? { id: this.#id, note: this.#notes.last }
      : undefined;
  }
  /** Is what rules decide safe from a kill? */
  get noting(): NotesStanding {
    return this.#notes?.standing ?? 'failing';
  }

  /** Before any write is handed over. Never throws. */
  note(states: RetainedStates, orders: OrdersByRule): void {
    this.#notes?.note({ states, orders });
  }

  store(contents: Contents): void {
    if (this.#notes) this.#o.store(contents, this.#notes.last);
  }

  /** It is durable up to this note. */
  stored(note: number): void {
    this.#notes?.committed(note);
  }

  /** What was there may have been deleted; a {@link store} follows. */
  writeAnew(): void {
    this.#notes?.reopen();
  }

  /** What the file of notes holds now, which could not be read before. */
  reread(): Uint8Array {
    this.#o.file.reopen();
    return this.#o.file.before;
  }
}
