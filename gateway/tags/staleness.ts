import { Quality, isBad } from '../contract/index.js';
import type { TagImage } from './image.js';

/**
 * Finds values that are older than their tag allows. Goes over the image in slices, so that a large
 * plant costs no long pause: each call looks at a share, every tag is seen at least once in `rounds` calls.
 */
export class StalenessSweep {
  readonly #image: TagImage;
  readonly #slice: number;
  #next = 0;

  constructor(image: TagImage, rounds = 4) {
    this.#image = image;
    this.#slice = Math.ceil(image.size / rounds);
  }

  /** Marks what went stale and puts its positions into `found`. */
  sweep(now: number, found: number[]): void {
    const { qualities, times, table, size } = this.#image;
    const end = Math.min(size, this.#next + this.#slice);
    for (let tag = this.#next; tag < end; tag++) {
      if (now - (times[tag] as number) <= (table.stales[tag] as number)) continue;
      const quality = qualities[tag] as number;
      if (isBad(quality)) continue;
      qualities[tag] = Quality.stale;
      found.push(tag);
    }
    this.#next = end >= size ? 0 : end;
  }
}
