import {
  Batch,
  isGood,
  Quality,
  type TagBinding,
  type Value,
} from '../../../gateway/contract/index.js';
import { isRegisters } from '../frames/tables.js';
import { formatOf, type Format } from './formats.js';
import { placeOfWord } from './orders.js';
import { inUnits, type Scaled, type ScaleKind } from './scales.js';
import type { Encoding, RegisterValue } from './value.js';

/** How a value is taken from the bytes. Numbers, not words: the fast path switches once per run. */
const Op = {
  coil: 0,
  uint16: 1,
  int16: 2,
  uint16Swapped: 3,
  int16Swapped: 4,
  registerBit: 5,
  uint32: 6,
  int32: 7,
  float32: 8,
  uint64: 9,
  int64: 10,
  float64: 11,
  text: 12,
  field: 13,
  special: 14,
  scaled: 15,
} as const;
type OpCode = (typeof Op)[keyof typeof Op];

const scratch = new DataView(new ArrayBuffer(8));
type TextDecoding = InstanceType<typeof TextDecoder>;
const decoders = new Map<Encoding, TextDecoding>();

/** Strict, and kept: making one is dear. */
function decoderOf(encoding: Encoding): TextDecoding {
  let decoder = decoders.get(encoding);
  if (!decoder) {
    decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
    decoders.set(encoding, decoder);
  }
  return decoder;
}

function opOf(address: RegisterValue): OpCode {
  if (address.scaled) return Op.scaled;
  if (!isRegisters(address.table)) return Op.coil;
  if (address.format !== 'plain') return Op.special;
  if (address.field) return Op.field;
  switch (address.type) {
    case 'bool':
      return Op.registerBit;
    case 'uint16':
      return address.swapBytes ? Op.uint16Swapped : Op.uint16;
    case 'int16':
      return address.swapBytes ? Op.int16Swapped : Op.int16;
    case 'string':
      return Op.text;
    case 'int8':
    case 'uint8':
      return Op.field;
    default:
      return Op[address.type];
  }
}

/** One register, from two bytes. */
function word(bytes: Uint8Array, at: number, swapBytes: boolean): number {
  const first = bytes[at] as number;
  const second = bytes[at + 1] as number;
  return swapBytes ? (second << 8) | first : (first << 8) | second;
}

/** Two registers as an unsigned 32-bit integer. */
function double(bytes: Uint8Array, at: number, swapBytes: boolean, swapWords: boolean): number {
  const high = word(bytes, swapWords ? at + 2 : at, swapBytes);
  const low = word(bytes, swapWords ? at : at + 2, swapBytes);
  return high * 65_536 + low;
}

/** Four registers into the scratch, most significant byte first. */
function loadScratch(
  bytes: Uint8Array,
  at: number,
  swapBytes: boolean,
  swapWords: boolean,
  swapHalves: boolean,
): DataView {
  const upper = swapHalves ? at + 4 : at;
  const lower = swapHalves ? at : at + 4;
  scratch.setUint32(0, double(bytes, upper, swapBytes, swapWords));
  scratch.setUint32(4, double(bytes, lower, swapBytes, swapWords));
  return scratch;
}

/** Registers with the most significant byte first; words are only reversed where they make one number. */
function ordered(bytes: Uint8Array, at: number, a: RegisterValue, isNumber: boolean): Uint8Array {
  const size = a.count * a.words;
  const out = new Uint8Array(size * 2);
  for (let i = 0; i < size; i++) {
    const value = word(bytes, at + i * 2, a.swapBytes);
    const to = (isNumber ? placeOfWord(a, i, size) : i) * 2;
    out[to] = value >> 8;
    out[to + 1] = value & 0xff;
  }
  return out;
}

/** Text up to the first byte that ends it, without trailing blanks; undefined when it is not in its encoding. */
function text(bytes: Uint8Array, at: number, a: RegisterValue): string | undefined {
  const chars = ordered(bytes, at, a, false).subarray(0, a.length);
  const step = a.encoding === 'utf-16be' ? 2 : 1;
  let size = 0;
  const isEnd = (byte: number | undefined): boolean => a.ends.includes(byte ?? 0);
  while (size + step <= a.length && !(isEnd(chars[size]) && (step === 1 || isEnd(chars[size + 1]))))
    size += step;
  // Nothing but what fills up texts: there is none.
  if (size === 0 && chars[0] !== 0) return undefined;
  try {
    return decoderOf(a.encoding).decode(chars.subarray(0, size)).replace(/ +$/, '');
  } catch {
    return undefined;
  }
}

/** The registers as one number. */
function rawOf(bytes: Uint8Array, at: number, a: RegisterValue): bigint {
  let whole = 0n;
  for (const byte of ordered(bytes, at, a, true)) whole = (whole << 8n) | BigInt(byte);
  return whole;
}

/** The bits of a field as a number, with its sign where the type has one. */
function fieldValue(bytes: Uint8Array, at: number, a: RegisterValue): number | bigint {
  const { shift, width } = a.field ?? { shift: 0, width: 16 };
  const value = rawOf(bytes, at, a) >> BigInt(shift);
  const own = a.type.startsWith('u') ? BigInt.asUintN(width, value) : BigInt.asIntN(width, value);
  return a.type.endsWith('64') ? own : Number(own);
}

/** Neighbours in the batch that decode alike. */
interface Run {
  readonly op: OpCode;
  readonly from: number;
  readonly to: number;
}

/**
 * The recipe that turns the answer of one read group into its batch, made once. Positions are those
 * of the group's tags; offsets are bytes from the first data byte (bits, for coils).
 */
export class Decoder {
  readonly #offsets: Uint16Array;
  /** Bit of the register. */
  readonly #details: Uint8Array;
  /** Bit 0: bytes swapped; bit 1: words swapped; bit 2: halves swapped. */
  readonly #orders: Uint8Array;
  readonly #runs: readonly Run[];
  readonly #size: number;
  readonly #addresses: readonly RegisterValue[];
  /** By position. */
  readonly #scaled: ReadonlyMap<number, ScaledDecoder>;
  /** By position. */
  readonly #formats: ReadonlyMap<number, Format>;
  /** Positions of tags with values that mean "none". */
  readonly #sentinels: readonly number[];

  /** `start` is the first address of the request. */
  constructor(tags: readonly TagBinding<RegisterValue>[], start: number) {
    this.#size = tags.length;
    this.#offsets = new Uint16Array(tags.length);
    this.#details = new Uint8Array(tags.length);
    this.#orders = new Uint8Array(tags.length);
    const runs: { op: OpCode; from: number; to: number }[] = [];
    for (const [i, { address }] of tags.entries()) {
      const op = opOf(address);
      const offset = address.start - start;
      this.#offsets[i] = op === Op.coil ? offset : offset * 2 * address.words;
      this.#details[i] = address.bit ?? 0;
      this.#orders[i] =
        (address.swapBytes ? 1 : 0) | (address.swapWords ? 2 : 0) | (address.swapHalves ? 4 : 0);
      const last = runs.at(-1);
      if (last?.op === op) last.to = i + 1;
      else runs.push({ op, from: i, to: i + 1 });
    }
    this.#runs = runs;
    this.#scaled = new Map(
      tags.flatMap(({ address: { scaled } }, i) =>
        scaled ? [[i, new ScaledDecoder(scaled, start)]] : [],
      ),
    );
    this.#formats = new Map(
      tags.flatMap(({ address: { format, type } }, i) =>
        format === 'plain' ? [] : [[i, formatOf(format, type)]],
      ),
    );
    this.#addresses = tags.map(({ address }) => address);
    this.#sentinels = tags.flatMap(({ address }, i) => (address.invalid ? [i] : []));
  }

  /** `base` is where the data begin in `bytes`. */
  decode(bytes: Uint8Array, base: number, into: Batch): void {
    into.qualities.fill(Quality.good, 0, this.#size);
    for (const run of this.#runs) {
      if (run.op <= Op.registerBit) this.#narrow(run, bytes, base, into.numbers);
      else if (run.op <= Op.float32) this.#double(run, bytes, base, into.numbers);
      else if (run.op <= Op.float64) this.#wide(run, bytes, base, into);
      else this.#odd(run, bytes, base, into);
    }
    for (const i of this.#sentinels) this.#judge(i, bytes, base, into);
  }

  /** A value by which the device says that it has none, told by its bits. */
  #judge(i: number, bytes: Uint8Array, base: number, into: Batch): void {
    const a = this.#addresses[i] as RegisterValue;
    const { shift, width } = a.field ?? { shift: 0, width: a.count * a.words * 16 };
    const raw = rawOf(bytes, base + (this.#offsets[i] as number), a);
    const isNone =
      a.invalid?.patterns.has(BigInt.asUintN(width, raw >> BigInt(shift))) === true ||
      a.invalid?.numbers.has(into.numbers[i] as number) === true;
    if (isNone) into.bad(i, Quality.device);
  }

  /** What fits one register: no call per value, nothing allocated. */
  #narrow({ op, from, to }: Run, bytes: Uint8Array, base: number, numbers: Float64Array): void {
    const offsets = this.#offsets;
    if (op === Op.uint16) {
      for (let i = from; i < to; i++) {
        const at = base + (offsets[i] as number);
        numbers[i] = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
      }
    } else if (op === Op.int16) {
      for (let i = from; i < to; i++) {
        const at = base + (offsets[i] as number);
        numbers[i] = (((bytes[at] as number) << 24) >> 16) | (bytes[at + 1] as number);
      }
    } else if (op === Op.coil) {
      for (let i = from; i < to; i++) {
        const bit = offsets[i] as number;
        numbers[i] = ((bytes[base + (bit >> 3)] as number) >> (bit & 7)) & 1;
      }
    } else {
      for (let i = from; i < to; i++) {
        const swapped = ((this.#orders[i] as number) & 1) === 1;
        const value = word(bytes, base + (offsets[i] as number), swapped);
        if (op === Op.registerBit) numbers[i] = (value >> (this.#details[i] as number)) & 1;
        else numbers[i] = op === Op.int16Swapped ? (value << 16) >> 16 : value;
      }
    }
  }

  #double({ op, from, to }: Run, bytes: Uint8Array, base: number, numbers: Float64Array): void {
    for (let i = from; i < to; i++) {
      const order = this.#orders[i] as number;
      const at = base + (this.#offsets[i] as number);
      const value = double(bytes, at, (order & 1) === 1, (order & 2) === 2);
      if (op === Op.uint32) numbers[i] = value;
      else if (op === Op.int32) numbers[i] = value | 0;
      else {
        scratch.setUint32(0, value);
        numbers[i] = scratch.getFloat32(0);
      }
    }
  }

  #wide({ op, from, to }: Run, bytes: Uint8Array, base: number, into: Batch): void {
    for (let i = from; i < to; i++) {
      const order = this.#orders[i] as number;
      const at = base + (this.#offsets[i] as number);
      const view = loadScratch(bytes, at, (order & 1) === 1, (order & 2) === 2, (order & 4) === 4);
      if (op === Op.float64) into.number(i, view.getFloat64(0));
      else into.integer64(i, op === Op.int64 ? view.getBigInt64(0) : view.getBigUint64(0));
    }
  }

  /** What is rare: texts, bit fields, BCD, clocks. */
  #odd({ op, from, to }: Run, bytes: Uint8Array, base: number, into: Batch): void {
    for (let i = from; i < to; i++) {
      const a = this.#addresses[i] as RegisterValue;
      const at = base + (this.#offsets[i] as number);
      let value: Value | undefined;
      if (op === Op.text) value = text(bytes, at, a);
      else if (op === Op.field) value = fieldValue(bytes, at, a);
      else if (op === Op.scaled) value = this.#scaled.get(i)?.decode(bytes, base);
      else value = this.#formats.get(i)?.decode?.(special(bytes, at, a));
      if (typeof value === 'string') into.text(i, value);
      else if (typeof value === 'bigint') into.integer64(i, value);
      else if (typeof value === 'number') into.number(i, value);
      else into.bad(i, op === Op.scaled ? Quality.device : Quality.decode);
    }
  }
}

/** What a format gets: a number in order, other contents as they lie, no longer than they are. */
function special(bytes: Uint8Array, at: number, a: RegisterValue): Uint8Array {
  const isNumber = a.type !== 'string' && !a.format.startsWith('clock');
  const all = ordered(bytes, at, a, isNumber);
  return a.length > 0 ? all.subarray(0, a.length) : all;
}

function alone(address: RegisterValue): TagBinding<RegisterValue> {
  return { tag: 0, name: '', device: '', type: address.type, address };
}

/** Decodes one such value out of an answer. */
class ScaledDecoder {
  readonly #decoder: Decoder;
  readonly #kind: ScaleKind;
  readonly #batch = new Batch(2);

  /** @param start first address of the request */
  constructor({ raw, scale, kind }: Scaled, start: number) {
    this.#decoder = new Decoder([alone(raw), alone(scale)], start);
    this.#kind = kind;
  }

  /** @returns nothing where the device says that it has no value or no scale */
  decode(bytes: Uint8Array, base: number): number | undefined {
    this.#decoder.decode(bytes, base, this.#batch);
    const { numbers, qualities } = this.#batch;
    if (qualities.some((quality) => !isGood(quality))) return undefined;
    return inUnits(numbers[0] as number, numbers[1] as number, this.#kind);
  }
}

/** The scale alone, out of an answer that begins with it. */
export function scaleIn(data: Uint8Array, { scale }: Scaled): number | undefined {
  const batch = new Batch(1);
  new Decoder([alone(scale)], scale.start).decode(data, 0, batch);
  return batch.qualities[0] === Quality.good ? batch.numbers[0] : undefined;
}
