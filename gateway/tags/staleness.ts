import { Quality, isBad } from '../contract/index.js';
import type { TagImage } from './image.js';

/** After a gap of this length the process was stopped, or something kept it: then every tag is looked at. */
const gapMs = 1_000;

/**
 * Finds values that are older than their tag allows. Goes over the image in slices, so that a large
 * plant costs no long pause: each call looks at a share, every tag is seen at least once in `rounds` calls.
 * After a long gap it looks at all of them at once, so that no rule sees a value of before the gap as good.
 */
export class StalenessSweep {
  readonly #image: TagImage;
  readonly #slice: number;
  #next = 0;
  #last = NaN;

  constructor(image: TagImage, rounds = 4) {
    this.#image = image;
    this.#slice = Math.ceil(image.size / rounds);
  }

  /** Marks what went stale and puts its positions into `found`. */
  sweep(now: number, found: number[]): void {
    const { size } = this.#image;
    const isGap = now - this.#last > gapMs;
    this.#last = now;
    if (isGap) {
      this.#look(0, size, now, found);
      return;
    }
    const end = Math.min(size, this.#next + this.#slice);
    this.#look(this.#next, end, now, found);
    this.#next = end >= size ? 0 : end;
  }

  #look(from: number, to: number, now: number, found: number[]): void {
    const { qualities, times, table } = this.#image;
    for (let tag = from; tag < to; tag++) {
      if (now - (times[tag] as number) <= (table.stales[tag] as number)) continue;
      if (isBad(qualities[tag] as number)) continue;
      qualities[tag] = Quality.stale;
      found.push(tag);
    }
  }
}
