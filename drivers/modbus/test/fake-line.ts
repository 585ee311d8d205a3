/** How a device takes requests off its line: the counterpart of the receivers for answers. */
import { crc16, lrc } from '../frames/crc.js';
import type { Framing, FrameSink, Receiver } from '../wire/framing.js';
import { rtuRequestLength } from '../frames/lengths.js';

/** A receiver of requests in this framing. */
export function requestReceiver(framing: Framing, sink: FrameSink): Receiver {
  // With an MBAP header requests and answers look alike.
  if (framing.hasIds) return framing.receiver(sink);
  return framing.name === 'ascii' ? new AsciiRequests(sink) : new RtuRequests(sink);
}

class RtuRequests implements Receiver {
  #bytes: number[] = [];
  readonly #sink: FrameSink;
  constructor(sink: FrameSink) {
    this.#sink = sink;
  }
  stop(): void {
    this.#bytes = [];
  }
  push(bytes: Uint8Array): void {
    this.#bytes.push(...bytes);
    while (this.#bytes.length >= 4) {
      const known = rtuRequestLength(Uint8Array.from(this.#bytes), 0, this.#bytes.length);
      const length = known === 0 ? 8 : known;
      if (length < 0 || this.#bytes.length < length) return;
      const frame = Uint8Array.from(this.#bytes.splice(0, length));
      // A device with noise on its line waits for silence; here a request always comes whole.
      if (crc16(frame, 0, length) !== 0) this.#bytes = [];
      else this.#sink.frame(0, frame[0] ?? 0, frame, 1, length - 3);
    }
  }
}

class AsciiRequests implements Receiver {
  #text = '';
  readonly #sink: FrameSink;
  constructor(sink: FrameSink) {
    this.#sink = sink;
  }
  stop(): void {
    this.#text = '';
  }
  push(bytes: Uint8Array): void {
    this.#text += String.fromCharCode(...bytes);
    for (;;) {
      const end = this.#text.indexOf('\r\n');
      if (end < 0) return;
      const line = this.#text.slice(this.#text.lastIndexOf(':', end) + 1, end);
      this.#text = this.#text.slice(end + 2);
      const frame = Uint8Array.from((line.match(/../g) ?? []).map((hex) => Number(`0x${hex}`)));
      if (frame.length >= 4 && lrc(frame, 0, frame.length) === 0)
        this.#sink.frame(0, frame[0] ?? 0, frame, 1, frame.length - 2);
    }
  }
}
