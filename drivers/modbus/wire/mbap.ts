/**
 * Modbus TCP framing: the MBAP header (transaction id, protocol id 0, length, unit id).
 * Source: Modbus Messaging on TCP/IP Implementation Guide V1.0b, section 3.1.3.
 */
import type { FrameSink, Framing, Receiver } from './framing.js';
import { get16, put16 } from '../frames/frame.js';

/** Bytes up to and including the length field. */
const prefix = 6;
const header = prefix + 1;
/** The length field counts the unit id and a PDU of 1 to 253 bytes. */
const minLength = 2;
const maxLength = 254;
const maxFrame = prefix + maxLength;

class MbapReceiver implements Receiver {
  /** A frame of which only the beginning has come. */
  readonly #held = new Uint8Array(maxFrame);
  #size = 0;
  #stopped = false;
  /** Ids that were sent after the held frame had begun: it cannot be the answer to them. */
  #younger: number[] = [];
  readonly #sink: FrameSink;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  stop(): void {
    this.#stopped = true;
    this.#size = 0;
  }

  sent(id: number): void {
    if (this.#size > 0) this.#younger.push(id);
  }

  push(bytes: Uint8Array): void {
    let at = this.#size > 0 ? this.#complete(bytes) : 0;
    // Whole frames are read where they lie, without a copy.
    while (!this.#stopped && bytes.length - at >= prefix) {
      const size = this.#frameSize(bytes, at);
      if (size === 0 || bytes.length - at < size) break;
      this.#deliver(bytes, at, size);
      at += size;
    }
    if (this.#stopped || at >= bytes.length) return;
    this.#held.set(bytes.subarray(at), 0);
    this.#size = bytes.length - at;
  }

  /** Completes the held frame; returns how many of the bytes it took. */
  #complete(bytes: Uint8Array): number {
    let at = 0;
    while (this.#size < prefix && at < bytes.length)
      this.#held[this.#size++] = bytes[at++] as number;
    if (this.#size < prefix) return at;
    const size = this.#frameSize(this.#held, 0);
    if (size === 0) return at;
    const take = Math.min(size - this.#size, bytes.length - at);
    this.#held.set(bytes.subarray(at, at + take), this.#size);
    this.#size += take;
    if (this.#size === size) {
      this.#size = 0;
      const id = get16(this.#held, 0);
      const isTooOld = this.#younger.includes(id);
      this.#younger = [];
      if (!isTooOld) this.#deliver(this.#held, 0, size);
      else {
        this.stop();
        this.#sink.broken(`the answer ${id} began before it was asked for`);
      }
    }
    return at + take;
  }

  /** Length of the frame that begins here, in bytes; 0 when it is none (and the sink knows). */
  #frameSize(bytes: Uint8Array, at: number): number {
    const length = get16(bytes, at + 4);
    if (get16(bytes, at + 2) === 0 && length >= minLength && length <= maxLength)
      return prefix + length;
    this.stop();
    this.#sink.broken(`protocol id ${get16(bytes, at + 2)}, length ${length}`);
    return 0;
  }

  #deliver(bytes: Uint8Array, at: number, size: number): void {
    this.#sink.frame(
      get16(bytes, at),
      bytes[at + prefix] as number,
      bytes,
      at + header,
      size - header,
    );
  }
}

export const mbap: Framing = {
  name: 'tcp',
  pduAt: header,
  maxFrame,
  hasIds: true,
  seal(out, id, unit, pduLength) {
    put16(out, 0, id);
    put16(out, 2, 0);
    put16(out, 4, pduLength + 1);
    out[prefix] = unit;
    return header + pduLength;
  },
  receiver: (sink) => new MbapReceiver(sink),
};

/** Over UDP a datagram is a frame: what is none is dropped, and hurts nothing that follows. */
class DatagramReceiver implements Receiver {
  readonly #sink: FrameSink;
  #stopped = false;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  stop(): void {
    this.#stopped = true;
  }

  push(bytes: Uint8Array): void {
    if (this.#stopped) return;
    const whole =
      bytes.length >= header + 1 &&
      bytes.length <= maxFrame &&
      get16(bytes, 2) === 0 &&
      get16(bytes, 4) === bytes.length - prefix;
    if (!whole) this.#sink.corrupt();
    else
      this.#sink.frame(
        get16(bytes, 0),
        bytes[prefix] as number,
        bytes,
        header,
        bytes.length - header,
      );
  }
}

export const mbapUdp: Framing = {
  ...mbap,
  name: 'udp',
  receiver: (sink) => new DatagramReceiver(sink),
};
