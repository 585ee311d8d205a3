import { type DurationMs, type MonoMs, SampleRows, type Samples } from '../contract/index.js';

class Rows extends SampleRows implements Samples {
  get ages(): Float64Array {
    return this.stamps;
  }
}

interface Row {
  readonly number: number;
  readonly quality: number;
  readonly wide: string | bigint | undefined;
}

/**
 * Sets apart what a device tells of a time in which it could not: a rule must not take the pressure of a
 * minute ago for that of now. It is history, and only the last of each tag stands, once the device says that
 * it has no more to tell. A sample that is older than such a word cannot be late: then the clock of its source
 * is wrong, and it is taken as ever.
 */
export class Latecomers {
  readonly #latest: DurationMs;
  /** By position: the last late sample of a tag of which nothing fresh was told since. */
  readonly #standing = new Map<number, Row>();
  /** When the device said last that it had told all. */
  #settledAt = -Infinity;

  /** @param latest age beyond which a sample is late */
  constructor(latest: DurationMs) {
    this.#latest = latest;
  }

  #isLate(age: number, now: MonoMs): boolean {
    return age > this.#latest && now - age >= this.#settledAt;
  }

  /**
   * @param onLate is given those that are late
   * @returns the others; the argument itself where none is late
   */
  sift(samples: Samples, now: MonoMs, onLate: (late: Samples) => void): Samples {
    if (this.#standing.size === 0 && !this.#anyLate(samples, now)) return samples;
    const late = new Rows();
    const fresh = new Rows();
    for (let i = 0; i < samples.count; i++) {
      const position = samples.positions[i] as number;
      const age = samples.ages[i] as number;
      const row: Row = {
        number: samples.numbers[i] as number,
        quality: samples.qualities[i] as number,
        wide: samples.wide?.get(i),
      };
      const isLate = this.#isLate(age, now);
      add(isLate ? late : fresh, position, row, age);
      if (isLate) this.#standing.set(position, row);
      else this.#standing.delete(position);
    }
    if (late.count > 0) onLate(late);
    return fresh;
  }

  /** The device has told all: what stands now, as samples of now; undefined where nothing came late. */
  settle(now: MonoMs): Samples | undefined {
    this.#settledAt = now;
    if (this.#standing.size === 0) return undefined;
    const rows = new Rows();
    for (const [position, row] of this.#standing) add(rows, position, row, NaN);
    this.#standing.clear();
    return rows;
  }

  #anyLate({ count, ages }: Samples, now: MonoMs): boolean {
    for (let i = 0; i < count; i++) if (this.#isLate(ages[i] as number, now)) return true;
    return false;
  }
}

function add(rows: Rows, position: number, { number, quality, wide }: Row, age: number): void {
  rows.add(position, number, quality, age, wide);
}
