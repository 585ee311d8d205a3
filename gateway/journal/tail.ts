import { type Entry, isBlock, sizeOf } from './entry.js';

/** Entries that are not on disk yet, in order of position, and how much memory they take. */
export class Tail {
  #entries: Entry[] = [];
  #bytes = 0;

  get entries(): readonly Entry[] {
    return this.#entries;
  }
  get bytes(): number {
    return this.#bytes;
  }

  push(entry: Entry): void {
    this.#entries.push(entry);
    this.#bytes += sizeOf(entry);
  }

  /** Takes away entries up to this position. Returns how many. */
  takeUpTo(pos: number): number {
    return this.#takeHead((entry) => entry.pos > pos);
  }

  /**
   * Takes away what nobody needs, up to the first that somebody does: the rest goes with the commit. It would all do so, but up
   * to a second later, and what lives for so long is old garbage: only a collection of the whole heap removes it. Returns how many.
   */
  takeUnneeded(isNeeded: (entry: Entry) => boolean): number {
    return this.#takeHead(isNeeded);
  }

  /** Takes away these, which are all there. */
  take(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    const gone = new Set(entries);
    this.#entries = this.#entries.filter((entry) => !gone.has(entry));
    for (const entry of entries) this.#bytes -= sizeOf(entry);
  }

  /** The oldest samples above `bytes`. */
  excess(bytes: number): readonly Entry[] {
    let over = this.#bytes - bytes;
    return this.#entries.filter((entry) => {
      if (over <= 0 || !isBlock(entry.body)) return false;
      over -= sizeOf(entry);
      return true;
    });
  }

  #takeHead(isKept: (entry: Entry) => boolean): number {
    const kept = this.#entries.findIndex(isKept);
    const gone = this.#entries.splice(0, kept < 0 ? this.#entries.length : kept);
    for (const entry of gone) this.#bytes -= sizeOf(entry);
    return gone.length;
  }
}
