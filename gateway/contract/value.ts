/** A value in engineering units. `null` means that there is none (its quality says why). */
export type Value = boolean | number | bigint | string | null;

/** Types of tags, as in the configuration. `bool` is stored as 0 or 1. */
export const tagTypes = [
  'bool',
  'int8',
  'uint8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'float32',
  'float64',
  'string',
] as const;
export type TagType = (typeof tagTypes)[number];

export type IntegerType = Exclude<TagType, 'bool' | 'string' | 'float32' | 'float64'>;

/** Range of each integer type; for 64 bits, of the doubles in it. */
export const integerRanges: Readonly<Record<IntegerType, readonly [low: number, high: number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32_768, 32_767],
  uint16: [0, 65_535],
  int32: [-2_147_483_648, 2_147_483_647],
  uint32: [0, 4_294_967_295],
  int64: [-(2 ** 63), 2 ** 63 - 1_024],
  uint64: [0, 2 ** 64 - 2_048],
};

/**
 * How a tag is stored: `num` in the Float64Array of the image, `wide` beside it (strings, and 64-bit
 * integers that stay exact; their nearest double is kept in `num` for rules and deadbands).
 */
export function isWide(type: TagType, scaled: boolean): boolean {
  return type === 'string' || ((type === 'int64' || type === 'uint64') && !scaled);
}

/** A value as one JSON scalar: integers above 2^53 as strings, NaN and infinities as null. */
export function jsonValue(value: Value): string | number | boolean | null {
  if (typeof value === 'bigint') {
    const asNumber = Number(value);
    return Number.isSafeInteger(asNumber) ? asNumber : value.toString();
  }
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  return value;
}
