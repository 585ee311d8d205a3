import { GatewayError } from '../contract/index.js';
import type { Block } from '../tags/block.js';
import { type Entry, type EntryClass, entryClasses, isBlock } from './entry.js';

/**
 * A segment as bytes: a JSON head with a line for each entry and the lengths of its columns, then the
 * columns. Numbers that repeat (one time for a whole scan, one quality) are stored once.
 */
const version = 1;

interface Head {
  v: number;
  entries: EntryHead[];
}
interface EntryHead {
  p: number;
  e: number;
  c: number;
  s: string;
  q: number;
  n: number;
  t: number;
  /** A record's text, or the block's own fields. */
  r?: string;
  b?: { d: string; g: string; r: string; w: number; x?: [number, string, 0 | 1][] };
}

/** Entries as one segment. Shape: `[u32 head length][head JSON][columns, each 8-byte aligned]`. */
export function encodeSegment(entries: readonly Entry[]): Uint8Array {
  const head: Head = { v: version, entries: entries.map(headOf) };
  const headBytes = new TextEncoder().encode(JSON.stringify(head));
  const columns: Uint8Array[] = [];
  for (const { body } of entries) if (isBlock(body)) columns.push(...columnsOf(body));
  const length = 4 + headBytes.length + columns.reduce((sum, c) => sum + 4 + c.length, 0);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, headBytes.length, true);
  bytes.set(headBytes, 4);
  let at = 4 + headBytes.length;
  for (const column of columns) {
    view.setUint32(at, column.length, true);
    bytes.set(column, at + 4);
    at += 4 + column.length;
  }
  return bytes;
}

/** The entries of a segment; throws `journal-corrupt` when the bytes are none. */
export function decodeSegment(bytes: Uint8Array): readonly Entry[] {
  try {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const headLength = view.getUint32(0, true);
    const text = new TextDecoder().decode(bytes.subarray(4, 4 + headLength));
    const head = JSON.parse(text) as Head;
    if (head.v !== version)
      throw new GatewayError('journal-corrupt', `segment version ${String(head.v)}`);
    const columns = new ColumnReader(bytes, view, 4 + headLength);
    return head.entries.map((entry) => entryOf(entry, columns));
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    throw new GatewayError('journal-corrupt', 'a segment cannot be read', {}, error);
  }
}

function headOf(entry: Entry): EntryHead {
  const head: EntryHead = {
    p: entry.pos,
    e: entry.epoch,
    c: entryClasses.indexOf(entry.class),
    s: entry.stream,
    q: entry.seq,
    n: entry.count,
    t: entry.time,
  };
  const { body } = entry;
  if (!isBlock(body)) head.r = body;
  else {
    head.b = { d: body.device, g: body.group, r: body.revision, w: body.wallOffset };
    if (body.wide) {
      head.b.x = [...body.wide].map(([at, v]) => [at, v.toString(), typeof v === 'bigint' ? 1 : 0]);
    }
  }
  return head;
}

function entryOf(head: EntryHead, columns: ColumnReader): Entry {
  return {
    pos: head.p,
    epoch: head.e,
    class: entryClasses[head.c] as EntryClass,
    stream: head.s,
    seq: head.q,
    count: head.n,
    time: head.t,
    body: head.b ? blockOf(head.b, head.n, columns) : (head.r ?? ''),
  };
}

function columnsOf(block: Block): Uint8Array[] {
  return [
    bytesOf(isRun(block.indexes) ? block.indexes.subarray(0, 1) : block.indexes),
    bytesOf(isConstant(block.times) ? block.times.subarray(0, 1) : block.times),
    isConstant(block.qualities) ? block.qualities.subarray(0, 1) : block.qualities,
    isConstant(block.kinds) ? block.kinds.subarray(0, 1) : block.kinds,
    bytesOf(narrowest(block.numbers)),
  ];
}

function blockOf(head: NonNullable<EntryHead['b']>, count: number, columns: ColumnReader): Block {
  const indexes = columns.u32();
  const times = columns.f64();
  const qualities = columns.u8();
  const kinds = columns.u8();
  const numbers = columns.numbers(count);
  return {
    device: head.d,
    group: head.g,
    revision: head.r,
    count,
    indexes:
      indexes.length === count
        ? indexes
        : Uint32Array.from({ length: count }, (_, i) => (indexes[0] ?? 0) + i),
    times: times.length === count ? times : new Float64Array(count).fill(times[0] ?? 0),
    wallOffset: head.w,
    qualities:
      qualities.length === count ? qualities : new Uint8Array(count).fill(qualities[0] ?? 0),
    kinds: kinds.length === count ? kinds : new Uint8Array(count).fill(kinds[0] ?? 0),
    numbers,
    wide: head.x && new Map(head.x.map(([at, text, big]) => [at, big ? BigInt(text) : text])),
  };
}

/** Reads columns one after the other. Copies: the source may be a slice at any offset. */
class ColumnReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at: number;

  constructor(bytes: Uint8Array, view: DataView, at: number) {
    this.#bytes = bytes;
    this.#view = view;
    this.#at = at;
  }

  u8(): Uint8Array {
    const length = this.#view.getUint32(this.#at, true);
    const start = this.#at + 4;
    this.#at = start + length;
    if (this.#at > this.#bytes.length)
      throw new GatewayError('journal-corrupt', 'a segment is cut off');
    // Not slice(): on a Buffer it would be a view, and its bytes are not aligned.
    return new Uint8Array(this.#bytes.subarray(start, this.#at));
  }
  u32(): Uint32Array {
    return new Uint32Array(this.u8().buffer);
  }
  f64(): Float64Array {
    return new Float64Array(this.u8().buffer);
  }
  /** A column of `count` numbers, stored as 2-, 4- or 8-byte numbers. */
  numbers(count: number): Float64Array {
    const { buffer } = this.u8();
    if (count === 0) return new Float64Array(0);
    const width = buffer.byteLength / count;
    if (width === 8) return new Float64Array(buffer);
    return Float64Array.from(width === 4 ? new Float32Array(buffer) : new Uint16Array(buffer));
  }
}

/** The shortest array type that holds every number exactly: registers of a PLC mostly fit 2 bytes. */
function narrowest(numbers: Float64Array): Uint16Array | Float32Array | Float64Array {
  let small = true;
  for (const n of numbers) {
    if (small && !(Number.isInteger(n) && n >= 0 && n <= 65_535 && !Object.is(n, -0)))
      small = false;
    if (!small && Math.fround(n) !== n && !Number.isNaN(n)) return numbers;
  }
  return small ? Uint16Array.from(numbers) : Float32Array.from(numbers);
}

function isConstant(column: Float64Array | Uint8Array): boolean {
  const first = column[0];
  return column.length > 1 && column.every((value) => value === first);
}

function isRun(indexes: Uint32Array): boolean {
  const first = indexes[0] ?? 0;
  return indexes.length > 1 && indexes.every((value, i) => value === first + i);
}

function bytesOf(column: Uint32Array | Uint16Array | Float32Array | Float64Array): Uint8Array {
  return new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
}
