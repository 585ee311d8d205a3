import {
  GatewayError,
  mono,
  silentLog,
  type ByteStream,
  type DriverContext,
  type Endpoint,
  type MonoMs,
} from '../../gateway/contract/index.js';
import { bytesOf } from './lines.js';

/** One exchange: the bytes that the driver must send next, and the pieces in which the answer arrives. */
export interface Step {
  readonly request: string | Uint8Array;
  readonly answers: readonly (string | Uint8Array)[];
}

/**
 * A device at the other end of a byte stream, as a script: for a driver's own tests. Each request that the script expects
 * is answered in a later turn; a request that it does not expect is kept as a problem, and stays without an answer.
 * For faults on the wire (late, cut, doubled answers) use the conformance suite.
 */
export class FakeWire implements ByteStream {
  /** What the driver sent and the script did not expect, and steps that were not reached: empty after a good test. */
  readonly #problems: string[] = [];
  readonly #steps: Step[];
  #pending: number[] = [];
  #bytes: (bytes: Uint8Array) => void = () => undefined;
  #end: (why: GatewayError) => void = () => undefined;
  #isClosed = false;
  /** How often the endpoint was opened. */
  opens = 0;
  /** What the clock of the context says. */
  now: MonoMs = mono(0);

  constructor(...steps: readonly Step[]) {
    this.#steps = [...steps];
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Unexpected requests, and expected ones that did not come. */
  get problems(): readonly string[] {
    const missing = this.#steps.map(({ request }) => `not sent: ${shownBytes(toBytes(request))}`);
    return [...this.#problems, ...missing];
  }

  /** Expects further exchanges. */
  expect(...steps: readonly Step[]): void {
    this.#steps.push(...steps);
  }

  /** Bytes arrive that nobody requested. The driver may not keep the piece, so it is overwritten afterwards. */
  arrive(bytes: string | Uint8Array): void {
    if (this.#isClosed) return;
    const lent = toBytes(bytes).slice();
    this.#bytes(lent);
    lent.fill(0xa5);
  }

  /** The other side closes the connection. */
  break(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#end(new GatewayError('link-closed', 'the other side closed the connection'));
  }

  onBytes(handler: (bytes: Uint8Array) => void): void {
    this.#bytes = handler;
  }
  onEnd(handler: (why: GatewayError) => void): void {
    this.#end = handler;
  }
  close(): void {
    this.#isClosed = true;
  }

  write(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    this.#pending.push(...bytes);
    const [step] = this.#steps;
    const wanted = step ? toBytes(step.request) : new Uint8Array(0);
    const isBeginning = this.#pending.every((byte, i) => byte === wanted[i]);
    if (!step || !isBeginning) {
      this.#problems.push(`not expected: ${shownBytes(Uint8Array.from(this.#pending))}`);
      this.#pending = [];
    } else if (this.#pending.length === wanted.length) {
      this.#pending = [];
      this.#steps.shift();
      void this.#answer(step.answers);
    }
  }

  async #answer(answers: Step['answers']): Promise<void> {
    for (const answer of answers) {
      await Promise.resolve();
      this.arrive(answer);
    }
  }

  /** Everything that a driver may touch, with this wire behind its endpoint. */
  context(endpoint: Endpoint): DriverContext {
    return {
      endpoint,
      log: silentLog,
      random: { next: () => 0.5 },
      now: () => this.now,
      open: () => {
        this.opens++;
        this.#isClosed = false;
        return Promise.resolve(this);
      },
      memory: new Map(),
      expires: () => undefined,
      count: () => undefined,
      notice: () => undefined,
      refusal: () => undefined,
    };
  }
}

function toBytes(from: string | Uint8Array): Uint8Array {
  return typeof from === 'string' ? bytesOf(from) : from;
}

/** Bytes as JSON text where they are text, else as hexadecimal numbers. */
function shownBytes(bytes: Uint8Array): string {
  const isText = bytes.every((byte) => byte < 0x7f);
  if (isText) return JSON.stringify(String.fromCharCode(...bytes));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
