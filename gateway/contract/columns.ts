import type { Samples } from './subscription.js';

/** A longer copy of a column that has become too short. */
export function enlarge<T extends { set: (from: ArrayLike<number>) => void }>(
  from: ArrayLike<number>,
  to: T,
): T {
  to.set(from);
  return to;
}

/** Samples in growing, reusable columns; see {@link Samples}. */
export class SampleRows {
  count = 0;
  positions: Uint32Array = new Uint32Array(64);
  numbers: Float64Array = new Float64Array(64);
  qualities: Uint8Array = new Uint8Array(64);
  /** Age or time, ms: the user of the columns decides which. */
  stamps: Float64Array = new Float64Array(64);
  wide: Map<number, string | bigint> | undefined;

  add(
    position: number,
    number: number,
    quality: number,
    stamp: number,
    wide: string | bigint | undefined,
  ): void {
    const at = this.count++;
    if (at === this.positions.length) this.#grow();
    this.positions[at] = position;
    this.numbers[at] = number;
    this.qualities[at] = quality;
    this.stamps[at] = stamp;
    if (wide !== undefined) (this.wide ??= new Map()).set(at, wide);
  }

  clear(): void {
    this.count = 0;
    this.wide = undefined;
  }

  #grow(): void {
    const size = this.positions.length * 2;
    this.positions = enlarge(this.positions, new Uint32Array(size));
    this.numbers = enlarge(this.numbers, new Float64Array(size));
    this.qualities = enlarge(this.qualities, new Uint8Array(size));
    this.stamps = enlarge(this.stamps, new Float64Array(size));
  }
}

/** One value as a device reported it. */
export interface ToldValue {
  readonly number: number;
  readonly quality: number;
  readonly wide: string | bigint | undefined;
}

/** Rows with the age of each sample, ms; NaN = unknown. */
export class AgedRows extends SampleRows implements Samples {
  get ages(): Float64Array {
    return this.stamps;
  }

  tell(position: number, { number, quality, wide }: ToldValue, age: number): void {
    this.add(position, number, quality, age, wide);
  }
}
