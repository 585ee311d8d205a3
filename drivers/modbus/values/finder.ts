/**
 * Reads registers in every way there is, to find out which one is meant: side by side for people, and
 * ranked against the value that the panel of the device shows.
 */
import { Batch, mono, type TagType, type Value } from '../../../gateway/contract/index.js';
import { Decoder } from './decode.js';
import type { FormatName } from './formats.js';
import { byteOrders, longOrders, swapsOf } from './orders.js';
import { registersOf, type RegisterValue } from './value.js';

/** A way to read registers. */
export interface Reading {
  readonly type: TagType;
  /** As `byteOrder:` has it. */
  readonly order: string;
  readonly format: FormatName;
}

/** One decoding that gives the expected value. */
export interface Candidate extends Reading {
  /** Offset of its first register within those given. */
  readonly offset: number;
  /** Raw × scale is the value. */
  readonly scale: number;
  readonly value: number;
  /** Smaller is likelier. */
  readonly score: number;
}

const numbers: readonly TagType[] = [
  'uint16',
  'int16',
  'float32',
  'uint32',
  'int32',
  'float64',
  'uint64',
  'int64',
];
const scales = [1, 0.1, 0.01, 0.001, 10, 100, 1_000] as const;

/** All decodings of numbers. One register has two orders of its bytes, more have four. */
export const readings: readonly Reading[] = [
  ...numbers.flatMap((type) => ordersOf(type).map((order) => ({ type, order, format: 'plain' }))),
  ...(['uint16', 'uint32'] as const).flatMap((type) =>
    ordersOf(type).map((order) => ({ type, order, format: 'bcd' })),
  ),
  { type: 'float32', order: 'ABCD', format: 'float16' },
] as readonly Reading[];

function ordersOf(type: TagType): readonly string[] {
  if (registersOf[type] === 1) return ['ABCD', 'BADC'];
  return registersOf[type] === 4 ? [...byteOrders, ...longOrders] : byteOrders;
}

/** Registers that the reading takes. */
export function widthOf({ type, format }: Reading): number {
  return format === 'float16' ? 1 : registersOf[type];
}

/**
 * The value of the registers from `offset` on.
 * @param words registers as they came
 * @returns undefined when there are not enough, or when they make no value
 */
export function decodeAt(
  words: readonly number[],
  offset: number,
  how: Reading,
): Value | undefined {
  const count = widthOf(how);
  if (offset + count > words.length) return undefined;
  const data = Uint8Array.from(
    words.slice(offset, offset + count).flatMap((word) => [word >> 8, word & 0xff]),
  );
  const address: RegisterValue = {
    table: 'hr',
    start: 0,
    count,
    words: 1,
    type: how.type,
    format: how.format,
    bit: undefined,
    field: undefined,
    ...swapsOf(how.order),
    length: 0,
    encoding: 'utf-8',
    pad: 0,
    ends: [0],
    invalid: undefined,
    scaled: undefined,
  };
  const batch = new Batch(1);
  batch.begin(mono(0));
  new Decoder([{ tag: 0, name: '', device: '', type: how.type, address }], 0).decode(
    data,
    0,
    batch,
  );
  if (batch.qualities[0] !== 0) return undefined;
  const wide = batch.wide[0];
  return typeof wide === 'bigint' ? wide : batch.numbers[0];
}

/**
 * Decodings of the registers that give `expected`, likeliest first. A panel shows a rounded value: half of
 * its last digit is no difference.
 * @param shown the value as the panel shows it, such as `231.40`
 */
export function findDecodings(words: readonly number[], shown: string): readonly Candidate[] {
  const expected = Number(shown);
  const digits = /\.(\d+)$/.exec(shown)?.[1]?.length ?? 0;
  const tolerance = 0.5000001 * 10 ** -digits;
  const found: Candidate[] = [];
  for (let offset = 0; offset < words.length; offset++) {
    for (const how of readings) {
      const raw = decodeAt(words, offset, how);
      if (raw === undefined || !Number.isFinite(Number(raw))) continue;
      for (const scale of how.type.startsWith('float') ? ([1, 0.001, 1_000] as const) : scales) {
        const value = Number(raw) * scale;
        const off = Math.abs(value - expected);
        if (off > tolerance) continue;
        found.push({
          ...how,
          offset,
          scale,
          value,
          score: penalty(how, scale, Number(raw)) + off / tolerance,
        });
      }
    }
  }
  return found.sort((a, b) => a.score - b.score || a.offset - b.offset);
}

/**
 * How little a match says: what chance would give often comes last, and rare ways after common ones. A
 * float that fits has about twenty bits right, an integer those that are not leading zeros.
 */
function penalty({ type, order, format }: Reading, scale: number, raw: number): number {
  const bits =
    type.startsWith('float') && format === 'plain' ? 20 : Math.log2(Math.abs(raw) + 2) + 4;
  const ofOrder =
    new Map<string, number>([
      ['ABCD', 0],
      ['CDAB', 0.5],
      ['DCBA', 2],
      ['BADC', 3],
    ]).get(order) ?? 3.5;
  const ofType = type.endsWith('64') ? 3 : type.startsWith('int') ? 0.5 : 0;
  const ofFormat = format === 'plain' ? 0 : 3;
  const ofScale = scale === 1 ? 0 : scale < 1 ? 0.5 - Math.log10(scale) * 0.5 : 4;
  return ofOrder + ofType + ofFormat + ofScale - bits;
}
