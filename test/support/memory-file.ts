import type { NotesFile } from '../../gateway/run/memory/notes.js';

/** A file in memory that outlives who writes it. */
export class MemoryFile {
  #bytes = new Uint8Array(1024);
  /** Set to make writes fail. */
  isFull = false;
  /** Of the next write only so many bytes arrive: a kill in the middle. */
  cutAfter: number = Infinity;

  open(): NotesFile {
    return {
      before: this.#bytes.slice(),
      reopen: () => undefined,
      write: (bytes, at) => {
        if (this.isFull) throw new RangeError('no space left');
        const whole = bytes.subarray(0, this.cutAfter);
        while (at + whole.length > this.#bytes.length) this.#grow();
        this.#bytes.set(whole, at);
      },
    };
  }
  #grow(): void {
    const larger = new Uint8Array(2 * this.#bytes.length);
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}
