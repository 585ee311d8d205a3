import type { Numbers } from './numbers.js';
import type { Readers } from './readers.js';
import { type CursorState, type HistorySource, SinkReader } from './sink-reader.js';
import type { StateTable } from './state-table.js';
import { pendingOf } from './states.js';
import type { SegmentInfo } from './store.js';

export interface CursorsOptions {
  readonly readers: Readers;
  readonly states: StateTable;
  readonly numbers: Numbers;
  readonly segments: () => readonly SegmentInfo[];
  readonly source: Omit<HistorySource, 'nextPos'>;
}

/** Where each sink is, and what is stored of it. */
export class Cursors {
  readonly #o: CursorsOptions;
  /** They are further than what is stored. */
  isDirty = false;

  constructor(options: CursorsOptions) {
    this.#o = options;
  }

  /** The reader of a sink, which goes on where its cursor is; one that has never been here begins now. */
  open(name: string): SinkReader {
    const { readers, numbers, source } = this.#o;
    const open = readers.get(name);
    if (open) return open;
    const { pending, isNew } = this.#pendingOf(name);
    if (isNew) this.isDirty = true;
    const reader = new SinkReader(name, { ...source, nextPos: () => numbers.lastPos + 1 }, pending);
    readers.add(reader);
    return reader;
  }

  /** Nobody waits for this sink any more. */
  remove(name: string): void {
    this.#o.readers.remove(name);
    this.#o.states.set(keyOf(name), undefined);
  }

  /** The disk answers: what is on it is wanted, too. */
  adopt(): void {
    const { readers, states } = this.#o;
    for (const sink of readers.all()) sink.adopt(this.#pendingOf(sink.name).pending);
    states.dropCursorsBut([...readers.all()].map(({ name }) => name));
    this.isDirty = true;
  }

  /** Positions up to those of the cursors have been given. */
  passOn(sinks: readonly string[]): void {
    for (const name of sinks) {
      const json = this.#o.states.get(keyOf(name));
      if (json !== undefined) this.#o.numbers.isBehind((JSON.parse(json) as CursorState).upTo);
    }
  }

  /** To be stored with what is written next. */
  save(): void {
    this.isDirty = false;
    const { readers, states, numbers } = this.#o;
    for (const sink of readers.all())
      states.set(keyOf(sink.name), JSON.stringify(sink.state(numbers.lastPos)));
  }

  #pendingOf(name: string): ReturnType<typeof pendingOf> {
    const { states, segments } = this.#o;
    const key = keyOf(name);
    return pendingOf(states.get(key), segments(), { isDamaged: states.damaged.includes(key) });
  }
}

function keyOf(sink: string): string {
  return `cursor:${sink}`;
}
