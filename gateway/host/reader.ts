import {
  MessageChannel,
  receiveMessageOnPort,
  Worker,
  type MessagePort,
} from 'node:worker_threads';
import { asGatewayError, errorOf, GatewayError, type Log } from '../contract/index.js';
import { limits } from '../limits.js';
import { systemClock } from './clock.js';
import type { DriverFacts } from './driver-facts.js';

import type { Answer, FromReader, Question, ReaderData } from './reader-messages.js';

/** A thread in which the module is loaded. */
interface Running {
  readonly worker: Worker;
  readonly port: MessagePort;
  readonly answered: Int32Array;
}

/**
 * Asks the pure functions of a driver's module in a thread of its own, and sleeps until the answer is there: those who ask
 * cannot wait otherwise. What it costs the house is bounded: one that does not answer in time is given up with its
 * thread, and is not asked again before it has been loaded anew, after a rest.
 */
export class Reader {
  readonly #entry: string;
  readonly #name: string;
  readonly #log: () => Log;
  #running: Running | undefined;
  #why = 'it was not loaded yet';
  #restsUntil = 0;
  /** How often it did not answer: each time it rests for longer. */
  #hangs = 0;

  private constructor(entry: string, name: string, log: () => Log) {
    this.#entry = entry;
    this.#name = name;
    this.#log = log;
  }

  /**
   * Loads a module. Rejects with what is wrong with it.
   * @param entry URL of the module
   * @param name of the driver, for messages
   */
  static async start(
    entry: string,
    name: string,
    log: () => Log,
  ): Promise<{ readonly reader: Reader; readonly facts: DriverFacts }> {
    const reader = new Reader(entry, name, log);
    return { reader, facts: await reader.#load() };
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Asks a function. Throws what it throws, and `driver-died` where there is nobody to ask. */
  ask(fn: string, args: readonly unknown[]): unknown {
    const running = this.#running;
    if (!running) throw this.#absent();
    const { port, answered } = running;
    Atomics.store(answered, 0, 0);
    port.postMessage({ fn, args } satisfies Question);
    if (Atomics.wait(answered, 0, 0, limits.driverAnswerMs) === 'timed-out') {
      const wait = String(limits.driverAnswerMs);
      void this.#giveUp(
        `${fn} did not answer within ${wait} ms, and was given up`,
        this.#longerRest(),
      );
      throw this.#absent();
    }
    const answer = receiveMessageOnPort(port)?.message as Answer | undefined;
    if (!answer) {
      void this.#giveUp('the thread of its module has ended', limits.backoffMaxMs);
      throw this.#absent();
    }
    if (!answer.ok) throw errorOf(answer.why);
    return answer.value;
  }

  async close(): Promise<void> {
    await this.#giveUp('it was closed', Infinity);
  }

  #absent(): GatewayError {
    if (systemClock.mono() >= this.#restsUntil) {
      this.#restsUntil = Infinity;
      this.#load().catch((thrown: unknown) =>
        this.#rest(asGatewayError(thrown).message, limits.driverRestMs),
      );
    }
    return new GatewayError(
      'driver-died',
      `the driver ${this.#name} cannot be asked: ${this.#why}`,
    );
  }

  /** A machine that is busy for a moment is no reason to do without a driver for long. */
  #longerRest(): number {
    return Math.min(limits.driverRestMs, limits.backoffMaxMs * 4 ** this.#hangs++);
  }

  #rest(why: string, rest: number): void {
    this.#why = why;
    this.#restsUntil = systemClock.mono() + rest;
    this.#log().error('a driver cannot be asked', { driver: this.#name, why });
  }

  #giveUp(why: string, rest: number): Promise<unknown> {
    const running = this.#running;
    this.#running = undefined;
    if (running) this.#rest(why, rest);
    running?.port.close();
    return running?.worker.terminate() ?? Promise.resolve();
  }

  #load(): Promise<DriverFacts> {
    const { port1, port2 } = new MessageChannel();
    const answered = new Int32Array(new SharedArrayBuffer(4));
    const workerData: ReaderData = { entry: this.#entry, answered };
    const worker = new Worker(new URL('./reader-thread.js', import.meta.url), {
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: limits.driverHeapMiB },
    });
    worker.postMessage(port2, [port2]);
    const running = { worker, port: port1, answered };
    return new Promise((resolve, reject) => {
      let why: string | undefined;
      const refuse = (error: GatewayError): void => {
        clearTimeout(late);
        reject(error);
        if (this.#running === undefined) port1.close();
        void worker.terminate();
      };
      const late = setTimeout(() => {
        const wait = String(limits.driverLoadMs);
        refuse(new GatewayError('driver-unknown', `its module was not loaded within ${wait} ms`));
      }, limits.driverLoadMs);
      worker.on('message', (message: FromReader) => {
        if (message.kind === 'printed')
          this.#log().debug('printed by a library', { driver: this.#name, text: message.text });
        else if (message.kind === 'refused') refuse(errorOf(message.why));
        else {
          clearTimeout(late);
          this.#running = running;
          // Whoever has something to ask waits for the answer by itself.
          worker.unref();
          resolve(message.facts);
        }
      });
      worker.on('error', (error: unknown) => {
        why = asGatewayError(error).message;
      });
      worker.on('exit', () => {
        const text = why ?? 'its thread has ended';
        if (this.#running === running) void this.#giveUp(text, limits.backoffMaxMs);
        refuse(new GatewayError('driver-unknown', `its module ends the thread: ${text}`));
      });
    });
  }
}
