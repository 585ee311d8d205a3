import { type Clock, mono } from '../contract/index.js';

/**
 * Who asks has a turn, one after the other. After each there is a rest that is longer the more time it took: whatever is
 * asked, and by however many, the work of the thread goes on beside it.
 */
export class Turns {
  readonly #clock: Clock;
  /** Rest after a turn, by the time that the turn took. */
  readonly #restPerWork: number;
  readonly #waiting: (() => void)[] = [];
  #isTaken = false;

  constructor(clock: Clock, restPerWork: number) {
    this.#clock = clock;
    this.#restPerWork = restPerWork;
  }

  /** Runs `work` when it is its turn. What `work` begins and goes on later is nobody's turn. */
  async take<T>(work: () => T): Promise<T> {
    await this.#mine();
    const begunAt = this.#clock.mono();
    try {
      return work();
    } finally {
      const now = this.#clock.mono();
      const due = now + this.#restPerWork * (now - begunAt);
      this.#clock.at(mono(due), () => this.#next());
    }
  }

  #mine(): Promise<void> {
    if (!this.#isTaken) {
      this.#isTaken = true;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #next(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#isTaken = false;
  }
}
