import {
  asGatewayError,
  type ByteStream,
  callHandler,
  type DriverContext,
  type Endpoint,
  errorOf,
  GatewayError,
  type RtsMode,
} from '../contract/index.js';
import { Flow, Receipts } from './isolated-flow.js';
import { type FromThread, type ToStream } from './isolated-messages.js';

type Post = (message: FromThread, transfer?: readonly ArrayBuffer[]) => void;

/** A driver's end of a byte stream whose socket or port is at the other side. */
class RemoteStream implements ByteStream {
  readonly id: number;
  readonly #post: Post;
  readonly #onShut: () => void;
  readonly #flow = new Flow();
  readonly #receipts: Receipts;
  #onBytes: ((bytes: Uint8Array) => unknown) | undefined;
  #onEnd: ((why: GatewayError) => unknown) | undefined;
  #isOver = false;

  constructor(id: number, post: Post, onShut: () => void) {
    this.id = id;
    this.#post = post;
    this.#onShut = onShut;
    this.#receipts = new Receipts((count) => post({ kind: 'taken', stream: id, count }));
  }

  onBytes(handler: (bytes: Uint8Array) => void): void {
    this.#onBytes = handler;
  }
  onEnd(handler: (why: GatewayError) => void): void {
    this.#onEnd = handler;
  }
  write(bytes: Uint8Array): void {
    if (this.#isOver) return;
    if (!this.#flow.send(bytes.length))
      throw new GatewayError('too-many', 'more is written than the link can send');
    const copy = Uint8Array.from(bytes);
    this.#post({ kind: 'send', stream: this.id, bytes: copy }, [copy.buffer]);
  }
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#post({ kind: 'shut', stream: this.id });
    this.#onShut();
  }

  /** @returns what the driver's handler returned */
  heard(message: Exclude<ToStream, { kind: 'opened' }>): unknown {
    if (this.#isOver) return undefined;
    switch (message.kind) {
      case 'bytes':
        this.#receipts.took(message.bytes.length);
        return this.#onBytes?.(message.bytes);
      case 'sent':
        this.#flow.taken(message.count);
        return undefined;
      case 'ended':
        this.#isOver = true;
        this.#onShut();
        return this.#onEnd?.(errorOf(message.why));
    }
  }
}

interface Opening {
  readonly driver: number;
  opened: () => void;
  failed: (why: GatewayError) => void;
}

/** The byte streams of all drivers of a thread. */
export class RemoteStreams {
  readonly #post: Post;
  /** A handler of a driver failed. */
  readonly #onTrouble: (driver: number, why: GatewayError) => void;
  readonly #opening = new Map<number, Opening>();
  readonly #open = new Map<number, { readonly driver: number; readonly stream: RemoteStream }>();
  #last = 0;

  constructor(post: Post, onTrouble: (driver: number, why: GatewayError) => void) {
    this.#post = post;
    this.#onTrouble = onTrouble;
  }

  /** See {@link DriverContext.open}, for one driver. */
  opener(driver: number): DriverContext['open'] {
    return (endpoint, signal, rts) => this.#begin(driver, endpoint, signal, rts);
  }

  /** Whose stream it is. */
  driverOf(stream: number): number {
    return this.#open.get(stream)?.driver ?? this.#opening.get(stream)?.driver ?? 0;
  }

  heard(message: ToStream): void {
    const { stream: id } = message;
    const opening = this.#opening.get(id);
    if (message.kind === 'opened') {
      // Nobody waits for it any more.
      if (opening) opening.opened();
      else this.#post({ kind: 'shut', stream: id });
      return;
    }
    if (opening && message.kind === 'ended') opening.failed(errorOf(message.why));
    const known = this.#open.get(id);
    if (known) this.#call(known.driver, () => known.stream.heard(message));
  }

  #begin(
    driver: number,
    endpoint: Endpoint,
    signal: AbortSignal,
    rts: RtsMode | undefined,
  ): Promise<ByteStream> {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#opening.delete(id);
        signal.removeEventListener('abort', giveUp);
      };
      const giveUp = (): void => {
        settle();
        this.#post({ kind: 'shut', stream: id });
        reject(asGatewayError(signal.reason));
      };
      const opened = (): void => {
        settle();
        const stream = new RemoteStream(id, this.#post, () => this.#open.delete(id));
        this.#open.set(id, { driver, stream });
        resolve(stream);
      };
      const failed = (why: GatewayError): void => {
        settle();
        reject(why);
      };
      if (signal.aborted) {
        reject(asGatewayError(signal.reason));
        return;
      }
      this.#opening.set(id, { driver, opened, failed });
      signal.addEventListener('abort', giveUp);
      this.#post({ kind: 'open', driver, stream: id, endpoint, rts });
    });
  }

  #call(driver: number, handler: () => unknown): void {
    callHandler(handler, (why) => this.#onTrouble(driver, why));
  }
}
