import type { TagBinding, Value, DeviceOutcome } from '../../../gateway/contract/index.js';
import { remembered } from '../../lib/remembered.js';
import { isRegisters } from '../frames/tables.js';
import type { ModbusAddress } from '../plan/address.js';
import { asBit, asInteger, encodeValue } from '../values/encode.js';
import { exceptionText, Fn, get16, put16, readFunction, sameBytes } from '../frames/frame.js';
import {
  askTwice,
  maskWrite,
  readRequest,
  readWrite,
  refusalOf,
  writeCoil,
  writeRegisters,
  type Answer,
  type Ask,
  type Request,
  type Target,
} from './request.js';
import { formatOf } from '../values/formats.js';
import { placeOfWord } from '../values/orders.js';
import { scaleIn } from '../values/decode.js';
import { toRaw, type Scaled } from '../values/scales.js';

const illegalFunction = 1;
/** Exceptions by which nothing was done: it knows the function, the place or the value not, or fails at it. */
const nothingDone: ReadonlySet<number> = new Set([1, 2, 3, 4]);
/** It was taken, and takes its time: the outcome shows later. */
const acknowledged = 5;
/** Of FC 16; FC 23 takes two registers less. */
const mostBytes = 246;

/** What units were found not to have, by unit id. */
class Learned {
  /** FC 5, where FC 15 works; FC 6, where FC 16 works. */
  readonly noCoil: Set<number> = new Set();
  readonly noRegister: Set<number> = new Set();
  readonly noMask: Set<number> = new Set();
}

/** Why no value can ever be written to this tag; undefined where it can. */
export function unwritable({ address }: TagBinding<ModbusAddress>): string | undefined {
  const { table, format: name, write, count, type } = address.scaled?.raw ?? address;
  const format = formatOf(name, type);
  if (!address.writable) return `${table} is read-only in the protocol`;
  if (format.decode && !format.encode) return `${format.name} cannot be written`;
  if (address.words === 2 && write !== 'auto' && write !== 'multiple')
    return `registers of 32 bits are written with FC 16 only`;
  if (write === 'single' && isRegisters(table) && type !== 'bool' && count > 1 && !address.field)
    return `${type} takes ${String(count)} registers, and write: single writes one`;
  return undefined;
}

const refuse = (code: string): DeviceOutcome => ({ ok: false, code });
const done: DeviceOutcome = { ok: true };

/**
 * Writes values of tags. The device executes each at most once: another function code is only tried
 * when it has said that it does not know the first one (exception 1).
 */
export class TagWriter {
  readonly #learned: Learned;
  /**
   * The end of the last write of each unit: one after the other, as a register that is being read, changed and
   * written back must not be written by anybody else meanwhile.
   */
  readonly #turns = new Map<number, Promise<unknown>>();

  /** @param memory where what is learned of the units is kept */
  constructor(memory: Map<string, unknown>) {
    this.#learned = remembered(memory, 'learned', Learned, () => new Learned());
  }

  async write(binding: TagBinding<ModbusAddress>, value: Value, ask: Ask): Promise<DeviceOutcome> {
    const { unit } = binding.address;
    const before = this.#turns.get(unit);
    // Without a promise in between, where nothing is under way: a trip goes out in this very turn.
    const turn = before
      ? before.then(() => this.#write(binding, value, ask))
      : this.#write(binding, value, ask);
    const settled = turn.catch(() => undefined);
    this.#turns.set(unit, settled);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(unit) === settled) this.#turns.delete(unit);
    }
  }

  async #write(binding: TagBinding<ModbusAddress>, value: Value, ask: Ask): Promise<DeviceOutcome> {
    const { address, device } = binding;
    const to = { unit: address.unit, device };
    const never = unwritable(binding);
    if (never !== undefined) return refuse(never);
    if (!isRegisters(address.table)) {
      const on = asBit(value);
      return on === undefined
        ? refuse('value does not fit bool')
        : this.#coil(to, address, on, ask);
    }
    if (address.scaled) return this.#scaled(binding, address.scaled, value, ask);
    const part = partOf(address, value);
    if (typeof part === 'string') return refuse(part);
    if (part) return this.#changePart(to, address, part, ask);
    const encoded = encodeValue(address, value);
    if (!encoded.ok) return encoded;
    return this.#registers(to, address, encoded.data, ask);
  }

  /** By the scale that the device has now. */
  async #scaled(
    binding: TagBinding<ModbusAddress>,
    scaled: Scaled<ModbusAddress>,
    value: Value,
    ask: Ask,
  ): Promise<DeviceOutcome> {
    const { table, start, count, request, unit } = scaled.scale;
    const to = { unit, device: binding.device };
    const asked = readRequest(to, readFunction[table], start, count, request.maxGap > 0);
    const answer = await askTwice(ask, asked);
    if (!answer.ok) return outcomeOf(answer);
    const scale = scaleIn(answer.pdu.subarray(2), scaled);
    const raw = scale === undefined ? undefined : toRaw(Number(value), scale, scaled.kind);
    if (raw === undefined) return refuse('the device gives no scale for it');
    const { type } = scaled.raw;
    return this.#write({ ...binding, type, address: scaled.raw }, raw, ask);
  }

  async #coil(to: Target, a: ModbusAddress, on: boolean, ask: Ask): Promise<DeviceOutcome> {
    const many = a.write === 'multiple' || a.write === 'read-write';
    const request = (multiple: boolean): Request => writeCoil(to, a.start, on, multiple);
    const { noCoil } = this.#learned;
    return outcomeOf(await this.#eitherWay(a, many, noCoil, request, ask));
  }

  async #registers(
    to: Target,
    a: ModbusAddress,
    data: Uint8Array,
    ask: Ask,
  ): Promise<DeviceOutcome> {
    if (a.write === 'read-write') return writeAndRead(to, a.start, data, ask);
    if (data.length > mostBytes) return refuse('value is longer than one request');
    const many = a.write === 'multiple' || data.length > 2;
    const request = (multiple: boolean): Request =>
      writeRegisters(to, a.start, data, multiple, a.words);
    const { noRegister } = this.#learned;
    return outcomeOf(await this.#eitherWay(a, many, noRegister, request, ask));
  }

  /** With the function code that the device is known or said to have; with the other one if it has not. */
  async #eitherWay(
    a: ModbusAddress,
    many: boolean,
    without: Set<number>,
    request: (many: boolean) => Request,
    ask: Ask,
  ): Promise<Answer> {
    if (many || (a.write === 'auto' && without.has(a.unit))) return ask(request(true));
    const first = await ask(request(false));
    if (first.ok || first.exception !== illegalFunction || a.write !== 'auto') return first;
    const second = await ask(request(true));
    // A device that knows neither has said nothing about which one to use.
    if (second.ok || second.exception !== illegalFunction) without.add(a.unit);
    return second;
  }

  /** Changes some bits and leaves the others as they are. */
  async #changePart(to: Target, a: ModbusAddress, part: Part, ask: Ask): Promise<DeviceOutcome> {
    const { noMask } = this.#learned;
    const [mask = 0] = part.masks;
    const [bits = 0] = part.bits;
    if (part.masks.length > 1 || a.write !== 'auto' || noMask.has(to.unit))
      return this.#readModifyWrite(to, a, part, ask);
    // Until it has answered it is one that says nothing to FC 22: then it is not asked so again.
    noMask.add(to.unit);
    const answer = await ask(maskWrite(to, a.start, ~mask & 0xffff, bits));
    if (answer.ok || !nothingDone.has(answer.exception)) {
      noMask.delete(to.unit);
      return outcomeOf(answer);
    }
    return this.#readModifyWrite(to, a, part, ask);
  }

  /**
   * For devices without FC 22. Something else may write the register between our read and our write:
   * reading it back shows whether all of it is as it should be, and says so if not.
   */
  async #readModifyWrite(
    to: Target,
    a: ModbusAddress,
    part: Part,
    ask: Ask,
  ): Promise<DeviceOutcome> {
    const count = part.masks.length;
    const look = readRequest(to, Fn.readHoldingRegisters, a.start, count, a.request.maxGap > 0);
    const before = await askTwice(ask, look);
    if (!before.ok) return outcomeOf(before);
    const data = new Uint8Array(count * 2);
    for (let i = 0; i < count; i++) {
      const kept = get16(before.pdu, 2 + i * 2) & ~(part.masks[i] as number);
      put16(data, i * 2, (kept | (part.bits[i] as number)) & 0xffff);
    }
    const written = await this.#registers(to, a, data, ask);
    if (!written.ok) return written;
    const after = await askTwice(ask, look);
    if (!after.ok) return outcomeOf(after);
    return sameBytes(after.pdu.subarray(2), data)
      ? done
      : refuse(
          'the register does not read back as written: another program or the device changed it',
        );
  }
}

/** Bits to change, by register as it lies on the wire: which, and what they become. */
interface Part {
  readonly masks: readonly number[];
  readonly bits: readonly number[];
}

/** The part of the registers that the tag is, or why the value does not fit; undefined = all of them. */
function partOf(a: ModbusAddress, value: Value): Part | string | undefined {
  if (a.type === 'bool') {
    const on = asBit(value);
    if (on === undefined) return 'value does not fit bool';
    const bit = 1n << BigInt(a.bit ?? 0);
    return layOut(a, bit, on ? bit : 0n);
  }
  if (!a.field) return undefined;
  const { shift, width } = a.field;
  const whole = asInteger(value);
  if (whole === undefined) return `value is not a whole number, as ${a.type} needs`;
  const fitted = a.type.startsWith('u')
    ? BigInt.asUintN(width, whole)
    : BigInt.asIntN(width, whole);
  if (fitted !== whole) return `value does not fit ${String(width)} bits of ${a.type}`;
  const mask = ((1n << BigInt(width)) - 1n) << BigInt(shift);
  return layOut(a, mask, (BigInt.asUintN(width, whole) << BigInt(shift)) & mask);
}

/** A number of `count` registers in the order in which they lie on the wire. */
function layOut(a: ModbusAddress, mask: bigint, bits: bigint): Part {
  const words = (whole: bigint): number[] =>
    Array.from({ length: a.count * a.words }, (_, i) => {
      // The least significant word is number 0 here.
      const size = a.count * a.words;
      const place = size - 1 - placeOfWord(a, i, size);
      const word = Number((whole >> BigInt(16 * place)) & 0xffffn);
      return a.swapBytes ? ((word & 0xff) << 8) | (word >> 8) : word;
    });
  return { masks: words(mask), bits: words(bits) };
}

async function writeAndRead(
  to: Target,
  start: number,
  data: Uint8Array,
  ask: Ask,
): Promise<DeviceOutcome> {
  if (data.length > mostBytes - 4) return refuse('value is longer than one request');
  const answer = await ask(readWrite(to, start, data));
  if (!answer.ok) return outcomeOf(answer);
  return sameBytes(answer.pdu.subarray(2), data)
    ? done
    : refuse('the device holds another value after the write');
}

function outcomeOf(answer: Answer): DeviceOutcome {
  if (answer.ok || answer.exception === acknowledged) return done;
  return refuse(refusalOf(answer) ?? exceptionText(0));
}
