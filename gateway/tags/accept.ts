import {
  type Batch,
  inUnits,
  isBad,
  isOneSided,
  Quality,
  qualityWithin,
} from '../contract/index.js';
import type { TagImage } from './image.js';
import { Kind, type TagTable } from './table.js';

/**
 * Puts the readings of one group into the image: raw → engineering units, span check, time. Hot path:
 * nothing is allocated.
 * @param indices image position of each batch position
 * @returns how many readings are not bad
 */
export function acceptBatch(image: TagImage, indices: Int32Array, batch: Batch): number {
  const { numbers, qualities, times, doubts } = image;
  const { scales, offsets, lows, highs, kinds, grains } = image.table;
  const at = batch.sentAt;
  const own = batch.times;
  let usable = 0;
  for (let i = 0; i < indices.length; i++) {
    const tag = indices[i] as number;
    let quality = batch.qualities[i] as number;
    if (quality < 0x80) {
      const grain = grains[tag] as number;
      const raw = batch.numbers[i] as number;
      const scale = scales[tag] as number;
      const value = inUnits(raw, scale, offsets[tag] as number, grain);
      if (scale < 0 && isOneSided(quality)) quality = mirrored(quality);
      if ((kinds[tag] as number) >= Kind.text) {
        image.wide[tag] = batch.wide[i];
      } else if (!Number.isFinite(value)) {
        quality = Quality.decode;
      } else if (value < (lows[tag] as number) || value > (highs[tag] as number)) {
        quality = outside(image.table, tag, value, quality);
      }
      if (quality < 0x80) {
        numbers[tag] = value;
        usable++;
      }
    }
    qualities[tag] = quality === Quality.good && doubts[tag] === 1 ? Quality.suspect : quality;
    times[tag] = own === undefined ? at : (own[i] as number);
  }
  return usable;
}

/** What the device calls high is low in units that count the other way. */
function mirrored(quality: number): number {
  return quality === Quality.aboveRange ? Quality.belowRange : Quality.aboveRange;
}

/** Outside its span. What the device doubts for another reason may have failed, and is no more than doubted. */
function outside({ bands }: TagTable, tag: number, value: number, quality: number): number {
  const own = bands[tag];
  if (!own) return quality;
  const found = qualityWithin(value, own);
  const isOpen = quality === Quality.good || quality === Quality.outOfRange;
  return isOpen || isBad(found) ? found : quality;
}

/** The device gave the same bytes as before: the values stand, only their age is new. */
export function acceptUnchanged(image: TagImage, indices: Int32Array, at: number): void {
  const times = image.times;
  for (const tag of indices) times[tag] = at;
}

/** Nothing came for these tags: their last values stay for the record, their quality says why. */
export function acceptBad(image: TagImage, indices: Int32Array, quality: number, at: number): void {
  for (const tag of indices) {
    if (image.qualities[tag] === quality) continue;
    image.qualities[tag] = quality;
    image.times[tag] = at;
  }
}
