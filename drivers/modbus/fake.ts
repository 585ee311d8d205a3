import type { ByteStream } from '../../gateway/contract/index.js';
import type { Table } from './address.js';
import { exceptionFlag, Fn, get16, put16 } from './frame.js';
import { mbap } from './mbap.js';
import type { FrameSink, Receiver } from './framing.js';

/** One request as the device got it. Addresses from zero; `count` in registers or bits. */
export interface FakeRequest {
  readonly id: number;
  readonly unit: number;
  readonly fn: number;
  readonly table: Table;
  readonly start: number;
  readonly count: number;
  readonly write: boolean;
  /** The whole PDU, a copy. */
  readonly pdu: Uint8Array;
}

export interface FakeOptions {
  /** How many requests are kept for looking at. Default: 1000. */
  readonly keep?: number;
  /** Units that answer; others stay silent. Default: all. */
  readonly units?: readonly number[];
  /** Content of a register (0 to 65535) or bit (0 or 1) that was never written. */
  value?(unit: number, table: Table, address: number): number;
  /** Exception code for a request, or 0. Called before anything is done. */
  refuse?(request: FakeRequest): number;
}

const tableOf: ReadonlyMap<number, Table> = new Map([
  [Fn.readCoils, 'co'],
  [Fn.readDiscreteInputs, 'di'],
  [Fn.readHoldingRegisters, 'hr'],
  [Fn.readInputRegisters, 'ir'],
  [Fn.writeCoil, 'co'],
  [Fn.writeRegister, 'hr'],
  [Fn.writeCoils, 'co'],
  [Fn.writeRegisters, 'hr'],
  [Fn.maskWriteRegister, 'hr'],
]);

/** Differs for any two units, tables or nearby addresses, so that a mix-up shows. */
export function tellTale(unit: number, table: Table, address: number): number {
  const salt = { co: 0, di: 1, ir: 4_096, hr: 0 }[table];
  const mixed = (unit * 8_191 + address * 31 + salt + 7) & 0xffff;
  return table === 'co' || table === 'di' ? (mixed >> 2) & 1 : mixed;
}

/**
 * The device end of a Modbus TCP connection, over any byte stream: for tests, the simulated plant and
 * authors of other drivers to look at. Answers at once; whoever owns the stream delays or breaks.
 */
export class FakeModbus {
  /** The last requests of every stream, oldest first; as many as `keep`. */
  readonly requests: FakeRequest[] = [];
  /** Requests since the beginning. */
  reads = 0;
  writes = 0;
  readonly #options: FakeOptions;
  readonly #written = new Map<string, number>();

  constructor(options: FakeOptions = {}) {
    this.#options = options;
  }

  /** Answers on this stream; several may be served. */
  serve(stream: ByteStream): void {
    const sink: FrameSink = {
      frame: (id, unit, bytes, at, length) => {
        const answer = this.#answer(id, unit, bytes.slice(at, at + length));
        if (answer) stream.write(answer);
      },
      broken: () => {
        stream.close();
      },
    };
    const receiver: Receiver = mbap.receiver(sink);
    stream.onBytes((bytes) => {
      receiver.push(bytes);
    });
    stream.onEnd(() => {
      receiver.stop();
    });
  }

  /** What the device holds now. */
  get(unit: number, table: Table, address: number): number {
    const written = this.#written.get(`${unit} ${table} ${address}`);
    return written ?? this.#options.value?.(unit, table, address) ?? tellTale(unit, table, address);
  }

  set(unit: number, table: Table, address: number, value: number): void {
    this.#written.set(`${unit} ${table} ${address}`, value);
  }

  /** Forgets everything that was set or written. */
  clear(): void {
    this.#written.clear();
  }

  #answer(id: number, unit: number, pdu: Uint8Array): Uint8Array | undefined {
    const fn = pdu[0] as number;
    const table = tableOf.get(fn);
    const single = fn === Fn.writeCoil || fn === Fn.writeRegister || fn === Fn.maskWriteRegister;
    const request: FakeRequest = {
      id,
      unit,
      fn,
      table: table ?? 'hr',
      start: get16(pdu, 1),
      count: single ? 1 : get16(pdu, 3),
      write: fn > Fn.readInputRegisters,
      pdu,
    };
    this.requests.push(request);
    if (this.requests.length > (this.#options.keep ?? 1_000)) this.requests.shift();
    if (request.write) this.writes++;
    else this.reads++;
    if (this.#options.units?.includes(unit) === false) return undefined;
    const code = table ? this.#refusal(request) : 1;
    const out = new Uint8Array(mbap.maxFrame);
    let length = 2;
    if (code > 0) {
      out[mbap.pduAt] = fn | exceptionFlag;
      out[mbap.pduAt + 1] = code;
    } else if (request.write) length = this.#write(request, out);
    else length = this.#read(request, out);
    return out.slice(0, mbap.seal(out, id, unit, length));
  }

  #refusal(request: FakeRequest): number {
    const { start, count, fn } = request;
    const bits = request.table === 'co' || request.table === 'di';
    if (count < 1 || count > (bits ? 2_000 : 125)) return 3;
    if (fn === Fn.writeRegisters && request.pdu.length !== 6 + count * 2) return 3;
    if (start + count > 65_536) return 2;
    return this.#options.refuse?.(request) ?? 0;
  }

  #read({ unit, table, start, count, fn }: FakeRequest, out: Uint8Array): number {
    const at = mbap.pduAt;
    const bits = table === 'co' || table === 'di';
    const size = bits ? (count + 7) >> 3 : count * 2;
    out[at] = fn;
    out[at + 1] = size;
    for (let i = 0; i < count; i++) {
      const value = this.get(unit, table, start + i);
      if (!bits) put16(out, at + 2 + i * 2, value);
      else if (value) {
        const to = at + 2 + (i >> 3);
        out[to] = (out[to] as number) | (1 << (i & 7));
      }
    }
    return 2 + size;
  }

  #write(request: FakeRequest, out: Uint8Array): number {
    const { unit, table, start, count, fn, pdu } = request;
    if (fn === Fn.writeCoil) this.set(unit, table, start, get16(pdu, 3) === 0xff00 ? 1 : 0);
    else if (fn === Fn.writeRegister) this.set(unit, table, start, get16(pdu, 3));
    else if (fn === Fn.maskWriteRegister) {
      const and = get16(pdu, 3);
      const or = get16(pdu, 5);
      const old = this.get(unit, table, start);
      this.set(unit, table, start, ((old & and) | (or & ~and)) & 0xffff);
    } else
      for (let i = 0; i < count; i++) {
        const coil = ((pdu[6 + (i >> 3)] ?? 0) >> (i & 7)) & 1;
        this.set(unit, table, start + i, table === 'co' ? coil : get16(pdu, 6 + i * 2));
      }
    const echoed = fn === Fn.maskWriteRegister ? 7 : 5;
    out.set(pdu.subarray(0, echoed), mbap.pduAt);
    return echoed;
  }
}
