/**
 * The protocol data unit: function code and data, the same on every transport. Pure; writes into the
 * caller's buffer. Source: Modbus Application Protocol V1.1b3, section 6.
 */
import type { Table } from './tables.js';

/** Function codes that this driver uses. */
export const Fn = {
  readCoils: 1,
  readDiscreteInputs: 2,
  readHoldingRegisters: 3,
  readInputRegisters: 4,
  writeCoil: 5,
  writeRegister: 6,
  readExceptionStatus: 7,
  diagnostics: 8,
  writeCoils: 15,
  writeRegisters: 16,
  reportServerId: 17,
  maskWriteRegister: 22,
  readWriteRegisters: 23,
  /** With MEI type 14: device identification. */
  encapsulated: 43,
} as const;

/** Set in the function code of an answer that is an exception. */
export const exceptionFlag = 0x80;

export const readFunction: Readonly<Record<Table, number>> = {
  co: Fn.readCoils,
  di: Fn.readDiscreteInputs,
  hr: Fn.readHoldingRegisters,
  ir: Fn.readInputRegisters,
};

const exceptionNames: ReadonlyMap<number, string> = new Map([
  [1, 'illegal function'],
  [2, 'illegal address'],
  [3, 'illegal value'],
  [4, 'device failure'],
  [5, 'acknowledge'],
  [6, 'device busy'],
  [8, 'memory parity error'],
  [10, 'gateway path unavailable'],
  [11, 'gateway target failed to respond'],
]);

/** `illegal address (2)`, the text that operators and the audit see. */
export function exceptionText(code: number): string {
  return `${exceptionNames.get(code) ?? 'exception'} (${code})`;
}

export function put16(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 8;
  out[at + 1] = value & 0xff;
}

export function get16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** What tells questions apart: the place that is asked for, however much from there. */
export function keyOf(unit: number, fn: number, start: number): string {
  return `${unit} ${fn} ${start}`;
}

/** FC 1 to 4. `count` in registers or bits. Returns the length, as all of these do. */
export function putRead(
  out: Uint8Array,
  at: number,
  fn: number,
  start: number,
  count: number,
): number {
  out[at] = fn;
  put16(out, at + 1, start);
  put16(out, at + 3, count);
  return 5;
}

/** FC 5. */
export function putWriteCoil(out: Uint8Array, at: number, address: number, on: boolean): number {
  return putRead(out, at, Fn.writeCoil, address, on ? 0xff00 : 0);
}

/** FC 15; `bits` has one byte a coil, 0 or 1. */
export function putWriteCoils(
  out: Uint8Array,
  at: number,
  address: number,
  bits: Uint8Array,
): number {
  const bytes = (bits.length + 7) >> 3;
  putRead(out, at, Fn.writeCoils, address, bits.length);
  out[at + 5] = bytes;
  out.fill(0, at + 6, at + 6 + bytes);
  for (let i = 0; i < bits.length; i++) {
    const to = at + 6 + (i >> 3);
    out[to] = (out[to] as number) | ((bits[i] as number) << (i & 7));
  }
  return 6 + bytes;
}

/** FC 6 for one register, FC 16 for one or more; `data` as on the wire, `words` × two bytes a register. */
export function putWriteRegisters(
  out: Uint8Array,
  at: number,
  address: number,
  data: Uint8Array,
  many: boolean,
  words: 1 | 2 = 1,
): number {
  if (!many) {
    out[at] = Fn.writeRegister;
    put16(out, at + 1, address);
    out.set(data, at + 3);
    return 5;
  }
  putRead(out, at, Fn.writeRegisters, address, data.length / (2 * words));
  out[at + 5] = data.length;
  out.set(data, at + 6);
  return 6 + data.length;
}

/** FC 22: the device computes (old AND and) OR (or AND NOT and), so that no other bit is touched. */
export function putMaskWrite(
  out: Uint8Array,
  at: number,
  address: number,
  and: number,
  or: number,
): number {
  out[at] = Fn.maskWriteRegister;
  put16(out, at + 1, address);
  put16(out, at + 3, and);
  put16(out, at + 5, or);
  return 7;
}

/** Length of the answer's data in bytes for a read of `count` registers or bits. */
export function readBytes(fn: number, count: number): number {
  return fn === Fn.readCoils || fn === Fn.readDiscreteInputs ? (count + 7) >> 3 : count * 2;
}

/** How long an answer is by its own count of bytes, where it has one and more has come. */
export function countedLength(bytes: Uint8Array, at: number, length: number): number {
  const isRead = (bytes[at] as number) <= Fn.readInputRegisters;
  return isRead && length > 2 ? Math.min(length, 2 + (bytes[at + 1] as number)) : length;
}

/** Is this the answer to such a read: its byte count, and as many bytes? Then data begin at `at + 2`. */
export function isReadAnswer(
  bytes: Uint8Array,
  at: number,
  length: number,
  expected: number,
): boolean {
  return length === 2 + expected && bytes[at + 1] === expected;
}

/** For people: how a PDU differs from the answer to a read of so many bytes. */
export function oddRead(pdu: Uint8Array, fn: number, expected: number): string {
  const other = oddFunction(pdu, fn);
  if (other !== undefined) return other;
  const data = pdu.length - 2;
  if (data === expected) return `a count of ${String(pdu[1])} before ${String(data)} bytes of data`;
  return `${String(Math.max(0, data))} bytes of data instead of ${String(expected)}`;
}

/** The same of the answer to a write, which repeats the beginning of its request. */
export function oddEcho(pdu: Uint8Array, request: Uint8Array): string {
  const other = oddFunction(pdu, request[0] as number);
  if (other !== undefined) return other;
  if (pdu.length < echoLength(request)) return `${String(pdu.length)} bytes in all`;
  const [place, asked] = [get16(pdu, 1), get16(request, 1)];
  if (place !== asked) return `address ${String(place)} instead of ${String(asked)}`;
  return `${String(get16(pdu, 3))} instead of ${String(get16(request, 3))}`;
}

function oddFunction(pdu: Uint8Array, fn: number): string | undefined {
  const [own = 0] = pdu;
  if (own === fn) return undefined;
  if (own === (fn | exceptionFlag)) return `an exception of ${String(pdu.length)} bytes`;
  return `function ${String(own)} instead of ${String(fn)}`;
}

/** Bytes of the PDU that answers a write. */
export function echoLength(request: Uint8Array): number {
  return request[0] === Fn.maskWriteRegister ? 7 : 5;
}

/**
 * Is this the echo of the write `request` (its PDU)? FC 15 and 16 echo address and count only; some devices send back
 * all of it, or a stray byte more.
 */
export function isEcho(
  bytes: Uint8Array,
  at: number,
  length: number,
  request: Uint8Array,
): boolean {
  const echoed = echoLength(request);
  if (length < echoed) return false;
  for (let i = 0; i < echoed; i++) if (bytes[at + i] !== request[i]) return false;
  return true;
}
