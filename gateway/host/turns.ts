import { type Clock, mono } from '../contract/index.js';

interface Waiting {
  isWanted: () => boolean;
  begin: (isWanted: boolean) => void;
}

/**
 * Who asks has a turn, one after the other. After each there is a rest that is longer the more time it took: whatever is
 * asked, and by however many, the work of the thread goes on beside it.
 */
export class Turns {
  readonly #clock: Clock;
  readonly #restPerWork: number;
  readonly #longestRest: number;
  readonly #waiting: Waiting[] = [];
  #isTaken = false;

  /**
   * @param restPerWork rest after a turn, by the time that the turn took
   * @param longestRest ms
   */
  constructor(clock: Clock, restPerWork: number, longestRest: number) {
    this.#clock = clock;
    this.#restPerWork = restPerWork;
    this.#longestRest = longestRest;
  }

  /**
   * Runs `work` when it is its turn. What it begins and goes on later is nobody's turn.
   * @param isWanted asked then: of who has gone meanwhile nothing is done
   * @returns undefined where it was not wanted any more
   */
  async take<T>(work: () => T, isWanted: () => boolean): Promise<T | undefined> {
    if (!(await this.#mine(isWanted))) return undefined;
    const begunAt = this.#clock.mono();
    try {
      return work();
    } finally {
      const now = this.#clock.mono();
      const rest = Math.min(this.#longestRest, this.#restPerWork * (now - begunAt));
      this.#clock.at(mono(now + rest), () => this.#next());
    }
  }

  #mine(isWanted: () => boolean): Promise<boolean> {
    if (!this.#isTaken) {
      this.#isTaken = isWanted();
      return Promise.resolve(this.#isTaken);
    }
    return new Promise((begin) => this.#waiting.push({ isWanted, begin }));
  }

  #next(): void {
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      const isWanted = next.isWanted();
      next.begin(isWanted);
      if (isWanted) return;
    }
    this.#isTaken = false;
  }
}
