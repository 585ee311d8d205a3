import type { Samples } from '../contract/index.js';

/** Samples of different tags that may be looked at together. */
export interface Layer {
  readonly positions: number[];
  readonly numbers: number[];
  readonly qualities: number[];
  readonly times: number[];
  readonly wide: (string | bigint | undefined)[];
}

function emptyLayer(): Layer {
  return { positions: [], numbers: [], qualities: [], times: [], wide: [] };
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
  #waiting: Layer[] = [];
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
      const layer = (this.#waiting[at - this.#base] ??= emptyLayer());
      this.#next[position] = at + 1;
      layer.positions.push(position);
      layer.numbers.push(samples.numbers[i] as number);
      layer.qualities.push(samples.qualities[i] as number);
      layer.times.push(timeOf(samples.ages[i] as number));
      layer.wide.push(samples.wide?.get(i));
    }
    this.#count += samples.count;
    return this.#makeRoom();
  }

  /** The oldest layer, off the list. */
  take(): Layer | undefined {
    const layer = this.#waiting.shift();
    if (!layer) return undefined;
    this.#base++;
    this.#count -= layer.positions.length;
    return layer;
  }

  clear(): void {
    this.#base += this.#waiting.length;
    this.#waiting = [];
    this.#count = 0;
  }

  /** Folds the oldest layer into the next one, where younger samples of the same tags stand. */
  #makeRoom(): number {
    let shed = 0;
    while (this.#count > this.#limit && this.#waiting.length > 1) {
      const [oldest, next] = this.#waiting;
      if (!oldest || !next) break;
      this.#waiting.shift();
      this.#base++;
      const younger = new Set(next.positions);
      oldest.positions.forEach((position, i) => {
        if (younger.has(position)) shed++;
        else copy(oldest, i, next);
      });
      this.#count = this.#waiting.reduce((sum, layer) => sum + layer.positions.length, 0);
    }
    return shed;
  }
}

function copy(from: Layer, at: number, to: Layer): void {
  to.positions.push(from.positions[at] as number);
  to.numbers.push(from.numbers[at] as number);
  to.qualities.push(from.qualities[at] as number);
  to.times.push(from.times[at] as number);
  to.wide.push(from.wide[at]);
}
