import { rawOf, type TagType, type Value } from '../contract/index.js';
import type { TagImage } from '../tags/image.js';
import type { TagInfo } from '../tags/table.js';

/** The value in engineering units as the device's raw value; undefined when the type cannot hold it. */
export function toRaw({ table }: TagImage, tag: TagInfo, value: Value): Value | undefined {
  return rawOf(table.conversionOf(tag), value);
}

/** Does the value read back stand for the value written? One raw step of difference is none. */
export function isSame(image: TagImage, tag: TagInfo, written: Value, read: Value): boolean {
  if (typeof written === 'number' && typeof read === 'number') {
    const step = isFloat(tag.type) ? 0 : Math.abs(image.table.scales[tag.index] ?? 1) / 2;
    // A float32 is as fine as its raw value, which the offset may make much larger than the value.
    const largest = Math.abs(written) + Math.abs(image.table.offsets[tag.index] ?? 0);
    return Math.abs(written - read) <= Math.max(step, 1e-6 * largest);
  }
  if (typeof written === 'bigint' || typeof read === 'bigint')
    return String(written) === String(read);
  return written === read;
}

function isFloat(type: TagType): boolean {
  return type === 'float32' || type === 'float64';
}

/** `true`, `12.5`, `"text"` or an enumeration text, as typed by a person, as a value of the tag. */
export function parseTyped(tag: TagInfo, typed: string | number | boolean): Value | undefined {
  if (typeof typed !== 'string')
    return tag.type === 'bool' && typeof typed === 'number' ? typed !== 0 : typed;
  if (tag.type === 'string') return typed;
  for (const [number, text] of tag.enumeration ?? []) if (text === typed) return number;
  if (tag.type === 'bool') {
    if (['true', 'on', '1'].includes(typed)) return true;
    return ['false', 'off', '0'].includes(typed) ? false : undefined;
  }
  if (typed.trim() === '') return undefined;
  if ((tag.type === 'int64' || tag.type === 'uint64') && /^-?\d{16,20}$/.test(typed))
    return BigInt(typed);
  const number = Number(typed);
  return Number.isFinite(number) ? number : undefined;
}
