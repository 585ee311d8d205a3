/**
 * Values of every type, where they lie in a block of registers, how our tags name them and what another
 * library must pack there for us to read them. Nothing of the driver is used to make them.
 */
import type { Value } from '../../gateway/contract/index.js';
import type { TagSource } from '../conformance/types.js';

export const orders = ['ABCD', 'CDAB', 'BADC', 'DCBA'] as const;
export type Order = (typeof orders)[number];

/** Registers of one order's block. */
export const blockSize = 50;

export function blockOf(order: Order): number {
  return orders.indexOf(order) * blockSize;
}

export interface Sample {
  readonly int16: number;
  readonly uint16: number;
  readonly int32: number;
  readonly uint32: number;
  readonly int64: bigint;
  readonly uint64: bigint;
  readonly float32: number;
  readonly float64: number;
  /** At most 8 bytes, and at most 7. */
  readonly text: string;
  readonly shortText: string;
  /** Two registers of two bytes: signed high, unsigned low; unsigned high, signed low. */
  readonly su: readonly [number, number];
  readonly us: readonly [number, number];
  readonly bits: number;
  /** Words of 16, 32 and 64 bits of which parts are tags. */
  readonly word16: number;
  readonly word32: number;
  readonly word64: bigint;
}

export const samples: Readonly<Record<'typical' | 'least' | 'most' | 'zero' | 'mixed', Sample>> = {
  typical: {
    int16: -1234,
    uint16: 54_321,
    int32: -123_456_789,
    uint32: 3_456_789_012,
    int64: -1_234_567_890_123_456_789n,
    uint64: 12_345_678_901_234_567_890n,
    float32: Math.fround(-21.1),
    float64: Math.PI,
    text: 'Millrace',
    shortText: 'Zähler',
    su: [-100, 123],
    us: [201, -7],
    bits: 0x8a5c,
    word16: 0x9a5c,
    word32: 0xdead_beef,
    word64: 0x0123_4567_89ab_cdefn,
  },
  least: {
    int16: -32_768,
    uint16: 1,
    int32: -2_147_483_648,
    uint32: 1,
    int64: -9_223_372_036_854_775_808n,
    uint64: 1n,
    float32: -3.4028234663852886e38,
    float64: -Number.MAX_VALUE,
    text: 'a',
    shortText: 'b',
    su: [-128, 1],
    us: [1, -128],
    bits: 1,
    word16: 0x8001,
    word32: 0x8000_0001,
    word64: 0x8000_0000_0000_0001n,
  },
  most: {
    int16: 32_767,
    uint16: 65_535,
    int32: 2_147_483_647,
    uint32: 4_294_967_295,
    int64: 9_223_372_036_854_775_807n,
    uint64: 18_446_744_073_709_551_615n,
    float32: 2 ** -149,
    float64: Number.MIN_VALUE,
    text: 'ÄÖÜß',
    shortText: '1234567',
    su: [127, 255],
    us: [255, 127],
    bits: 0xffff,
    word16: 0xffff,
    word32: 0xffff_ffff,
    word64: 0xffff_ffff_ffff_ffffn,
  },
  zero: {
    int16: 0,
    uint16: 0,
    int32: 0,
    uint32: 0,
    int64: 0n,
    uint64: 0n,
    float32: 0,
    float64: 0,
    text: '',
    shortText: '',
    su: [0, 0],
    us: [0, 0],
    bits: 0,
    word16: 0,
    word32: 0,
    word64: 0n,
  },
  mixed: {
    int16: -2,
    uint16: 0x3a0d,
    int32: -65_537,
    uint32: 0x0d0a_3a0a,
    int64: -9_007_199_254_740_995n,
    uint64: 9_007_199_254_740_993n,
    float32: 1.5,
    float64: -2.25,
    text: ':03\r\n 7A',
    shortText: 'x y',
    su: [58, 13],
    us: [10, 58],
    bits: 0x0180,
    word16: 0x7ff8,
    word32: 0x0007_fc00,
    word64: 0x0003_ffff_c000_0000n,
  },
};

type WordKey = 'bits' | 'word16' | 'word32' | 'word64';

/** Bits `low` to `high` of a word, as a tag of this type. */
interface Part {
  readonly of: WordKey;
  readonly at: number;
  readonly low: number;
  readonly high: number;
  readonly type: TagSource['type'];
}

/** Each bit of a word64 or word32 that no part has must stay as it was. */
export const parts: readonly Part[] = [
  ...[0, 7, 8, 15].map(
    (bit) => ({ of: 'bits', at: 30, low: bit, high: bit, type: 'bool' }) as const,
  ),
  { of: 'word16', at: 31, low: 0, high: 3, type: 'uint8' },
  { of: 'word16', at: 31, low: 4, high: 9, type: 'uint16' },
  { of: 'word16', at: 31, low: 10, high: 12, type: 'int8' },
  { of: 'word16', at: 31, low: 13, high: 15, type: 'int16' },
  { of: 'word32', at: 32, low: 10, high: 20, type: 'uint32' },
  { of: 'word32', at: 32, low: 26, high: 31, type: 'int32' },
  { of: 'word64', at: 34, low: 30, high: 50, type: 'uint64' },
];

/** Name, type, first register and further keys of the tags that are not parts of words. */
const wholes: readonly (readonly [string, TagSource['type'], string, object])[] = [
  ['int16', 'int16', '0', {}],
  ['uint16', 'uint16', '1', {}],
  ['int32', 'int32', '2', {}],
  ['uint32', 'uint32', '4', {}],
  ['int64', 'int64', '6', {}],
  ['uint64', 'uint64', '10', {}],
  ['float32', 'float32', '14', {}],
  ['float64', 'float64', '16', {}],
  ['text', 'string', '20', { length: 8 }],
  ['shortText', 'string', '24', { length: 7 }],
  ['int8 high', 'int8', '28.high', {}],
  ['uint8 low', 'uint8', '28.low', {}],
  ['uint8 high', 'uint8', '29.high', {}],
  ['int8', 'int8', '29', {}],
];

function partName({ of, low, high, type }: Part): string {
  return `${type} ${of}.${String(low)}-${String(high)}`;
}

/** Our tags of one block, by name. */
export function tagsOf(table: 'hr' | 'ir', order: Order): Record<string, TagSource> {
  const tags: Record<string, TagSource> = {};
  const block = blockOf(order);
  const add = (name: string, type: TagSource['type'], at: string, more: object = {}): void => {
    const [register = '', suffix] = at.split('.');
    const place = `${table}:${String(block + Number(register))}`;
    const address = suffix === undefined ? place : `${place}.${suffix}`;
    tags[`${order} ${name}`] = { type, address, byteOrder: order, ...more };
  };
  for (const [name, type, at, more] of wholes) add(name, type, at, more);
  for (const part of parts) {
    const { at, low, high, type } = part;
    const suffix = low === high ? String(low) : `${String(low)}-${String(high)}`;
    add(partName(part), type, `${String(at)}.${suffix}`);
  }
  return tags;
}

function partValue(sample: Sample, { of, low, high, type }: Part): Value {
  const width = high - low + 1;
  const shifted = BigInt(sample[of]) >> BigInt(low);
  if (type === 'bool') return (shifted & 1n) === 1n;
  const value = type.startsWith('u')
    ? BigInt.asUintN(width, shifted)
    : BigInt.asIntN(width, shifted);
  return type.endsWith('64') ? value : Number(value);
}

/** What each tag must read, by name. */
export function valuesOf(sample: Sample, order: Order): Record<string, Value> {
  const { int16, uint16, int32, uint32, int64, uint64, float32, float64 } = sample;
  const values: Record<string, Value> = {
    ...{ int16, uint16, int32, uint32, int64, uint64, float32, float64 },
    // Trailing blanks are cut; none of the samples has any.
    ...{ text: sample.text, shortText: sample.shortText },
    'int8 high': sample.su[0],
    'uint8 low': sample.su[1],
    'uint8 high': sample.us[0],
    int8: sample.us[1],
  };
  for (const part of parts) values[partName(part)] = partValue(sample, part);
  return Object.fromEntries(Object.entries(values).map(([name, v]) => [`${order} ${name}`, v]));
}

/** A word of which only the parts hold what the sample says; the other bits are those of `rest`. */
function composed(sample: Sample, of: WordKey, rest: bigint): bigint {
  let mask = 0n;
  for (const part of parts)
    if (part.of === of) mask |= ((1n << BigInt(part.high - part.low + 1)) - 1n) << BigInt(part.low);
  return (BigInt(sample[of]) & mask) | (rest & ~mask);
}

function hexOf(text: string, size: number): string {
  const bytes = Buffer.alloc(size);
  bytes.write(text);
  return bytes.toString('hex');
}

/** A value as the peer packs it: `hr 100 int16 ABCD`, and its text. */
export interface Packed {
  readonly place: string;
  readonly value: string;
}

/** What the peer must pack into a block; words as they stand, or composed onto `rest`. */
export function packsOf(
  sample: Sample,
  table: 'hr' | 'ir',
  order: Order,
  rest?: Sample,
): readonly Packed[] {
  const pack = (at: number, kind: string, value: string | number | bigint): Packed => ({
    place: `${table} ${String(blockOf(order) + at)} ${kind} ${order}`,
    value: String(value),
  });
  const word = (of: WordKey): bigint =>
    rest ? composed(sample, of, BigInt(rest[of])) : BigInt(sample[of]);
  return [
    pack(0, 'int16', sample.int16),
    pack(1, 'uint16', sample.uint16),
    pack(2, 'int32', sample.int32),
    pack(4, 'uint32', sample.uint32),
    pack(6, 'int64', sample.int64),
    pack(10, 'uint64', sample.uint64),
    pack(14, 'float32', sample.float32),
    pack(16, 'float64', sample.float64),
    pack(20, 'text', hexOf(sample.text, 8)),
    pack(24, 'text', hexOf(sample.shortText, 8)),
    pack(28, 'su', sample.su.join(',')),
    pack(29, 'us', sample.us.join(',')),
    pack(30, 'uint16', word('bits')),
    pack(31, 'uint16', word('word16')),
    pack(32, 'uint32', word('word32')),
    pack(34, 'uint64', word('word64')),
  ];
}

/** Floats as numbers of their size: each library has its own way to write them. */
export function samePacked({ place, value }: Packed, got: string): boolean {
  if (place.includes(' float64 ')) return Number(got) === Number(value);
  return place.includes(' float32 ') ? Math.fround(Number(got)) === Number(value) : got === value;
}
