import { SampleRows, type Samples } from '../contract/index.js';

/** Samples of different tags that may be looked at together; the columns may be longer than their count. */
export interface Layer extends Omit<Samples, 'ages'> {
  /** Monotonic ms. */
  readonly times: ArrayLike<number>;
}

/** A layer that grows; its columns are used again. */
class OpenLayer extends SampleRows implements Layer {
  get times(): Float64Array {
    return this.stamps;
  }
}

/**
 * Samples of a subscription that wait for a tick. A device may tell of a tag several times at once, and
 * rules see every sample: so they are dealt out to layers in which each tag stands once, in order.
 */
export class Layers {
  readonly #limit: number;
  /** Number of the layer that the next sample of each position goes to. */
  readonly #next: Uint32Array;
  /** Number of the first layer that waits. */
  #base = 0;
  #waiting: OpenLayer[] = [];
  /** The layer that was taken last, to be used again. */
  #spare: OpenLayer | undefined;
  #count = 0;

  /** @param limit samples that may wait; beyond it, older samples give way to younger ones of their tag */
  constructor(size: number, limit: number) {
    this.#next = new Uint32Array(size);
    this.#limit = limit;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /**
   * Takes samples over.
   * @param timeOf monotonic time of a sample that was so old when it was told
   * @returns samples that were shed to make room
   */
  add(samples: Samples, timeOf: (age: number) => number): number {
    for (let i = 0; i < samples.count; i++) {
      const position = samples.positions[i] as number;
      const at = Math.max(this.#base, this.#next[position] as number);
      const layer = (this.#waiting[at - this.#base] ??= this.#fresh());
      this.#next[position] = at + 1;
      layer.add(
        position,
        samples.numbers[i] as number,
        samples.qualities[i] as number,
        timeOf(samples.ages[i] as number),
        samples.wide?.get(i),
      );
    }
    this.#count += samples.count;
    return this.#makeRoom();
  }

  /** The oldest layer, off the list; valid until the next call. */
  take(): Layer | undefined {
    const layer = this.#waiting.shift();
    if (!layer) return undefined;
    this.#base++;
    this.#count -= layer.count;
    this.#spare = layer;
    return layer;
  }

  #fresh(): OpenLayer {
    const layer = this.#spare ?? new OpenLayer();
    this.#spare = undefined;
    layer.clear();
    return layer;
  }

  /** Sheds until not more than so many layers wait. @returns samples that were shed */
  shorten(most: number): number {
    let shed = 0;
    while (this.#waiting.length > most) shed += this.#foldOldest();
    return shed;
  }

  #makeRoom(): number {
    let shed = 0;
    while (this.#count > this.#limit && this.#waiting.length > 1) shed += this.#foldOldest();
    return shed;
  }

  /** Folds the oldest layer into the next one, where younger samples of the same tags stand. */
  #foldOldest(): number {
    const [oldest, next] = this.#waiting;
    if (!oldest || !next) return 0;
    this.#waiting.shift();
    this.#base++;
    let shed = 0;
    const younger = new Set(next.positions.subarray(0, next.count));
    oldest.positions.subarray(0, oldest.count).forEach((position, i) => {
      if (younger.has(position)) shed++;
      else
        next.add(
          position,
          oldest.numbers[i] as number,
          oldest.qualities[i] as number,
          oldest.times[i] as number,
          oldest.wide?.get(i),
        );
    });
    this.#count -= shed;
    return shed;
  }
}
