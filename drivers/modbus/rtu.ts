/**
 * Modbus RTU framing: unit id, PDU, CRC-16. Frames are told apart by their content, not by silence: on
 * the way through USB adapters and network converters the gaps between bytes mean nothing any more.
 * Source: Modbus over Serial Line Specification V1.02, section 2.5.1.
 */
import { crc16 } from './crc.js';
import { exceptionFlag, Fn } from './frame.js';
import type { Asked, Framing } from './framing.js';
import { LineReceiver } from './line-receiver.js';
import { OwedAnswers } from './owed.js';

const maxFrame = 256;
/** Room for a frame with as much noise before it. */
const capacity = 2 * maxFrame;
const minFrame = 5;

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

/**
 * Length in bytes of the answer frame that begins at `at`, judged by what stands there; 0 when no answer
 * begins so, -1 when more must come to tell.
 */
export function rtuLength(bytes: Uint8Array, at: number, end: number): number {
  if (end - at < 3) return -1;
  const fn = bytes[at + 1] as number;
  if (fn & exceptionFlag) return minFrame;
  if (counted.has(fn)) return 5 + (bytes[at + 2] as number);
  if (fn === Fn.encapsulated) return identificationLength(bytes, at, end);
  return fixed.get(fn) ?? 0;
}

/** FC 43/14: a list of objects, each with its length. */
function identificationLength(bytes: Uint8Array, at: number, end: number): number {
  if (end - at < 8) return -1;
  let objects = bytes[at + 7] as number;
  let size = 8;
  while (objects-- > 0) {
    if (end - at < size + 2) return -1;
    size += 2 + (bytes[at + size + 1] as number);
    if (size > maxFrame) return 0;
  }
  return size + 2;
}

class RtuReceiver extends LineReceiver {
  readonly #buffer = new Uint8Array(capacity);
  #size = 0;
  /** What was sent last, and how much of it may still come back as an echo. */
  #sent: Uint8Array = new Uint8Array(0);
  #echoLeft = 0;
  #echoes = false;
  /** The frame under way was seen to be corrupt and is counted. */
  #counted = false;

  protected restart(frame: Uint8Array): void {
    this.#size = 0;
    this.#counted = false;
    this.#sent = frame.slice();
    this.#echoLeft = this.#echoes ? frame.length : 0;
  }

  push(bytes: Uint8Array): void {
    let at = this.#skipEcho(bytes);
    while (!this.stopped && at < bytes.length) {
      // Of more noise than fits only the end can belong to a frame.
      if (this.#size === capacity) this.#drop(capacity - maxFrame);
      const take = Math.min(capacity - this.#size, bytes.length - at);
      this.#buffer.set(bytes.subarray(at, at + take), this.#size);
      this.#size += take;
      at += take;
      while (this.#findFrame());
    }
  }

  /** On two wires some adapters hear themselves: then our own bytes come first. */
  #skipEcho(bytes: Uint8Array): number {
    let at = 0;
    while (this.#echoLeft > 0 && at < bytes.length) {
      if (bytes[at] !== this.#sent[this.#sent.length - this.#echoLeft]) {
        this.#echoLeft = 0;
        break;
      }
      at++;
      this.#echoLeft--;
    }
    return at;
  }

  /** Takes the first whole frame out of the buffer; false when there is none yet. */
  #findFrame(): boolean {
    if (this.stopped) return false;
    const { asked } = this;
    if (this.#learnEcho()) return true;
    const bytes = this.#buffer;
    for (let at = 0; this.#size - at >= minFrame - 2; at++) {
      const unit = bytes[at] as number;
      if (!this.concerns(unit)) continue;
      const length = rtuLength(bytes, at, this.#size);
      if (length === 0 || length > maxFrame) continue;
      const isExpected = asked !== undefined && this.#fits(asked, at, length);
      if (length < 0 || at + length > this.#size) {
        // The answer that is waited for has begun: nothing within it is a frame.
        if (isExpected) return false;
        continue;
      }
      if (crc16(bytes, at, at + length) !== 0) {
        if (isExpected && !this.#counted) {
          this.#counted = true;
          this.sink.corrupt();
        }
        continue;
      }
      const frame = bytes.slice(at, at + length);
      this.#drop(at + length);
      this.deliver(frame, length - 3);
      return true;
    }
    return false;
  }

  #fits(asked: Asked, at: number, length: number): boolean {
    const fn = this.#buffer[at + 1] as number;
    if (this.#buffer[at] !== asked.unit || fn !== asked.fn) return false;
    return asked.length === undefined || length === asked.length + 3;
  }

  /** Only a read of registers is unmistakable. */
  #learnEcho(): boolean {
    const sent = this.#sent;
    if (this.#echoes || this.#size < sent.length || sent.length === 0) return false;
    if (!this.asksRegisters) return false;
    for (let i = 0; i < sent.length; i++) if (this.#buffer[i] !== sent[i]) return false;
    this.#echoes = true;
    this.#drop(sent.length);
    return true;
  }

  #drop(count: number): void {
    this.#buffer.copyWithin(0, count, this.#size);
    this.#size -= count;
  }
}

export const rtu: Framing = {
  name: 'rtu',
  pduAt: 1,
  maxFrame,
  hasIds: false,
  seal(out, _id, unit, pduLength) {
    out[0] = unit;
    const end = pduLength + 1;
    const crc = crc16(out, 0, end);
    // Low byte first, unlike everything else in the protocol.
    out[end] = crc & 0xff;
    out[end + 1] = crc >>> 8;
    return end + 2;
  },
  receiver: (sink, owed = new OwedAnswers()) => new RtuReceiver(sink, owed),
};
