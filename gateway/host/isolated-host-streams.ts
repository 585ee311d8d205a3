import {
  asGatewayError,
  type ByteStream,
  type DriverContext,
  type GatewayError,
  GatewayError as Failure,
  plainErrorOf,
} from '../contract/index.js';
import { Flow, Receipts } from './isolated-flow.js';
import { type FromStream, type ToStream } from './isolated-messages.js';

export interface HostStreamsOptions {
  post: (message: ToStream, transfer?: readonly ArrayBuffer[]) => void;
  /** The way out of a driver; undefined where it is closed. */
  contextOf: (driver: number) => Pick<DriverContext, 'open'> | undefined;
  /** A driver does not take what it is sent. */
  onTrouble: (driver: number, why: GatewayError) => void;
}

interface Opened {
  readonly driver: number;
  readonly stream: ByteStream;
  /** What is on its way to the driver. */
  readonly flow: Flow;
  /** What came from the driver. */
  readonly receipts: Receipts;
}

/** The sockets and ports of the drivers of a thread, which can have none of their own that the host knows of. */
export class HostStreams {
  readonly #o: HostStreamsOptions;
  readonly #opening = new Map<number, AbortController>();
  readonly #open = new Map<number, Opened>();

  constructor(options: HostStreamsOptions) {
    this.#o = options;
  }

  heard(message: FromStream): void {
    const opened = this.#open.get(message.stream);
    switch (message.kind) {
      case 'open':
        void this.#begin(message);
        break;
      case 'send':
        opened?.stream.write(message.bytes);
        opened?.receipts.took(message.bytes.length);
        break;
      case 'taken':
        opened?.flow.taken(message.count);
        break;
      case 'shut':
        this.#opening.get(message.stream)?.abort(closing());
        this.#shut(message.stream);
    }
  }

  /** The driver has let go, or is not there any more. */
  closeOf(driver: number): void {
    for (const [id, opened] of this.#open) if (opened.driver === driver) this.#shut(id);
  }

  closeAll(): void {
    for (const controller of this.#opening.values()) controller.abort(closing());
    for (const id of this.#open.keys()) this.#shut(id);
  }

  #shut(id: number): void {
    const opened = this.#open.get(id);
    this.#open.delete(id);
    opened?.stream.close();
  }

  async #begin({
    driver,
    stream: id,
    endpoint,
    rts,
  }: Extract<FromStream, { kind: 'open' }>): Promise<void> {
    const controller = new AbortController();
    this.#opening.set(id, controller);
    try {
      const context = this.#o.contextOf(driver);
      if (!context) throw closing();
      const stream = await context.open(endpoint, controller.signal, rts);
      if (controller.signal.aborted) stream.close();
      else this.#attach(driver, id, stream);
    } catch (thrown) {
      this.#o.post({ kind: 'ended', stream: id, why: plainErrorOf(asGatewayError(thrown)) });
    } finally {
      this.#opening.delete(id);
    }
  }

  #attach(driver: number, id: number, stream: ByteStream): void {
    const flow = new Flow();
    const receipts = new Receipts((count) => this.#o.post({ kind: 'sent', stream: id, count }));
    this.#open.set(id, { driver, stream, flow, receipts });
    stream.onBytes((bytes) => {
      if (!flow.send(bytes.length)) {
        this.#shut(id);
        this.#o.onTrouble(
          driver,
          new Failure('too-many', 'the driver does not take what it is sent'),
        );
        return;
      }
      const copy = Uint8Array.from(bytes);
      this.#o.post({ kind: 'bytes', stream: id, bytes: copy }, [copy.buffer]);
    });
    stream.onEnd((why) => {
      this.#open.delete(id);
      this.#o.post({ kind: 'ended', stream: id, why: plainErrorOf(why) });
    });
    this.#o.post({ kind: 'opened', stream: id });
  }
}

function closing(): GatewayError {
  return new Failure('link-closing', 'the driver was closed');
}
