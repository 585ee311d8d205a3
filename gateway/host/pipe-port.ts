import type { Duplex } from 'node:stream';
import { deserialize, serialize } from 'node:v8';
import type { Port } from '../contract/index.js';
import { limits } from '../limits.js';

const headBytes = 4;

/**
 * Messages over a pipe between two processes of this gateway, as the structured clone of V8: `[u32 length][bytes]`. Both ends are of the
 * same version.
 */
export class PipePort<Out, In> implements Port<Out, In> {
  readonly #pipe: Duplex;
  #chunks: Buffer[] = [];
  #held = 0;
  #take: (message: In) => void = () => undefined;
  #ended: () => void = () => undefined;
  #isOver = false;
  /** The other side has ended, and this one did not. */
  #isGone = false;

  constructor(pipe: Duplex) {
    this.#pipe = pipe;
    pipe.on('data', (chunk: Buffer) => this.#receive(chunk));
    pipe.once('close', () => this.#close());
    // A broken pipe is an end like any other.
    pipe.on('error', () => undefined);
    pipe.once('end', () => pipe.destroy());
  }

  readonly send = (message: Out): boolean => {
    if (this.#isOver) return true;
    const body = serialize(message);
    const head = Buffer.allocUnsafe(headBytes);
    head.writeUInt32LE(body.length);
    this.#pipe.cork();
    this.#pipe.write(head);
    this.#pipe.write(body);
    process.nextTick(() => this.#pipe.uncork());
    return this.#pipe.writableLength < limits.wallPipeBytes;
  };

  readonly onMessage = (take: (message: In) => void): void => {
    this.#take = take;
  };
  readonly onReady = (go: () => void): void => {
    this.#pipe.on('drain', go);
  };
  readonly onEnd = (ended: () => void): void => {
    this.#ended = ended;
    // Who listens late hears of it, too.
    if (this.#isGone) process.nextTick(ended);
  };
  readonly end = (): void => {
    this.#isOver = true;
    this.#pipe.end();
  };

  #receive(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    for (;;) {
      if (this.#held < headBytes) return;
      const length = this.#whole(headBytes).readUInt32LE();
      if (length > limits.wallMessageBytes) {
        // It is none of ours, or ours has gone mad: the other half begins anew.
        this.#pipe.destroy();
        return;
      }
      if (this.#held < headBytes + length) return;
      const frame = this.#whole(headBytes + length);
      this.#drop(frame.length);
      this.#take(deserialize(frame.subarray(headBytes)) as In);
    }
  }

  /** The first bytes in one piece. */
  #whole(bytes: number): Buffer {
    const [first] = this.#chunks;
    if (first && first.length >= bytes) return first.subarray(0, bytes);
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all.subarray(0, bytes);
  }

  #drop(bytes: number): void {
    const [first] = this.#chunks;
    this.#held -= bytes;
    if (first && first.length > bytes) this.#chunks[0] = first.subarray(bytes);
    else this.#chunks.shift();
  }

  #close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#isGone = true;
    this.#ended();
  }
}
