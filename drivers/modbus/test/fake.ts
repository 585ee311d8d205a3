import type { ByteStream } from '../../../gateway/contract/index.js';
import type { Table } from '../frames/tables.js';
import { requestReceiver } from './fake-line.js';
import { exceptionFlag, Fn, get16, put16 } from '../frames/frame.js';
import type { FrameSink, Framing } from '../wire/framing.js';
import { mbap } from '../wire/mbap.js';

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

export interface FakeAnswer {
  readonly id: number;
  readonly unit: number;
  readonly pdu: Uint8Array;
}

export interface FakeOptions {
  /** What surrounds the PDUs. Default: Modbus TCP. */
  readonly framing?: Framing;
  /** Objects 0, 1, 2 … of the device identification; without them FC 43 is refused. */
  readonly identity?: readonly string[];
  /** Function codes that it does not know, besides those that nobody here knows. */
  readonly without?: readonly number[];
  /** How many requests are kept for looking at. Default: 1000. */
  readonly keep?: number;
  /** Units that answer; others stay silent. Default: all. */
  readonly units?: readonly number[];
  /** Content of a register (0 to 65535) or bit (0 or 1) that was never written. */
  value?: (unit: number, table: Table, address: number) => number;
  /** What becomes of an answer before it is framed; nothing = it is not sent. For devices that do it their own way. */
  twist?: (answer: FakeAnswer, request: FakeRequest) => FakeAnswer | undefined;
  /** Exception code for a request, or 0. Called before anything is done. */
  refuse?: (request: FakeRequest) => number;
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
  [Fn.readWriteRegisters, 'hr'],
]);
const singles: ReadonlySet<number> = new Set([
  Fn.writeCoil,
  Fn.writeRegister,
  Fn.maskWriteRegister,
]);

/** Differs for any two units, tables or nearby addresses, so that a mix-up shows. */
export function tellTale(unit: number, table: Table, address: number): number {
  const salt = { co: 0, di: 1, ir: 4_096, hr: 0 }[table];
  const mixed = (unit * 8_191 + address * 31 + salt + 7) & 0xffff;
  return table === 'co' || table === 'di' ? (mixed >> 2) & 1 : mixed;
}

/**
 * The device end of a Modbus connection, over any byte stream: for tests, the simulated plant and
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

  readonly #framing: Framing;

  constructor(options: FakeOptions = {}) {
    this.#options = options;
    this.#framing = options.framing ?? mbap;
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
      corrupt: () => undefined,
      late: () => undefined,
      foreign: () => undefined,
    };
    const receiver = requestReceiver(this.#framing, sink);
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
    const both = fn === Fn.readWriteRegisters;
    const request: FakeRequest = {
      id,
      unit,
      fn,
      table: table ?? 'hr',
      start: get16(pdu, both ? 5 : 1),
      count: singles.has(fn) ? 1 : get16(pdu, both ? 7 : 3),
      write: table !== undefined && fn > Fn.readInputRegisters,
      pdu,
    };
    this.requests.push(request);
    if (this.requests.length > (this.#options.keep ?? 1_000)) this.requests.shift();
    if (request.write) this.writes++;
    else this.reads++;
    if (this.#options.units?.includes(unit) === false) return undefined;
    const at = this.#framing.pduAt;
    const out = new Uint8Array(this.#framing.maxFrame);
    const code = this.#refusal(request, table !== undefined);
    let length = 2;
    if (code > 0) {
      out[at] = fn | exceptionFlag;
      out[at + 1] = code;
    } else if (!table) length = this.#diagnose(request, out);
    else if (request.write) length = this.#write(request, out);
    else length = this.#read(request, out);
    return this.#sealed({ id, unit, pdu: out.slice(at, at + length) }, request);
  }

  #sealed(answer: FakeAnswer, request: FakeRequest): Uint8Array | undefined {
    const sent = this.#options.twist ? this.#options.twist(answer, request) : answer;
    if (!sent) return undefined;
    const out = new Uint8Array(this.#framing.maxFrame + sent.pdu.length);
    out.set(sent.pdu, this.#framing.pduAt);
    return out.slice(0, this.#framing.seal(out, sent.id, sent.unit, sent.pdu.length));
  }

  /** FC 7, 8, 17 and 43. */
  #diagnose({ fn, pdu }: FakeRequest, out: Uint8Array): number {
    const at = this.#framing.pduAt;
    if (fn === Fn.diagnostics) {
      out.set(pdu, at);
      return pdu.length;
    }
    out[at] = fn;
    if (fn === Fn.readExceptionStatus) {
      out[at + 1] = 0b101;
      return 2;
    }
    const texts = (this.#options.identity ?? []).map((text) => new TextEncoder().encode(text));
    if (fn === Fn.reportServerId) {
      const name = texts[1] ?? new Uint8Array(0);
      out.set([name.length + 1, ...name, 0xff], at + 1);
      return name.length + 3;
    }
    const from = pdu[3] as number;
    out.set([14, pdu[2] as number, 0x83, 0, 0, texts.length - from], at + 1);
    let size = 7;
    for (const [i, text] of texts.entries()) {
      if (i < from) continue;
      out.set([i, text.length, ...text], at + size);
      size += 2 + text.length;
    }
    return size;
  }

  #refusal(request: FakeRequest, isData: boolean): number {
    const { start, count, fn } = request;
    const { identity, without } = this.#options;
    const diagnostic = [Fn.readExceptionStatus, Fn.diagnostics, Fn.reportServerId].some(
      (code) => code === fn,
    );
    if (without?.includes(fn)) return 1;
    if (!isData) return diagnostic || (fn === Fn.encapsulated && identity) ? 0 : 1;
    const bits = request.table === 'co' || request.table === 'di';
    if (count < 1 || count > (bits ? 2_000 : 125)) return 3;
    if (fn === Fn.writeRegisters && request.pdu.length !== 6 + count * 2) return 3;
    if (start + count > 65_536) return 2;
    return this.#options.refuse?.(request) ?? 0;
  }

  #read({ unit, table, start, count, fn }: FakeRequest, out: Uint8Array): number {
    const at = this.#framing.pduAt;
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
    const data = fn === Fn.readWriteRegisters ? 10 : 6;
    if (fn === Fn.writeCoil) this.set(unit, table, start, get16(pdu, 3) === 0xff00 ? 1 : 0);
    else if (fn === Fn.writeRegister) this.set(unit, table, start, get16(pdu, 3));
    else if (fn === Fn.maskWriteRegister) {
      const and = get16(pdu, 3);
      const or = get16(pdu, 5);
      const old = this.get(unit, table, start);
      this.set(unit, table, start, ((old & and) | (or & ~and)) & 0xffff);
    } else
      for (let i = 0; i < count; i++) {
        const coil = ((pdu[data + (i >> 3)] ?? 0) >> (i & 7)) & 1;
        this.set(unit, table, start + i, table === 'co' ? coil : get16(pdu, data + i * 2));
      }
    if (fn === Fn.readWriteRegisters) {
      const read = { ...request, start: get16(pdu, 1), count: get16(pdu, 3) };
      return this.#read(read, out);
    }
    const echoed = fn === Fn.maskWriteRegister ? 7 : 5;
    out.set(pdu.subarray(0, echoed), this.#framing.pduAt);
    return echoed;
  }
}
