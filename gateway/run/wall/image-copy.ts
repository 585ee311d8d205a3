import { isBad, Quality } from '../../contract/index.js';
import { sameTags } from '../../north/dictionary.js';
import type { Field } from '../field.js';
import type { WallClock } from '../wall-clock.js';

/** The tag image at one instant, in columns, in the order of the dictionaries: for those who look at many tags. */
export interface ImageCopy {
  /** Which tags they are: see `sameTags`. */
  readonly tags: string;
  /** When it was taken, wall ms. */
  readonly at: number;
  readonly numbers: Float64Array;
  readonly qualities: Uint8Array;
  /** Wall ms; 0: there was no value. */
  readonly times: Float64Array;
  readonly kinds: Uint8Array;
  /** Texts and large integers, by position. */
  readonly wide: ReadonlyMap<number, string | bigint>;
  /** Why devices do not serve tags, by position. */
  readonly refusals: ReadonlyMap<number, string>;
}

export function copyImage(field: Field, wall: WallClock): ImageCopy {
  const { image } = field;
  const wide = new Map<number, string | bigint>();
  const refusals = new Map<number, string>();
  for (const tag of image.table.tags) {
    const { index } = tag;
    const text = image.wide[index];
    if (text !== undefined) wide.set(index, text);
    if (!isBad(image.qualities[index] ?? Quality.internal)) continue;
    const why = field.refusalOf(tag);
    if (why !== undefined) refusals.set(index, why);
  }
  return {
    tags: sameTags(field.plan.dictionaries.values()),
    at: wall.now(),
    // It may be on its way for a while, and the image goes on.
    numbers: image.numbers.slice(),
    qualities: image.qualities.slice(),
    times: image.times.map((time) => (time === 0 ? 0 : wall.of(time))),
    kinds: image.table.kinds,
    wide,
    refusals,
  };
}
