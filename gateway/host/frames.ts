import type { Duplex } from 'node:stream';

/** Frames over a pipe: `[u32 length][bytes]`, little endian. */
const headBytes = 4;
/** Frames of one turn go in one write, up to here: waking the other side costs more than copying. */
const batchBytes = 131_072;

/** Puts bytes as they come together to frames. Each is copied once, into memory of its own. */
export class FrameReader {
  readonly #most: number;
  readonly #head = Buffer.alloc(headBytes);
  #headHeld = 0;
  #frame: Buffer | undefined;
  #held = 0;

  /** @param most bytes of a frame */
  constructor(most: number) {
    this.#most = most;
  }

  /** @returns false: this is no frame of ours */
  take(chunk: Uint8Array, each: (frame: Buffer) => void): boolean {
    for (let at = 0; at < chunk.length;) {
      if (!this.#frame) {
        const end = Math.min(chunk.length, at + headBytes - this.#headHeld);
        this.#head.set(chunk.subarray(at, end), this.#headHeld);
        this.#headHeld += end - at;
        at = end;
        if (this.#headHeld < headBytes) break;
        const length = this.#head.readUInt32LE();
        if (length === 0 || length > this.#most) return false;
        this.#frame = Buffer.allocUnsafeSlow(length);
        this.#held = 0;
        continue;
      }
      const frame = this.#frame;
      const end = Math.min(chunk.length, at + frame.length - this.#held);
      frame.set(chunk.subarray(at, end), this.#held);
      this.#held += end - at;
      at = end;
      if (this.#held < frame.length) break;
      this.#frame = undefined;
      this.#headHeld = 0;
      each(frame);
    }
    return true;
  }
}

/** Writes frames to a pipe, those of one turn of the event loop together. */
export class FrameWriter {
  readonly #pipe: Duplex;
  #batch = Buffer.allocUnsafeSlow(batchBytes);
  #filled = 0;
  #isDue = false;

  constructor(pipe: Duplex) {
    this.#pipe = pipe;
  }

  /** Bytes that the system has not taken. */
  get waiting(): number {
    return this.#filled + this.#pipe.writableLength;
  }

  /** @param frame is copied */
  put(frame: Uint8Array): void {
    const bytes = headBytes + frame.length;
    if (this.#filled + bytes > this.#batch.length) this.flush();
    if (bytes > this.#batch.length) {
      const whole = Buffer.allocUnsafeSlow(bytes);
      whole.writeUInt32LE(frame.length);
      whole.set(frame, headBytes);
      this.#pipe.write(whole);
      return;
    }
    this.#batch.writeUInt32LE(frame.length, this.#filled);
    this.#batch.set(frame, this.#filled + headBytes);
    this.#filled += bytes;
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      this.flush();
    });
  }

  flush(): void {
    if (this.#filled === 0) return;
    const full = this.#batch.subarray(0, this.#filled);
    this.#filled = 0;
    this.#pipe.write(full);
    // What the system did not take at once it still takes from this memory.
    if (this.#pipe.writableLength > 0) this.#batch = Buffer.allocUnsafeSlow(batchBytes);
  }
}
