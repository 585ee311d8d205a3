import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import {
  MessageChannel,
  receiveMessageOnPort,
  Worker,
  type MessagePort,
} from 'node:worker_threads';
import { GatewayError } from '../contract/index.js';
import { limits } from '../limits.js';
import { done, failed, type NotaryData, type Told } from './notary-thread.js';

/** The start of its thread; a test has one of its own. */
const thread = new URL('./notary-main.js', import.meta.url);

/**
 * A file for bytes that must survive the process and not the power: they are the system's when `write` returns, and nobody
 * waits for the disk. A system that lets `write` wait, as it does when a card is busy, holds up a thread
 * that does nothing else.
 */
export class Notary {
  readonly #path: string;
  readonly #port: MessagePort;
  readonly #state: Int32Array;
  #before: Uint8Array;
  #told = 0;
  /** Failures that somebody was told of. */
  #heardOf = 0;
  /** Why the thread is no more. */
  #ended: string | undefined;

  private constructor(path: string, port: MessagePort, state: Int32Array, worker: Worker) {
    this.#path = path;
    this.#port = port;
    this.#state = state;
    this.#before = readOr(path);
    worker.on('error', (error: unknown) => (this.#ended ??= String(error)));
    worker.on('exit', () => (this.#ended ??= 'the thread that notes trips has ended'));
    // At an orderly end nobody waits for it: what counts then is stored elsewhere.
    worker.unref();
    port.unref();
  }

  static async start(path: string, reserve: number, entry: URL = thread): Promise<Notary> {
    const { port1, port2 } = new MessageChannel();
    const state = new Int32Array(new SharedArrayBuffer(8));
    const workerData: NotaryData = { path, reserve, state, port: port2 };
    const worker = new Worker(entry, {
      workerData,
      transferList: [port2],
      // It needs nothing of what the process was started with.
      execArgv: [],
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 },
    });
    // Until it has begun, nobody notes anything: a trip in between could be forgotten.
    await once(worker, 'message');
    return new Notary(path, port1, state, worker);
  }

  /** What was in the file when it was opened, last; nothing where it could not be read. */
  get before(): Uint8Array {
    return this.#before;
  }

  /** Is something still to be written? Then nobody waits for what comes behind it. */
  get isBehind(): boolean {
    return this.#ended === undefined && this.#done !== this.#told;
  }

  /** Why something that was told before could not be written, if it was late. Asked once: it is forgotten. */
  takeFailure(): string | undefined {
    const count = this.#failures;
    if (count === this.#heardOf) return undefined;
    this.#heardOf = count;
    return this.#words();
  }

  /** Waits for `limits.noteMs` at most, and not at all behind what is late. Throws what the file system says. */
  write(bytes: Uint8Array, at: number): void {
    if (this.#ended !== undefined) throw new GatewayError('journal-io', this.#ended);
    if (((this.#told - this.#done) | 0) > limits.notesWaiting)
      throw new GatewayError('journal-io', 'the disk takes no notes');
    const mayWait = !this.isBehind;
    // Of those before it, which were late: they are told by `takeFailure`, and not as its own.
    const before = this.#failures;
    this.#tell({ bytes, at });
    if (!mayWait) return;
    this.#wait();
    if (this.#done !== this.#told || this.#failures === before) return;
    this.#heardOf++;
    throw new GatewayError('journal-io', this.#words());
  }

  /** Looks again under its name; the next write goes there. */
  reopen(): void {
    this.#tell('reopen');
    if (this.#done === ((this.#told - 1) | 0)) this.#wait();
    this.#before = readOr(this.#path);
  }

  get #failures(): number {
    return Atomics.load(this.#state, failed);
  }
  /** The last that was said of a failure. */
  #words(): string {
    let why = 'it could not be written';
    for (let heard = this.#hear(); heard !== undefined; heard = this.#hear()) why = heard;
    return why;
  }
  get #done(): number {
    return Atomics.load(this.#state, done);
  }
  #tell(told: Told): void {
    this.#port.postMessage(told);
    this.#told = (this.#told + 1) | 0;
  }
  #wait(): void {
    Atomics.wait(this.#state, done, (this.#told - 1) | 0, limits.noteMs);
  }
  #hear(): string | undefined {
    return receiveMessageOnPort(this.#port)?.message as string | undefined;
  }
}

function readOr(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch {
    return new Uint8Array();
  }
}
