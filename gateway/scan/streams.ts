import type { ByteStream, DriverContext, GatewayError } from '../contract/index.js';
import { callHandler, GatewayError as Failure } from '../contract/index.js';
import type { Tap } from './tap.js';

export interface StreamsOptions {
  readonly tap: Tap;
  open: DriverContext['open'];
  /** A handler of the driver failed. */
  onTrouble: (error: GatewayError) => void;
}

/**
 * The streams of one connection of a driver. What its handlers throw is trouble of its link, not of the socket that
 * calls them; and what it leaves open is closed with it, for some devices serve two or three connections.
 */
export class Streams {
  readonly #o: StreamsOptions;
  readonly #open = new Set<ByteStream>();
  #isOver = false;

  constructor(options: StreamsOptions) {
    this.#o = options;
  }

  /** See {@link DriverContext.open}; a stream that comes after {@link close} is closed at once. */
  readonly open: DriverContext['open'] = async (...to) => {
    const stream = await this.#o.open(...to);
    if (this.#isOver) {
      stream.close();
      throw new Failure('link-closing', 'the link was closed meanwhile');
    }
    this.#open.add(stream);
    return this.#guarded(this.#o.tap.wrap(stream), stream);
  };

  /** @returns how many the driver had left open */
  close(): number {
    this.#isOver = true;
    const left = [...this.#open];
    this.#open.clear();
    for (const stream of left) stream.close();
    return left.length;
  }

  /** @param socket what is known to be open */
  #guarded(stream: ByteStream, socket: ByteStream): ByteStream {
    return {
      onBytes: (handler) => stream.onBytes((bytes) => this.#call(() => handler(bytes))),
      onEnd: (handler) =>
        stream.onEnd((why) => {
          this.#open.delete(socket);
          this.#call(() => handler(why));
        }),
      write: (bytes) => stream.write(bytes),
      close: () => {
        this.#open.delete(socket);
        stream.close();
      },
    };
  }

  #call(handler: () => unknown): void {
    callHandler(handler, (why) => this.#o.onTrouble(why));
  }
}
