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
 * waits for the disk. A system that lets `write` wait, as it does when a card is busy or its cache is full, holds up a thread
 * that does nothing else.
 */
export class Notary {
  readonly #path: string;
  readonly #port: MessagePort;
  readonly #state: Int32Array;
  #before: Uint8Array;
  #told = 0;
  #failed = 0;
  /** Why the thread is no more. */
  #ended: string | undefined;

  private constructor(path: string, port: MessagePort, state: Int32Array, worker: Worker) {
    this.#path = path;
    this.#port = port;
    this.#state = state;
    this.#before = readOr(path);
    worker.on('error', (error: unknown) => (this.#ended ??= String(error)));
    worker.on('exit', () => (this.#ended ??= 'the thread that notes trips has ended'));
    // Nobody waits for it at the end: what counts then is stored elsewhere.
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
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 },
    });
    await once(worker, 'online');
    return new Notary(path, port1, state, worker);
  }

  /** What was in the file when it was opened, last; nothing where it could not be read. */
  get before(): Uint8Array {
    return this.#before;
  }

  /** Is something still to be written? Then nobody waits for what comes behind it. */
  get isBehind(): boolean {
    return this.#done !== this.#told;
  }

  /** Has it been late, or failed, with what was told before? Asked once: it is forgotten. */
  takeFailure(): string | undefined {
    if (this.#ended !== undefined) return this.#ended;
    const count = Atomics.load(this.#state, failed);
    if (count === this.#failed) return undefined;
    this.#failed = count;
    let why = 'it could not be written';
    for (let heard = this.#hear(); heard !== undefined; heard = this.#hear()) why = heard;
    return why;
  }

  /** Waits for a few milliseconds at most, and not at all behind what is late. Throws what the file system says. */
  write(bytes: Uint8Array, at: number): void {
    const mayWait = !this.isBehind;
    this.#tell({ bytes, at });
    if (mayWait) this.#wait();
    if (this.isBehind) return;
    const why = this.takeFailure();
    if (why !== undefined) throw new GatewayError('journal-io', why);
  }

  /** Looks again under its name; the next write goes there. */
  reopen(): void {
    this.#tell('reopen');
    if (this.#done === this.#told - 1) this.#wait();
    this.#before = readOr(this.#path);
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
