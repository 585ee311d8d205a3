/**
 * Modbus RTU framing: unit id, PDU, CRC-16. Frames are told apart by their content, not by silence: on
 * the way through USB adapters and network converters the gaps between bytes mean nothing any more.
 * Source: Modbus over Serial Line Specification V1.02, section 2.5.1.
 */
import { crc16 } from '../frames/crc.js';
import { sameBytes } from '../frames/frame.js';
import type { Asked } from '../frames/question.js';
import type { Framing } from './framing.js';
import {
  isKnownFunction,
  maxRtuFrame,
  minRtuFrame,
  rtuLength,
  rtuRequestLength,
} from '../frames/lengths.js';
import { LineMemory } from '../line/memory.js';
import { LineReceiver } from './line-receiver.js';

/** Room for a frame with as much noise before it. */
const capacity = 2 * maxRtuFrame;
/** Unit ids are 1 to 247; 248 to 255 are reserved, 0 is for all. */
const lastUnit = 247;

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
      if (this.#size === capacity) this.#drop(capacity - maxRtuFrame);
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
    if (this.#learnEcho()) return true;
    for (let at = 0; this.#size - at >= minRtuFrame - 2; at++) {
      const found = this.#answerAt(at);
      if (found === 'begun') return false;
      if (found === 'none' && this.#requestAt(at)) return true;
      if (found === 'taken') return true;
    }
    return false;
  }

  /** `begun`: the answer that is waited for; nothing within it is a frame. */
  #answerAt(at: number): 'taken' | 'begun' | 'none' {
    const { asked } = this;
    const bytes = this.#buffer;
    if (!this.#mayBegin(at)) return 'none';
    const length = rtuLength(bytes, at, this.#size);
    if (length === 0 || length > maxRtuFrame) return 'none';
    const isExpected = asked !== undefined && this.#fits(asked, at, length);
    if (length < 0 || at + length > this.#size) return isExpected ? 'begun' : 'none';
    if (crc16(bytes, at, at + length) !== 0) {
      if (isExpected && !this.#counted) {
        this.#counted = true;
        this.sink.corrupt();
      }
      return 'none';
    }
    const frame = this.#take(at, length);
    this.deliver(frame, length - 3);
    return 'taken';
  }

  /** A request on the line: our own, from an adapter that hears itself, or another client's. */
  #requestAt(at: number): boolean {
    if (!this.#mayBegin(at)) return false;
    const length = rtuRequestLength(this.#buffer, at, this.#size);
    if (length <= 0 || length > maxRtuFrame || at + length > this.#size) return false;
    if (crc16(this.#buffer, at, at + length) !== 0) return false;
    const frame = this.#take(at, length);
    if (!sameBytes(frame, this.#sent)) this.unasked(frame, length - 3);
    return true;
  }

  /** Of units that nobody asked only what can be a frame is looked at: noise is full of beginnings. */
  #mayBegin(at: number): boolean {
    const unit = this.#buffer[at] as number;
    return (
      this.concerns(unit) || (unit <= lastUnit && isKnownFunction(this.#buffer[at + 1] as number))
    );
  }

  #take(at: number, length: number): Uint8Array {
    const frame = this.#buffer.slice(at, at + length);
    this.#drop(at + length);
    return frame;
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
  maxFrame: maxRtuFrame,
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
  receiver: (sink, line = new LineMemory()) => new RtuReceiver(sink, line),
};
