import {
  Quality,
  invariant,
  type Batch,
  type ReadGroup,
  type ReadOutcome,
} from '../../../gateway/contract/index.js';
import { isRegisters } from '../frames/tables.js';
import type { ModbusAddress } from '../plan/address.js';
import { Decoder } from '../values/decode.js';
import { isReadAnswer, keyOf, oddRead, putRead, readBytes, readFunction } from '../frames/frame.js';
import { extent } from '../plan/plan.js';
import type { Doubt } from '../line/watch.js';
import type { Exchange, Odd } from './session.js';

/** Exceptions by which a device refuses what it is asked. */
const refusals: ReadonlySet<number> = new Set([1, 2, 3]);
/** Exceptions of a device that works on something: it has no time now. */
const acknowledged = 5;
const busy = 6;

/** The read of one group: made once, used for every scan. */
export class ReadExchange implements Exchange<ReadOutcome> {
  readonly unit: number;
  readonly fn: number;
  readonly device: string;
  readonly key: string;
  readonly urgent = false;
  maxExtra: number;
  readonly minExtra: number;
  readonly #start: number;
  readonly #count: number;
  readonly #bytes: number;
  readonly #words: 1 | 2;
  /** Units (registers or bits) of one extra step: enough to make the answer longer. */
  readonly #step: number;
  readonly #tags: ReadGroup<ModbusAddress>['tags'];
  /** What the request under way asks for, in bytes. */
  #asked: number;
  readonly #decoder: Decoder;
  /** Data of the last answer that was taken, to leave alone what did not change. */
  readonly #last: Uint8Array;
  #lastValid = false;
  /** The last answer was in doubt. */
  #lastDoubted = false;

  constructor(group: ReadGroup<ModbusAddress>) {
    const first = group.tags[0]?.address;
    invariant(first !== undefined, `read group ${group.label} has a tag`);
    const { start, end } = extent(group.tags);
    for (const { address } of group.tags)
      invariant(
        address.unit === first.unit &&
          address.table === first.table &&
          address.words === first.words,
        `read group ${group.label} is of one unit, table and size of registers`,
      );
    this.unit = first.unit;
    this.fn = readFunction[first.table];
    this.device = group.device;
    this.key = keyOf(first.unit, this.fn, start);
    this.#start = start;
    this.#count = end - start;
    this.#words = first.words;
    this.#bytes = this.#sizeOf(this.#count);
    this.#asked = this.#bytes;
    this.#step = isRegisters(first.table) ? 1 : 8;
    const { maxCount, maxGap } = first.request;
    const room = Math.min(maxCount - this.#count, 0x10000 - end);
    // Who forbids reading across holes wants nothing read that he did not name.
    this.maxExtra = maxGap === 0 ? 0 : Math.max(0, Math.floor(room / this.#step));
    this.minExtra = -Math.floor((this.#count - 1) / this.#step);
    this.#tags = group.tags;
    invariant(this.#bytes <= 250, `read group ${group.label} fits one request`);
    this.#decoder = new Decoder(group.tags, start);
    this.#last = new Uint8Array(this.#bytes);
  }

  /** Bytes of data. */
  #sizeOf(count: number): number {
    return readBytes(this.fn, count) * this.#words;
  }

  answerLength(extra: number): number {
    return 2 + this.#sizeOf(this.#count + extra * this.#step);
  }

  noExtra(): void {
    this.maxExtra = 0;
  }

  request(out: Uint8Array, at: number, extra: number): number {
    const count = this.#count + extra * this.#step;
    this.#asked = this.#sizeOf(count);
    return putRead(out, at, this.fn, this.#start, count);
  }

  answer(
    bytes: Uint8Array,
    at: number,
    length: number,
    into: Batch | undefined,
    doubt: Doubt,
  ): ReadOutcome | undefined {
    invariant(into !== undefined, 'a read has a batch');
    if (!isReadAnswer(bytes, at, length, this.#asked)) return undefined;
    const data = at + 2;
    if (doubt === 'alike') {
      into.allBad(Quality.timeout);
      return 'busy';
    }
    if (this.#asked < this.#bytes) this.#shortened(bytes, data, into);
    else this.#whole(bytes, data, into, doubt);
    if (doubt === 'foreign') into.doubt(Quality.foreign);
    return 'done';
  }

  #whole(bytes: Uint8Array, data: number, into: Batch, doubt: Doubt): void {
    const same = this.#keep(bytes, data);
    const isDoubted = doubt === 'foreign';
    const stands = this.#lastValid && isDoubted === this.#lastDoubted && !into.mustDecode;
    if (same && stands) into.unchanged();
    else this.#decoder.decode(bytes, data, into);
    this.#lastValid = true;
    this.#lastDoubted = isDoubted;
  }

  /** It asked for less than it needs: what lies beyond was not answered. */
  #shortened(bytes: Uint8Array, data: number, into: Batch): void {
    const whole = new Uint8Array(this.#bytes);
    whole.set(bytes.subarray(data, data + this.#asked));
    this.#decoder.decode(whole, 0, into);
    const isRegister = this.#step === 1;
    const end = this.#start + (isRegister ? this.#asked / (2 * this.#words) : this.#asked * 8);
    for (const [i, { address }] of this.#tags.entries())
      if (address.start + address.count > end) into.bad(i, Quality.timeout);
    this.#lastValid = false;
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

  exception(code: number, into: Batch | undefined, doubt: Doubt): ReadOutcome {
    this.#lastValid = false;
    if (doubt === 'foreign') {
      // Perhaps another was refused.
      into?.allBad(Quality.device);
      return 'busy';
    }
    if (this.#asked > this.#bytes && refusals.has(code)) {
      // It was asked for more than anybody named: no evidence against a tag. Asked again for what was.
      this.noExtra();
      into?.allBad(Quality.timeout);
      return 'busy';
    }
    const silent = code === 10 || code === 11;
    into?.allBad(silent ? Quality.timeout : Quality.device);
    if (silent) return 'silent';
    if (code === acknowledged || code === busy) return 'busy';
    return refusals.has(code) ? 'refused' : 'done';
  }

  odd(pdu: Uint8Array, isOurs: boolean, into: Batch | undefined): Odd<ReadOutcome> {
    this.#lastValid = false;
    if (isOurs) into?.allBad(Quality.decode);
    return { what: oddRead(pdu, this.fn, this.#asked), outcome: isOurs ? 'refused' : undefined };
  }

  unsure(into: Batch | undefined): void {
    into?.heard();
  }

  failed(): void {
    this.#lastValid = false;
  }
}
