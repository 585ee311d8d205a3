/** How long frames are, by what stands in them. */
import { exceptionFlag, Fn, get16, readBytes } from './frame.js';

export const maxRtuFrame = 256;
/** Unit, function, a byte and the CRC. */
export const minRtuFrame = 5;

/** Of the function codes whose answers say how long they are, where the count of bytes stands. */
const counted: ReadonlySet<number> = new Set([
  Fn.readCoils,
  Fn.readDiscreteInputs,
  Fn.readHoldingRegisters,
  Fn.readInputRegisters,
  Fn.readWriteRegisters,
  Fn.reportServerId,
]);
const fixed: ReadonlyMap<number, number> = new Map([
  [Fn.writeCoil, 8],
  [Fn.writeRegister, 8],
  [Fn.writeCoils, 8],
  [Fn.writeRegisters, 8],
  [Fn.maskWriteRegister, 10],
  [Fn.readExceptionStatus, 5],
  [Fn.diagnostics, 8],
]);
const fixedRequests: ReadonlyMap<number, number> = new Map([
  [Fn.readCoils, 8],
  [Fn.readDiscreteInputs, 8],
  [Fn.readHoldingRegisters, 8],
  [Fn.readInputRegisters, 8],
  [Fn.writeCoil, 8],
  [Fn.writeRegister, 8],
  [Fn.readExceptionStatus, 4],
  [Fn.diagnostics, 8],
  [Fn.reportServerId, 4],
  [Fn.maskWriteRegister, 10],
  [Fn.encapsulated, 7],
]);
/** Of the requests that carry data, where their count of bytes stands. */
const countAt: ReadonlyMap<number, number> = new Map([
  [Fn.writeCoils, 6],
  [Fn.writeRegisters, 6],
  [Fn.readWriteRegisters, 10],
]);

/** Is it a function that this driver knows, or a refusal of one? */
export function isKnownFunction(fn: number): boolean {
  const plain = fn & ~exceptionFlag;
  return counted.has(plain) || fixed.has(plain) || plain === Fn.encapsulated;
}

/**
 * Length in bytes of the RTU answer that begins at `at`, judged by what stands there; 0 when no answer
 * begins so, -1 when more must come to tell.
 */
export function rtuLength(bytes: Uint8Array, at: number, end: number): number {
  if (end - at < 3) return -1;
  const fn = bytes[at + 1] as number;
  if (fn & exceptionFlag) return minRtuFrame;
  if (counted.has(fn)) return 5 + (bytes[at + 2] as number);
  if (fn === Fn.encapsulated) return identificationLength(bytes, at, end);
  return fixed.get(fn) ?? 0;
}

/** The same of a request. */
export function rtuRequestLength(bytes: Uint8Array, at: number, end: number): number {
  if (end - at < 2) return -1;
  const fn = bytes[at + 1] as number;
  const place = countAt.get(fn);
  if (place === undefined) return fixedRequests.get(fn) ?? 0;
  return end - at <= place ? -1 : place + 3 + (bytes[at + place] as number);
}

/** FC 43/14: a list of objects, each with its length. */
function identificationLength(bytes: Uint8Array, at: number, end: number): number {
  if (end - at < 8) return -1;
  let objects = bytes[at + 7] as number;
  let size = 8;
  while (objects-- > 0) {
    if (end - at < size + 2) return -1;
    size += 2 + (bytes[at + size + 1] as number);
    if (size > maxRtuFrame) return 0;
  }
  return size + 2;
}

/**
 * If a frame of unit and PDU is a request: bytes of the PDU of its normal answer.
 * @param length of the PDU
 */
export function answerLengthTo(frame: Uint8Array, length: number): number | undefined {
  const fn = frame[1] as number;
  const isRead = fn <= Fn.readInputRegisters;
  if (isRead && length === 5 && frame[2] !== 3) return 2 + readBytes(fn, get16(frame, 4));
  const carriesData = fn === Fn.writeCoils || fn === Fn.writeRegisters;
  return carriesData && length > 5 ? 5 : undefined;
}
