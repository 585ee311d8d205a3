import { type Entry, sizeOf } from './entry.js';

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

  /** Takes away these, as far as they are there. */
  take(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    const gone = new Set(entries);
    this.#entries = this.#entries.filter((entry) => {
      if (!gone.has(entry)) return true;
      this.#bytes -= sizeOf(entry);
      return false;
    });
  }

  /** The oldest samples above `bytes`, then refusals and events; of those that are not just being written. */
  excess(bytes: number, written: ReadonlySet<Entry>): readonly Entry[] {
    let over = this.#bytes - bytes;
    const gone: Entry[] = [];
    for (const shed of ['samples', 'refusal', 'event'] as const)
      for (const entry of this.#entries) {
        if (over <= 0) return gone;
        if (entry.class !== shed || written.has(entry)) continue;
        over -= sizeOf(entry);
        gone.push(entry);
      }
    return gone;
  }

  #takeHead(isKept: (entry: Entry) => boolean): number {
    const kept = this.#entries.findIndex(isKept);
    const gone = this.#entries.splice(0, kept < 0 ? this.#entries.length : kept);
    for (const entry of gone) this.#bytes -= sizeOf(entry);
    return gone.length;
  }
}
