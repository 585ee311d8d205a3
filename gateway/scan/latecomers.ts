import {
  AgedRows,
  type DurationMs,
  type MonoMs,
  type Samples,
  type ToldValue,
} from '../contract/index.js';

/**
 * Sets apart what a device tells of a time in which it could not: a rule must not take the pressure of a
 * minute ago for that of now. It is history, and only the last of each tag stands, once the device says that
 * it has no more to tell. A sample that is older than such a word cannot be late: then the clock of its source
 * is wrong, and it is taken as ever.
 */
export class Latecomers {
  #latest: DurationMs;
  readonly #onLate: (late: Samples) => void;
  /** By position: the last late sample of a tag of which nothing fresh was told since. */
  readonly #standing = new Map<number, ToldValue>();
  /** When the device said last that it had told all. */
  #settledAt = -Infinity;

  /**
   * @param latest age beyond which a sample is late
   * @param onLate is given those that are
   */
  constructor(latest: DurationMs, onLate: (late: Samples) => void) {
    this.#latest = latest;
    this.#onLate = onLate;
  }

  /** From now on, samples are late beyond this age. */
  revise(latest: DurationMs): void {
    this.#latest = latest;
  }

  /** @returns those that are not late; the argument itself where none is */
  sift(samples: Samples, now: MonoMs): Samples {
    if (this.#standing.size === 0 && !this.#anyLate(samples, now)) return samples;
    const late = new AgedRows();
    const fresh = new AgedRows();
    for (let i = 0; i < samples.count; i++) {
      const position = samples.positions[i] as number;
      const age = samples.ages[i] as number;
      const value: ToldValue = {
        number: samples.numbers[i] as number,
        quality: samples.qualities[i] as number,
        wide: samples.wide?.get(i),
      };
      const isLate = this.#isLate(age, now);
      (isLate ? late : fresh).tell(position, value, age);
      if (isLate) this.#standing.set(position, value);
      else this.#standing.delete(position);
    }
    if (late.count > 0) this.#onLate(late);
    return fresh;
  }

  /** The device has told all: what stands now, as samples of now; undefined where nothing came late. */
  settle(now: MonoMs): Samples | undefined {
    this.#settledAt = now;
    if (this.#standing.size === 0) return undefined;
    const rows = new AgedRows();
    for (const [position, value] of this.#standing) rows.tell(position, value, NaN);
    this.#standing.clear();
    return rows;
  }

  #isLate(age: number, now: MonoMs): boolean {
    return age > this.#latest && now - age >= this.#settledAt;
  }

  #anyLate({ count, ages }: Samples, now: MonoMs): boolean {
    for (let i = 0; i < count; i++) if (this.#isLate(ages[i] as number, now)) return true;
    return false;
  }
}
