import {
  Quality,
  invariant,
  type Batch,
  type ReadGroup,
  type ReadOutcome,
  type TagBinding,
  type Value,
  type WriteOutcome,
} from '../../gateway/contract/index.js';
import type { ModbusAddress } from './address.js';
import { Decoder } from './decode.js';
import { asBit, encodeValue } from './encode.js';
import {
  exceptionText,
  isEcho,
  isReadAnswer,
  putMaskWrite,
  putRead,
  putWriteCoil,
  putWriteRegisters,
  readBytes,
  readFunction,
} from './frame.js';
import type { Exchange } from './session.js';

/** The read of one group: made once, used for every scan. */
export class ReadExchange implements Exchange<ReadOutcome> {
  readonly unit: number;
  readonly fn: number;
  readonly urgent = false;
  readonly #start: number;
  readonly #count: number;
  readonly #bytes: number;
  readonly #decoder: Decoder;
  /** Data of the last answer that was taken, to leave alone what did not change. */
  readonly #last: Uint8Array;
  #lastValid = false;

  constructor(group: ReadGroup<ModbusAddress>) {
    const first = group.tags[0]?.address;
    invariant(first !== undefined, `read group ${group.label} has a tag`);
    let start = first.start;
    let end = first.start;
    for (const { address } of group.tags) {
      invariant(
        address.unit === first.unit && address.table === first.table,
        `read group ${group.label} is of one unit and table`,
      );
      start = Math.min(start, address.start);
      end = Math.max(end, address.start + address.count);
    }
    this.unit = first.unit;
    this.fn = readFunction[first.table];
    this.#start = start;
    this.#count = end - start;
    this.#bytes = readBytes(this.fn, this.#count);
    invariant(this.#bytes <= 250, `read group ${group.label} fits one request`);
    this.#decoder = new Decoder(group.tags, start);
    this.#last = new Uint8Array(this.#bytes);
  }

  request(out: Uint8Array, at: number): number {
    return putRead(out, at, this.fn, this.#start, this.#count);
  }

  answer(
    bytes: Uint8Array,
    at: number,
    length: number,
    into: Batch | undefined,
  ): ReadOutcome | undefined {
    invariant(into !== undefined, 'a read has a batch');
    if (!isReadAnswer(bytes, at, length, this.#bytes)) return undefined;
    const data = at + 2;
    const same = this.#keep(bytes, data);
    if (same && this.#lastValid && !into.mustDecode) into.unchanged();
    else this.#decoder.decode(bytes, data, into);
    this.#lastValid = true;
    return 'done';
  }

  /** Copies the data from the first difference on; true when there is none. */
  #keep(bytes: Uint8Array, data: number): boolean {
    const last = this.#last;
    const size = last.length;
    let i = 0;
    while (i < size && last[i] === bytes[data + i]) i++;
    if (i === size) return true;
    for (; i < size; i++) last[i] = bytes[data + i] as number;
    return false;
  }

  exception(code: number, into: Batch | undefined): ReadOutcome {
    this.#lastValid = false;
    const silent = code === 10 || code === 11;
    into?.allBad(silent ? Quality.timeout : Quality.device);
    if (silent) return 'silent';
    return code >= 1 && code <= 3 ? 'refused' : 'done';
  }

  failed(): void {
    this.#lastValid = false;
  }
}

/** One write; sent once, whatever happens. */
export class WriteExchange implements Exchange<WriteOutcome> {
  readonly unit: number;
  readonly fn: number;
  readonly urgent = true;
  readonly #pdu: Uint8Array;
  readonly #masked: boolean;

  constructor(unit: number, pdu: Uint8Array, masked: boolean) {
    this.unit = unit;
    this.fn = pdu[0] as number;
    this.#pdu = pdu;
    this.#masked = masked;
  }

  request(out: Uint8Array, at: number): number {
    out.set(this.#pdu, at);
    return this.#pdu.length;
  }

  answer(bytes: Uint8Array, at: number, length: number): WriteOutcome | undefined {
    return isEcho(bytes, at, length, this.#pdu) ? { ok: true } : undefined;
  }

  exception(code: number): WriteOutcome {
    // Reading the register, setting the bit and writing it back would race with the device.
    const why = this.#masked && code === 1 ? 'the device cannot write single bits: ' : '';
    return { ok: false, code: `${why}${exceptionText(code)}` };
  }

  failed(): void {
    // The device may have done it or not; whoever asked must look.
  }
}

/** The exchange that writes `value`, or why there is none. Nothing has been sent yet. */
export function writeExchange(
  { address }: TagBinding<ModbusAddress>,
  value: Value,
): WriteExchange | { readonly ok: false; readonly code: string } {
  if (!address.writable)
    return { ok: false, code: `${address.table} is read-only in the protocol` };
  const out = new Uint8Array(253);
  let length: number;
  if (address.type === 'bool') {
    const on = asBit(value);
    if (on === undefined) return { ok: false, code: 'value does not fit bool' };
    if (address.bit === undefined) length = putWriteCoil(out, 0, address.start, on);
    else {
      const bit = 1 << (address.swapBytes ? address.bit ^ 8 : address.bit);
      length = putMaskWrite(out, 0, address.start, ~bit & 0xffff, on ? bit : 0);
    }
  } else {
    const encoded = encodeValue(address, value);
    if (!encoded.ok) return encoded;
    if (encoded.data.length > 246) return { ok: false, code: 'value is longer than one request' };
    length = putWriteRegisters(out, 0, address.start, encoded.data);
  }
  return new WriteExchange(address.unit, out.slice(0, length), address.bit !== undefined);
}
