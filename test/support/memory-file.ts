import type { NotesFile } from '../../gateway/run/memory/notes.js';

/** A file in memory that outlives who writes it. */
export class MemoryFile {
  #bytes = new Uint8Array(1024);
  /** Set to make writes fail. */
  isFull = false;
  /** What is written waits for {@link catchUp}. */
  isSlow = false;
  /** Of the next write only so many bytes arrive: a kill in the middle. */
  cutAfter: number = Infinity;
  readonly #waiting: (() => void)[] = [];
  #failure: string | undefined;

  open(): NotesFile {
    const isBehind = (): boolean => this.#waiting.length > 0;
    return {
      before: this.#bytes.slice(),
      reopen: () => undefined,
      get isBehind() {
        return isBehind();
      },
      takeFailure: () => {
        const why = this.#failure;
        this.#failure = undefined;
        return why;
      },
      write: (bytes, at) => {
        const copy = bytes.slice();
        if (this.isSlow || isBehind()) this.#waiting.push(() => this.#writeLate(copy, at));
        else this.#write(copy, at);
      },
    };
  }

  /** So many of the writes that wait are done, or fail. */
  catchUp(count: number): void {
    for (const write of this.#waiting.splice(0, count)) write();
  }

  #writeLate(bytes: Uint8Array, at: number): void {
    try {
      this.#write(bytes, at);
    } catch (thrown) {
      this.#failure = String(thrown);
    }
  }

  #write(bytes: Uint8Array, at: number): void {
    if (this.isFull) throw new RangeError('no space left');
    const whole = bytes.subarray(0, this.cutAfter);
    while (at + whole.length > this.#bytes.length) this.#grow();
    this.#bytes.set(whole, at);
  }
  #grow(): void {
    const larger = new Uint8Array(2 * this.#bytes.length);
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}
