/** Times in buckets that grow by a quarter octave from 0.25 ms: percentiles to within 19 %. */
export class TimeHistogram {
  readonly #counts: Uint32Array = new Uint32Array(96);
  #total = 0;
  #max = 0;

  get total(): number {
    return this.#total;
  }
  /** The longest time, ms. */
  get max(): number {
    return this.#max;
  }

  add(ms: number): void {
    const bucket = Math.round(4 * Math.log2(Math.max(ms, 0.25) * 4));
    const at = Math.min(bucket, this.#counts.length - 1);
    this.#counts[at] = (this.#counts[at] as number) + 1;
    this.#total++;
    if (ms > this.#max) this.#max = ms;
  }

  /** @param share 0.5 for the median. @returns ms; 0 when there is nothing yet */
  percentile(share: number): number {
    let rest = share * this.#total;
    for (let i = 0; i < this.#counts.length && this.#total > 0; i++) {
      rest -= this.#counts[i] as number;
      if (rest <= 0) return Math.min(this.#max, 2 ** (i / 4) / 4);
    }
    return this.#max;
  }
}
