import { isBad, jsonValue, qualityLevel, qualityReason, type Value } from '../contract/index.js';

/** One tag as the command line shows it. */
export interface TagView {
  readonly name: string;
  readonly value: string | number | boolean | null;
  readonly text: string | undefined;
  readonly unit: string | undefined;
  readonly quality: string;
  readonly reason: string;
  /** Why its device does not serve it, in its own words. */
  readonly why: string | undefined;
  /** Wall ms of the value; 0: there was none. */
  readonly time: number;
  readonly ageMs: number;
  readonly writable: boolean;
}

/** What is known of a tag, whatever it holds. */
export interface TagAbout extends Pick<TagView, 'name' | 'unit' | 'writable'> {
  readonly textOf: (value: number) => string | undefined;
}

/** What a tag holds. */
export interface TagHeld extends Pick<TagView, 'time' | 'ageMs' | 'why'> {
  /** The last one, whatever its quality. */
  readonly value: Value;
  readonly quality: number;
}

export function tagView({ name, unit, writable, textOf }: TagAbout, held: TagHeld): TagView {
  const { quality, why, time, ageMs } = held;
  const isUsable = !isBad(quality);
  const value = isUsable ? held.value : null;
  return {
    name,
    value: jsonValue(value),
    text: typeof value === 'number' ? textOf(value) : undefined,
    unit,
    quality: qualityLevel(quality),
    reason: qualityReason(quality),
    why: isUsable ? undefined : why,
    time,
    ageMs,
    writable,
  };
}
