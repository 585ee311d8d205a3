import type { ByteStream, Clock, GatewayError } from '../contract/index.js';
import { mono } from '../contract/index.js';
import { limits } from '../limits.js';

/** A piece of what went over the wire of a link. */
export interface TracedPiece {
  /** Counts all pieces since the trace began, from 1. */
  readonly n: number;
  /** Monotonic ms. */
  readonly at: number;
  readonly sent: boolean;
  readonly bytes: Uint8Array;
}

/** Listens to the streams of a link while somebody wants to see them; costs nothing otherwise. */
export class Tap {
  readonly #clock: Clock;
  #pieces: TracedPiece[] = [];
  #count = 0;
  #until = mono(0);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Pieces after number `after`; begins or goes on listening. */
  fetch(after: number): { readonly pieces: readonly TracedPiece[]; readonly lost: number } {
    const now = this.#clock.mono();
    if (now >= this.#until) this.#pieces = [];
    this.#until = mono(now + limits.traceIdleMs);
    // Who has seen more than there is listened to this link before it was made anew.
    const from = after > this.#count ? 0 : after;
    const pieces = this.#pieces.filter(({ n }) => n > from);
    const first = pieces[0]?.n ?? this.#count + 1;
    return { pieces, lost: from === 0 ? 0 : Math.max(0, first - from - 1) };
  }

  wrap(stream: ByteStream): ByteStream {
    return {
      onBytes: (handler) =>
        stream.onBytes((bytes) => {
          this.#heard(bytes, false);
          handler(bytes);
        }),
      onEnd: (handler: (why: GatewayError) => void) => stream.onEnd(handler),
      write: (bytes) => {
        this.#heard(bytes, true);
        stream.write(bytes);
      },
      close: () => stream.close(),
    };
  }

  #heard(bytes: Uint8Array, sent: boolean): void {
    // The time-out first: without a trace this is all that happens.
    if (this.#until === 0) return;
    const at = this.#clock.mono();
    if (at >= this.#until) {
      this.#until = mono(0);
      this.#pieces = [];
      return;
    }
    this.#pieces.push({ n: ++this.#count, at, sent, bytes: bytes.slice() });
    if (this.#pieces.length > limits.traceFrames) this.#pieces.shift();
  }
}
