/**
 * Modbus ASCII framing: a colon, unit id and PDU as hexadecimal digits, LRC, CR LF.
 * Source: Modbus over Serial Line Specification V1.02, section 2.5.2.
 */
import { lrc } from '../frames/crc.js';
import type { Framing } from './framing.js';
import { LineMemory } from '../line/memory.js';
import { LineReceiver } from './line-receiver.js';

const colon = 0x3a;
const carriageReturn = 0x0d;
const lineFeed = 0x0a;
/** Unit id, PDU and LRC. */
const maxBytes = 255;
const maxFrame = 1 + 2 * maxBytes + 2;
const digits = Uint8Array.from('0123456789ABCDEF', (c) => c.charCodeAt(0));

/** 0 to 15; -1 for everything that is no digit. Small letters are taken too. */
function valueOf(char: number): number {
  if (char >= 0x30 && char <= 0x39) return char - 0x30;
  const upper = char & 0xdf;
  return upper >= 0x41 && upper <= 0x46 ? upper - 0x37 : -1;
}

class AsciiReceiver extends LineReceiver {
  readonly #bytes = new Uint8Array(maxBytes);
  /** Digits since the colon; -1 = no frame has begun. */
  #digits = -1;
  #sent: Uint8Array = new Uint8Array(0);
  #echoes = false;
  #echoDue = false;

  protected restart(frame: Uint8Array): void {
    this.#digits = -1;
    this.#sent = bytesOf(frame);
    this.#echoDue = this.#echoes;
  }

  push(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length && !this.stopped; i++) {
      // Lines of seven bits may deliver the eighth as they like.
      const char = (bytes[i] as number) & 0x7f;
      if (char === colon) this.#digits = 0;
      else if (this.#digits >= 0) this.#take(char);
    }
  }

  #take(char: number): void {
    if (char === carriageReturn) return;
    if (char === lineFeed) {
      this.#finish();
      this.#digits = -1;
      return;
    }
    const value = valueOf(char);
    const at = this.#digits >> 1;
    if (value < 0 || at >= maxBytes) {
      this.#digits = -1;
      this.sink.corrupt();
    } else {
      const high = (this.#digits & 1) === 0;
      this.#bytes[at] = high ? value << 4 : (this.#bytes[at] as number) | value;
      this.#digits++;
    }
  }

  #finish(): void {
    const size = this.#digits >> 1;
    if (this.#digits < 0) return;
    // Unit id, function and one byte at least, and the LRC.
    if (size < 4 || this.#digits & 1 || lrc(this.#bytes, 0, size) !== 0) {
      this.sink.corrupt();
      return;
    }
    if (this.#isEcho(size)) return;
    this.deliver(this.#bytes.slice(0, size), size - 2);
  }

  /** Our own frame, from an adapter that hears itself; learned from reads, which are unmistakable. */
  #isEcho(size: number): boolean {
    const sent = this.#sent;
    if (size !== sent.length || sent.some((byte, i) => byte !== this.#bytes[i])) return false;
    if (!this.#echoDue && !this.asksRegisters) return false;
    this.#echoes = true;
    this.#echoDue = false;
    return true;
  }
}

function bytesOf(frame: Uint8Array): Uint8Array {
  const size = (frame.length - 3) >> 1;
  return Uint8Array.from({ length: size }, (_, i) => {
    const at = 1 + 2 * i;
    return (valueOf(frame[at] as number) << 4) | valueOf(frame[at + 1] as number);
  });
}

export const ascii: Framing = {
  name: 'ascii',
  pduAt: 1,
  maxFrame,
  hasIds: false,
  seal(out, _id, unit, pduLength) {
    out[0] = unit;
    const size = pduLength + 2;
    out[size - 1] = lrc(out, 0, size - 1);
    // From the end, so that nothing is overwritten before it is read.
    for (let i = size - 1; i >= 0; i--) {
      const byte = out[i] as number;
      out[1 + 2 * i] = digits[byte >> 4] as number;
      out[2 + 2 * i] = digits[byte & 15] as number;
    }
    out[0] = colon;
    out[1 + 2 * size] = carriageReturn;
    out[2 + 2 * size] = lineFeed;
    return 3 + 2 * size;
  },
  receiver: (sink, line = new LineMemory()) => new AsciiReceiver(sink, line),
};
