import type { Clock } from '../contract/index.js';
import type { SegmentInfo } from './store.js';

/** A stamp before 2020 was taken by a clock that was never set: it tells no age. */
const plausible = 1_577_836_800_000;

/**
 * How old segments are, by the monotonic clock: when the system clock is set, by NTP after a start at 1970
 * for one, nothing may get old at once and be evicted.
 */
export class Ages {
  readonly #clock: Clock;
  readonly #born = new Map<number, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A segment of an earlier boot: its stamp is all there is. */
  found({ id, time }: SegmentInfo): void {
    const age = time < plausible ? 0 : Math.max(0, this.#clock.wall() - time);
    this.#born.set(id, this.#clock.mono() - age);
  }
  made(id: number): void {
    this.#born.set(id, this.#clock.mono());
  }
  removed(id: number): void {
    this.#born.delete(id);
  }
  of(id: number): number {
    return this.#clock.mono() - (this.#born.get(id) ?? this.#clock.mono());
  }
}
