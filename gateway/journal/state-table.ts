import type { Log } from '../contract/index.js';
import { sealState } from './sealed.js';
import { asidePrefix, openStates } from './states.js';

type StateChange = readonly (readonly [key: string, text: string | undefined])[];

/** The small states of a journal by key, and which of them the disk does not have yet. */
export class StateTable {
  readonly #log: Log;
  readonly #now = new Map<string, string>();
  #changes = new Map<string, string | undefined>();
  readonly #damaged = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Keys of which what is stored is damaged. */
  get damaged(): readonly string[] {
    return [...this.#damaged];
  }
  get(key: string): string | undefined {
    return this.#now.get(key);
  }

  get hasChanges(): boolean {
    return this.#changes.size > 0;
  }

  set(key: string, json: string | undefined): void {
    if (json === undefined) this.#now.delete(key);
    else this.#now.set(key, json);
    this.#changes.set(key, json === undefined ? undefined : sealState(json));
  }

  /** Of sinks that are no more nobody reads the cursors. */
  dropCursorsBut(sinks: readonly string[]): void {
    const wanted = new Set(sinks.map((name) => `cursor:${name}`));
    for (const key of [...this.#now.keys()])
      if (key.startsWith('cursor:') && !wanted.has(key)) this.set(key, undefined);
  }

  /** What a disk holds, unless there is something newer. */
  take(stored: ReadonlyMap<string, string>): void {
    const { usable, damaged } = openStates(stored);
    for (const [key, json] of usable) if (!this.#changes.has(key)) this.#now.set(key, json);
    // What is not as it was stored is kept under another name, alone: the others are well.
    for (const [key, text] of damaged) {
      this.#damaged.add(key);
      this.#log.error('a state in the journal is damaged, and set aside', { key });
      this.#changes.set(asidePrefix + key, text);
      if (!this.#changes.has(key)) this.#changes.set(key, undefined);
    }
  }

  /** What is to be stored; it counts as stored until {@link restore}. */
  takeChanges(): StateChange {
    const changes = [...this.#changes];
    this.#changes = new Map();
    return changes;
  }
  /** It was not stored. */
  restore(changes: StateChange): void {
    for (const [key, text] of changes) if (!this.#changes.has(key)) this.#changes.set(key, text);
  }
}
