import type { Entry } from './entry.js';
import type { SinkReader } from './sink-reader.js';

/** All sinks that read one journal, as one: who still waits for what. */
export class Readers {
  readonly #sinks = new Map<string, SinkReader>();

  get(name: string): SinkReader | undefined {
    return this.#sinks.get(name);
  }
  add(reader: SinkReader): void {
    this.#sinks.set(reader.name, reader);
  }
  remove(name: string): void {
    this.#sinks.delete(name);
  }
  all(): Iterable<SinkReader> {
    return this.#sinks.values();
  }

  /**
   * All know of it before one may acknowledge it: what nobody waits for is let go.
   * @param isOld it may have been sent before: see {@link SinkReader.appended}
   */
  appended(entry: Entry, isOld: boolean): void {
    for (const sink of this.#sinks.values()) sink.appended(entry, isOld);
    for (const sink of this.#sinks.values()) sink.offer();
  }

  waitFor(pos: number): boolean {
    for (const sink of this.#sinks.values()) if (sink.pending.has(pos)) return true;
    return false;
  }
  waitWithin(first: number, last: number): boolean {
    for (const sink of this.#sinks.values()) if (sink.pending.intersects(first, last)) return true;
    return false;
  }
  /** These exist no more. */
  dropped(from: number, to: number): void {
    for (const sink of this.#sinks.values()) sink.dropped(from, to);
  }
}
