import { integerRanges, type TagType, type Value } from './value.js';

/** Conversion of a raw value into engineering units: raw × scale + offset. */
export interface Conversion {
  readonly type: TagType;
  readonly scale: number;
  readonly offset: number;
}

/** The smallest power of ten that makes scale and offset of an integer whole, up to 10⁹; 0: none, or not needed. */
export function grainOf({ type, scale, offset }: Conversion): number {
  if ((scale === 1 && offset === 0) || !type.includes('int')) return 0;
  for (let grain = 1; grain <= 1e9; grain *= 10)
    if (isWhole(scale * grain) && isWhole(offset * grain)) return grain;
  return 0;
}
function isWhole(n: number): boolean {
  return Math.abs(n - Math.round(n)) < 1e-9 * Math.max(1, Math.abs(n));
}

/** Raw to engineering units. 613 × 0.1 is 61.3, and not 61.300000000000004. */
export function inUnits(raw: number, scale: number, offset: number, grain: number): number {
  const value = raw * scale + offset;
  return grain !== 0 ? Math.round(value * grain) / grain : value;
}

/** A value in engineering units as the raw value of the device; undefined: its type cannot hold it. */
export function rawOf({ type, scale, offset }: Conversion, value: Value): Value | undefined {
  if (type === 'bool') return typeof value === 'boolean' ? value : undefined;
  if (type === 'string') return typeof value === 'string' ? value : undefined;
  const is64 = type === 'int64' || type === 'uint64';
  // Exact where nothing is to be calculated.
  if (typeof value === 'bigint' && is64 && scale === 1 && offset === 0)
    return BigInt[type === 'int64' ? 'asIntN' : 'asUintN'](64, value) === value ? value : undefined;
  if (typeof value !== 'number' && typeof value !== 'bigint') return undefined;
  const raw = (Number(value) - offset) / scale;
  if (!Number.isFinite(raw)) return undefined;
  if (type === 'float64') return raw;
  if (type === 'float32') return Number.isFinite(Math.fround(raw)) ? raw : undefined;
  const rounded = Math.round(raw) + 0;
  const [low, high] = integerRanges[type];
  if (rounded < low || rounded > high) return undefined;
  return is64 ? BigInt(rounded) : rounded;
}

/** The values that the type can hold, in engineering units; undefined for truth values and texts. */
export function unitRange({
  type,
  scale,
  offset,
}: Conversion): readonly [low: number, high: number] | undefined {
  if (type === 'bool' || type === 'string') return undefined;
  const ends =
    type === 'float64'
      ? ([-Number.MAX_VALUE, Number.MAX_VALUE] as const)
      : type === 'float32'
        ? ([-3.4028234663852886e38, 3.4028234663852886e38] as const)
        : integerRanges[type];
  const grain = grainOf({ type, scale, offset });
  const [a, b] = [inUnits(ends[0], scale, offset, grain), inUnits(ends[1], scale, offset, grain)];
  return a <= b ? [a, b] : [b, a];
}

/** The value that the plant would show after a write of `value`: rounded like its type. */
export function asHeld(conversion: Conversion, value: number): number | undefined {
  const raw = rawOf(conversion, value);
  if (typeof raw !== 'number' && typeof raw !== 'bigint') return undefined;
  const held = conversion.type === 'float32' ? Math.fround(Number(raw)) : Number(raw);
  return inUnits(held, conversion.scale, conversion.offset, grainOf(conversion));
}
