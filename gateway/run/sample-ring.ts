/** One remembered sample, by its place in the ring; nothing is made for it. */
export interface RingView {
  readonly at: number;
  readonly tag: number;
  readonly number: number;
  readonly wide: string | bigint | undefined;
  readonly quality: number;
}

/** The last samples in arrays of a fixed size: pushing allocates nothing, the oldest goes when it is full. */
export class SampleRing {
  readonly #size: number;
  readonly #at: Float64Array;
  readonly #tag: Int32Array;
  readonly #number: Float64Array;
  readonly #quality: Uint8Array;
  /** Texts and 64-bit integers, by place; most samples have none. */
  readonly #wide = new Map<number, string | bigint>();
  #next = 0;
  #count = 0;
  /** Time of the youngest sample that went for want of room. */
  lostUntil: number = -Infinity;

  constructor(size: number) {
    this.#size = size;
    this.#at = new Float64Array(size);
    this.#tag = new Int32Array(size);
    this.#number = new Float64Array(size);
    this.#quality = new Uint8Array(size);
  }

  push(
    at: number,
    tag: number,
    number: number,
    wide: string | bigint | undefined,
    quality: number,
  ): void {
    const place = this.#next;
    if (this.#count === this.#size) this.lostUntil = this.#at[place] as number;
    else this.#count++;
    this.#at[place] = at;
    this.#tag[place] = tag;
    this.#number[place] = number;
    this.#quality[place] = quality;
    if (wide !== undefined) this.#wide.set(place, wide);
    else if (this.#wide.size > 0) this.#wide.delete(place);
    this.#next = (place + 1) % this.#size;
  }

  /** Samples of a time, oldest first. For writing a record: makes an object for each. */
  *between(from: number, to: number): Generator<RingView> {
    for (let i = 0; i < this.#count; i++) {
      const place = (this.#next - this.#count + i + this.#size) % this.#size;
      const at = this.#at[place] as number;
      if (at < from || at > to) continue;
      yield {
        at,
        tag: this.#tag[place] as number,
        number: this.#number[place] as number,
        wide: this.#wide.get(place),
        quality: this.#quality[place] as number,
      };
    }
  }
}
