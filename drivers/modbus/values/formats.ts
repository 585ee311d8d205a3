/**
 * What registers hold when it is not plainly a number or a text. Pure functions on the bytes of the
 * value, most significant first.
 */
import type { TagType, Value } from '../../../gateway/contract/index.js';
import type { KeyReader } from '../../lib/keys.js';
import { clockFormats } from './clocks.js';
import { fromHalf, toHalf } from './half.js';

export interface Format {
  readonly name: string;
  /** Registers that it takes; undefined = those of the type. */
  readonly registers?: number;
  /** The raw value, or undefined when the bytes make none. Missing for `plain`. */
  decode?: (bytes: Uint8Array) => Value | undefined;
  /** The bytes, or undefined when the value does not fit. Missing where it cannot be written. */
  encode?: (value: Value) => Uint8Array | undefined;
}

export const formats = [
  'plain',
  'bcd',
  'float16',
  'sign-magnitude',
  'hex',
  'clock-registers',
  'clock-bcd',
  'clock-iec870',
  'clock-cp56',
] as const;
export type FormatName = (typeof formats)[number];

/** Which types a format may have. */
const typesOf: Readonly<Record<FormatName, readonly TagType[]>> = {
  plain: [],
  bcd: ['uint16', 'uint32', 'uint64'],
  float16: ['float32'],
  'sign-magnitude': ['int16', 'int32'],
  hex: ['string'],
  'clock-registers': ['string', 'float64'],
  'clock-bcd': ['string', 'float64'],
  'clock-iec870': ['string', 'float64'],
  'clock-cp56': ['string', 'float64'],
};

const plain: Format = { name: 'plain' };

/** The name itself, or `plain` with a problem at `format` when the two do not go together. */
export function goesWith(keys: KeyReader, name: FormatName, type: TagType): FormatName {
  const types = typesOf[name];
  if (name === 'plain' || types.includes(type)) return name;
  keys.problem('format', `${name} is no ${type}`, `use type: ${types.join(', ')}`);
  return 'plain';
}

/** The format of that name, for a type that it goes with. */
export function formatOf(name: FormatName, type: TagType): Format {
  switch (name) {
    case 'plain':
      return plain;
    case 'bcd':
      return bcd(type === 'uint16' ? 2 : type === 'uint32' ? 4 : 8);
    case 'float16':
      return float16;
    case 'sign-magnitude':
      return signMagnitude(type === 'int16' ? 2 : 4);
    case 'hex':
      return hex;
    default:
      return clockFormats(name, type === 'string');
  }
}

/** Two decimal digits a byte. */
function bcd(size: number): Format {
  return {
    name: 'bcd',
    decode(bytes) {
      let value = 0n;
      for (const byte of bytes) {
        const [high, low] = [byte >> 4, byte & 15];
        if (high > 9 || low > 9) return undefined;
        value = value * 100n + BigInt(high * 10 + low);
      }
      return size === 8 ? value : Number(value);
    },
    encode(value) {
      const whole = typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value;
      if (typeof whole !== 'bigint' || whole < 0n || whole >= 100n ** BigInt(size))
        return undefined;
      const out = new Uint8Array(size);
      let rest = whole;
      for (let i = size - 1; i >= 0; i--) {
        const pair = Number(rest % 100n);
        out[i] = (Math.floor(pair / 10) << 4) | (pair % 10);
        rest /= 100n;
      }
      return out;
    },
  };
}

const float16: Format = {
  name: 'float16',
  registers: 1,
  decode: ([high = 0, low = 0]) => fromHalf((high << 8) | low),
  encode(value) {
    const half = typeof value === 'number' ? toHalf(value) : undefined;
    return half === undefined ? undefined : Uint8Array.of(half >> 8, half & 0xff);
  },
};

/** The highest bit is the sign, the others the amount: no two's complement. */
function signMagnitude(size: number): Format {
  const top = 2 ** (size * 8 - 1);
  return {
    name: 'sign-magnitude',
    decode(bytes) {
      let raw = 0;
      for (const byte of bytes) raw = raw * 256 + byte;
      return raw >= top ? -(raw - top) : raw;
    },
    encode(value) {
      if (typeof value !== 'number' || !Number.isInteger(value) || Math.abs(value) >= top)
        return undefined;
      let raw = value < 0 ? top - value : value;
      const out = new Uint8Array(size);
      for (let i = size - 1; i >= 0; i--) {
        out[i] = raw % 256;
        raw = Math.floor(raw / 256);
      }
      return out;
    },
  };
}

const hex: Format = {
  name: 'hex',
  decode: (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(''),
  encode(value) {
    if (typeof value !== 'string' || !/^([0-9a-f]{2})*$/i.test(value)) return undefined;
    return Uint8Array.from({ length: value.length / 2 }, (_, i) =>
      Number.parseInt(value.slice(2 * i, 2 * i + 2), 16),
    );
  },
};
