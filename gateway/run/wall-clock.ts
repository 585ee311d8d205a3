import type { Clock, WallMs } from '../contract/index.js';
import { wall } from '../contract/index.js';
import { limits } from '../limits.js';

/** How often the two clocks are compared, ms. */
const checkMs = 200;

/**
 * Wall time for stamps: monotonic time plus the offset of the present clock epoch. A step of the system
 * clock opens a new epoch and is reported; what drifts less is followed slowly.
 */
export class WallClock {
  readonly #clock: Clock;
  #offset: number;
  #checkedAt: number;
  epoch = 1;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offset = clock.wall() - clock.mono();
    this.#checkedAt = clock.mono();
  }

  /** Wall minus monotonic milliseconds. */
  get offset(): number {
    return this.#offset;
  }
  now(): WallMs {
    return this.of(this.#clock.mono());
  }
  of(monotonic: number): WallMs {
    return wall(Math.round(monotonic + this.#offset));
  }

  /** @returns the size of a step in ms that happened since the last look, 0 for none */
  check(now: number): number {
    if (now - this.#checkedAt < checkMs) return 0;
    this.#checkedAt = now;
    const difference = this.#clock.wall() - now - this.#offset;
    if (Math.abs(difference) <= limits.clockStepMs) {
      this.#offset += difference * 0.1;
      return 0;
    }
    this.#offset += difference;
    this.epoch++;
    return difference;
  }
}
