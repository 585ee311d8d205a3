import type { TagType, Value } from '../../../gateway/contract/index.js';
import { formatOf } from './formats.js';
import { placeOfWord } from './orders.js';
import type { RegisterValue } from './value.js';

/** Bytes for the wire, or why the value cannot be sent. */
export type Encoded =
  { readonly ok: true; readonly data: Uint8Array } | { readonly ok: false; readonly code: string };

export const integerBits: Partial<Record<TagType, readonly [bits: number, signed: boolean]>> = {
  int8: [8, true],
  uint8: [8, false],
  int16: [16, true],
  uint16: [16, false],
  int32: [32, true],
  uint32: [32, false],
  int64: [64, true],
  uint64: [64, false],
};

const refuse = (code: string): Encoded => ({ ok: false, code });
const misfit = (type: TagType): Encoded => refuse(`value does not fit ${type}`);

/** True, false, 0 and 1 as a bit; undefined for everything else. */
export function asBit(value: Value): boolean | undefined {
  if (value === true || value === 1 || value === 1n) return true;
  if (value === false || value === 0 || value === 0n) return false;
  return undefined;
}

/**
 * The integer that is meant, or undefined. A millionth off counts as the integer: taking a scale out
 * of 12.3 in units of 0.1 gives 123.00000000000001.
 */
export function asInteger(value: Value): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
  const nearest = Math.round(value);
  return Math.abs(value - nearest) < 1e-6 ? BigInt(nearest) : undefined;
}

function integer(type: TagType, value: Value, bits: number, signed: boolean): Encoded {
  const whole = asInteger(value);
  if (whole === undefined)
    return typeof value === 'number' && Number.isFinite(value)
      ? refuse(`value is not a whole number, as ${type} needs`)
      : misfit(type);
  const fitted = signed ? BigInt.asIntN(bits, whole) : BigInt.asUintN(bits, whole);
  if (fitted !== whole) return misfit(type);
  const data = new Uint8Array(bits / 8);
  let rest = BigInt.asUintN(bits, whole);
  for (let i = data.length - 1; i >= 0; i--) {
    data[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return { ok: true, data };
}

function float(type: TagType, value: Value): Encoded {
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) return misfit(type);
  const data = new Uint8Array(type === 'float32' ? 4 : 8);
  const view = new DataView(data.buffer);
  if (type === 'float64') view.setFloat64(0, number);
  else if (Number.isFinite(Math.fround(number))) view.setFloat32(0, number);
  else return misfit(type);
  return { ok: true, data };
}

function string(address: RegisterValue, value: Value): Encoded {
  if (typeof value !== 'string' || value.includes('\u0000')) return misfit('string');
  const bytes = charsOf(address, value);
  if (!bytes) return refuse(`the text cannot be written as ${address.encoding}`);
  if (bytes.length > address.length)
    return refuse(`value takes ${bytes.length} bytes, the tag has ${address.length}`);
  const data = new Uint8Array(address.count * address.words * 2).fill(address.pad);
  // A blank of two bytes.
  if (address.encoding === 'utf-16be') for (let i = 0; i < data.length; i += 2) data[i] = 0;
  data.set(bytes);
  return { ok: true, data };
}

function charsOf({ encoding }: RegisterValue, value: string): Uint8Array | undefined {
  if (encoding === 'utf-8') return new TextEncoder().encode(value);
  const codes = Array.from({ length: value.length }, (_, i) => value.charCodeAt(i));
  // Of GBK only the part that is ASCII: there is no table of the rest here.
  const most = encoding === 'latin1' ? 0xff : 0x7f;
  if (encoding === 'utf-16be') return Uint8Array.from(codes.flatMap((c) => [c >> 8, c & 0xff]));
  return codes.every((c) => c <= most) ? Uint8Array.from(codes) : undefined;
}

function special({ format: name, type, count }: RegisterValue, value: Value): Encoded {
  const format = formatOf(name, type);
  if (!format.encode) return refuse(`${format.name} cannot be written`);
  const bytes = format.encode(typeof value === 'number' ? nearlyWhole(value) : value);
  if (!bytes || bytes.length > count * 2) return misfit(type);
  const data = new Uint8Array(count * 2);
  data.set(bytes);
  return { ok: true, data };
}

/** As for integers: what scaling left behind is not meant. */
function nearlyWhole(value: number): number {
  const nearest = Math.round(value);
  return Math.abs(value - nearest) < 1e-6 ? nearest : value;
}

/** Most significant byte first becomes the order of the device. */
function reorder(data: Uint8Array, address: RegisterValue): Uint8Array {
  const out = new Uint8Array(data.length);
  const words = data.length / 2;
  const isText = address.type === 'string';
  for (let i = 0; i < words; i++) {
    const from = (isText ? i : placeOfWord(address, i, words)) * 2;
    out[i * 2] = data[address.swapBytes ? from + 1 : from] as number;
    out[i * 2 + 1] = data[address.swapBytes ? from : from + 1] as number;
  }
  return out;
}

/**
 * A raw value as the registers of its tag, two bytes each in wire order; not for bool. Refuses what
 * the type cannot hold exactly, rather than cut it.
 */
export function encodeValue(address: RegisterValue, value: Value): Encoded {
  const { type } = address;
  const bits = integerBits[type];
  let encoded: Encoded;
  if (address.format !== 'plain') encoded = special(address, value);
  else if (bits) encoded = integer(type, value, bits[0], bits[1]);
  else if (type === 'string') encoded = string(address, value);
  else encoded = float(type, value);
  return encoded.ok ? { ok: true, data: reorder(encoded.data, address) } : encoded;
}
