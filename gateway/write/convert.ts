import {
  parseNumber,
  parseTruth,
  parseWhole,
  rawOf,
  type TagType,
  type Value,
} from '../contract/index.js';
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

/**
 * What a person typed, or a program sent, as a value of the tag; undefined when it is none. Nothing is bent: a number is
 * no truth value and no text, and a text is a number only as {@link parseNumber} reads it.
 */
export function parseTyped(tag: TagInfo, typed: string | number | boolean): Value | undefined {
  const { type } = tag;
  if (typeof typed === 'string') return type === 'string' ? typed : parsedText(tag, typed);
  if (typeof typed === 'boolean') return type === 'bool' ? typed : undefined;
  return type !== 'bool' && type !== 'string' && Number.isFinite(typed) ? typed : undefined;
}

function parsedText({ type, enumeration }: TagInfo, typed: string): Value | undefined {
  for (const [number, text] of enumeration ?? [])
    if (text === typed) return type === 'bool' ? number !== 0 : number;
  if (type === 'bool') return parseTruth(typed);
  const exact = type === 'int64' || type === 'uint64' ? parseWhole(typed) : undefined;
  const isBeyond = exact !== undefined && !Number.isSafeInteger(Number(exact));
  return isBeyond ? exact : parseNumber(typed);
}

/** What would be taken instead of something that is no value of the tag. */
export function typedForm({ type, enumeration }: TagInfo): string {
  const texts = [...(enumeration?.values() ?? [])].slice(0, 8).map((text) => `"${text}"`);
  const own = type === 'bool' ? 'true or false' : 'a number such as 12.5 or 1e3';
  return [own, ...texts].join(', or ');
}
