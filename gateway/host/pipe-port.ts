import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';
import type { Duplex } from 'node:stream';
import { deserialize, serialize } from 'node:v8';
import type { Codec, Port } from '../contract/index.js';
import { limits } from '../limits.js';
import { FrameReader, FrameWriter } from './frames.js';

/** Bytes taken from the kernel at once, into memory that is used again for every read. */
const readBytes = 65_536;

/** The structured clone of V8. */
export const cloned: Codec<unknown, unknown> = { encode: serialize, decode: deserialize };

/** Messages over a pipe between two processes of this gateway. */
export class PipePort<Out, In> implements Port<Out, In> {
  readonly #pipe: Duplex;
  readonly #codec: Codec<Out, In>;
  readonly #reader = new FrameReader(limits.wallMessageBytes);
  readonly #writer: FrameWriter;
  #take: (message: In) => void = () => undefined;
  #ended: () => void = () => undefined;
  #isOver = false;
  /** The other side has ended, and this one did not. */
  #isGone = false;

  constructor(pipe: Duplex, codec: Codec<Out, In> = cloned as Codec<Out, In>) {
    this.#pipe = pipe;
    this.#codec = codec;
    this.#writer = new FrameWriter(pipe);
    pipe.on('data', (chunk: Buffer) => this.#receive(chunk));
    pipe.once('close', () => this.#close());
    // A broken pipe is an end like any other.
    pipe.on('error', () => undefined);
    pipe.once('end', () => pipe.destroy());
  }

  /** Over a descriptor that this process was started with. */
  static of<Out, In>(fd: number, codec?: Codec<Out, In>): PipePort<Out, In> {
    const options: SocketConstructorOpts & { readonly onread: OnReadOpts } = {
      fd,
      onread: {
        buffer: new Uint8Array(readBytes),
        callback: (length, buffer) => {
          port.#receive(buffer.subarray(0, length));
          return true;
        },
      },
    };
    const socket = new Socket(options);
    const port = new PipePort<Out, In>(socket, codec);
    return port;
  }

  readonly send = (message: Out): boolean => {
    if (this.#isOver) return true;
    this.#writer.put(this.#codec.encode(message));
    return this.#writer.waiting < limits.wallPipeBytes;
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
    this.#writer.flush();
    this.#pipe.end();
  };

  #receive(chunk: Uint8Array): void {
    const isOurs = this.#reader.take(chunk, (frame) => this.#take(this.#codec.decode(frame)));
    // It is none of ours, or ours has gone mad: the other half begins anew.
    if (!isOurs) this.#pipe.destroy();
  }

  #close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#isGone = true;
    this.#ended();
  }
}
