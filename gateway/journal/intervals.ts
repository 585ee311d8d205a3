import { firstPlace } from './search.js';

/** A set of integers as few stretches `[from, to]`, both inclusive, in order. */
export class Intervals {
  #list: [number, number][] = [];

  static from(list: readonly (readonly [number, number])[]): Intervals {
    const set = new Intervals();
    for (const [from, to] of list) set.add(from, to);
    return set;
  }

  get isEmpty(): boolean {
    return this.#list.length === 0;
  }
  get stretches(): number {
    return this.#list.length;
  }
  get first(): number | undefined {
    return this.#list[0]?.[0];
  }
  get last(): number | undefined {
    return this.#list.at(-1)?.[1];
  }
  toJSON(): readonly (readonly [number, number])[] {
    return this.#list;
  }

  has(n: number): boolean {
    const at = this.#find(n);
    const stretch = this.#list[at];
    return stretch !== undefined && stretch[0] <= n;
  }

  /** Is any member in `[from, to]`? */
  intersects(from: number, to: number): boolean {
    const stretch = this.#list[this.#find(from)];
    return stretch !== undefined && stretch[0] <= to;
  }

  /** The smallest member that is at least `n`. */
  next(n: number): number | undefined {
    const stretch = this.#list[this.#find(n)];
    return stretch && Math.max(n, stretch[0]);
  }

  add(from: number, to: number): void {
    const tail = this.#list.at(-1);
    // By far the most common: the journal grows at its end.
    if (!tail || from > tail[1] + 1) {
      this.#list.push([from, to]);
      return;
    }
    if (from === tail[1] + 1) {
      tail[1] = to;
      return;
    }
    const start = this.#find(from - 1);
    let end = start;
    let low = from;
    let high = to;
    for (
      let stretch = this.#list[end];
      stretch && stretch[0] <= to + 1;
      stretch = this.#list[end]
    ) {
      low = Math.min(low, stretch[0]);
      high = Math.max(high, stretch[1]);
      end++;
    }
    this.#list.splice(start, end - start, [low, high]);
  }

  remove(from: number, to: number): void {
    const start = this.#find(from);
    let end = start;
    const rest: [number, number][] = [];
    for (let stretch = this.#list[end]; stretch && stretch[0] <= to; stretch = this.#list[end]) {
      if (stretch[0] < from) rest.push([stretch[0], from - 1]);
      if (stretch[1] > to) rest.push([to + 1, stretch[1]]);
      end++;
    }
    if (end > start) this.#list.splice(start, end - start, ...rest);
  }

  /** Fills the smallest holes until at most `max` stretches are left. */
  coarsen(max: number): void {
    this.#list = this.coarse(max);
  }

  /** The set with its smallest holes filled, as at most `max` stretches. */
  coarse(max: number): [number, number][] {
    const list = this.#list;
    if (list.length <= max) return list;
    const holes = list.slice(1).map(([from], i) => from - (list[i]?.[1] ?? 0));
    const smallest = [...holes.keys()].sort((a, b) => (holes[a] ?? 0) - (holes[b] ?? 0));
    const filled = new Set(smallest.slice(0, list.length - max));
    const coarse: [number, number][] = [];
    for (const [i, [from, to]] of list.entries()) {
      const last = coarse.at(-1);
      if (last && filled.has(i - 1)) last[1] = to;
      else coarse.push([from, to]);
    }
    return coarse;
  }

  /** Index of the first stretch that ends at `n` or later. */
  #find(n: number): number {
    return firstPlace(this.#list.length, (at) => (this.#list[at]?.[1] ?? 0) < n);
  }
}
