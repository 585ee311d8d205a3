import type { DurationMs, Random } from '../contract/index.js';
import { ms } from '../contract/index.js';
import { limits } from '../limits.js';

/** Waits between attempts: exponential, capped, cut by a random share so that a fleet does not march in step. */
export class Backoff {
  readonly #random: Random;
  readonly #first: number;
  readonly #max: number;
  #attempt = 0;

  constructor(
    random: Random,
    first: number = limits.backoffFirstMs,
    max: number = limits.backoffMaxMs,
  ) {
    this.#random = random;
    this.#first = first;
    this.#max = max;
  }

  /** The next wait. */
  next(): DurationMs {
    const full = Math.min(this.#max, this.#first * limits.backoffFactor ** this.#attempt);
    if (full < this.#max) this.#attempt++;
    return ms(full * (1 - limits.backoffJitter * this.#random.next()));
  }

  /** It went well: start small again. */
  reset(): void {
    this.#attempt = 0;
  }
}
