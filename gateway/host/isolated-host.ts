import { Worker } from 'node:worker_threads';
import {
  asGatewayError,
  type Batch,
  errorOf,
  GatewayError,
  type Log,
  plainErrorOf,
} from '../contract/index.js';
import { limits } from '../limits.js';
import { ChatRoom, isChat } from './isolated-chat.js';
import { HostSinks, type Heard } from './isolated-host-sinks.js';
import { HostStreams } from './isolated-host-streams.js';
import {
  type FromThread,
  type Residence,
  type ThreadData,
  type ToThread,
} from './isolated-messages.js';
import type { IsolatedProxy } from './isolated-proxy.js';

/** Young objects of the thread, MiB: small, so that it stays small. */
const youngHeapMiB = 16;

interface Settle {
  readonly kind: ToThread['kind'];
  readonly driver: number;
  done: (value: unknown) => void;
  failed: (why: GatewayError) => void;
  /** For reads: where the answer goes. */
  readonly into: Batch | undefined;
}

/** A thread with the drivers in it. */
export class DriverThread {
  ended = false;
  readonly #log: Log;
  readonly #worker: Worker;
  readonly #drivers = new Map<number, IsolatedProxy>();
  readonly #calls = new Map<number, Settle>();
  readonly #sinks = new HostSinks((driver, sink) => this.post({ kind: 'took', driver, sink }));
  /** Calls under way on each signal: one listener a signal, however many calls. */
  readonly #bySignal = new WeakMap<AbortSignal, Set<number>>();
  #last = 0;
  /** Runs while an answer to a ping is outstanding. */
  #hang: NodeJS.Timeout | undefined;
  /** Told of each endpoint that may have ended the thread. */
  readonly #onSuspect: (endpoint: string) => void;
  /** Of each driver that has not let go. */
  readonly #endpoints = new Map<number, string>();
  readonly #entered = new Int32Array(new SharedArrayBuffer(4));
  readonly #streams = new HostStreams({
    post: (message, transfer) => this.post(message, transfer),
    contextOf: (driver) => this.#drivers.get(driver)?.context,
    onTrouble: (driver, why) => this.#drivers.get(driver)?.lost(why),
  });
  readonly #chat: ChatRoom;
  #why: string | undefined;

  constructor(
    residence: Residence,
    folder: string,
    log: Log,
    onSuspect: (endpoint: string) => void,
  ) {
    this.#onSuspect = onSuspect;
    const { heapMiB, ...what } = residence;
    const workerData: ThreadData = { ...what, folder, entered: this.#entered };
    this.#worker = new Worker(new URL('./isolated-thread.js', import.meta.url), {
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: heapMiB, maxYoungGenerationSizeMb: youngHeapMiB },
    });
    this.#log = log;
    this.#chat = new ChatRoom(
      log,
      (driver) => this.#drivers.get(driver)?.context,
      (count) => this.post({ kind: 'heard', count }),
    );
    this.#worker.on('message', (message: FromThread) => this.#heard(message));
    this.#worker.on('error', (error: unknown) => {
      this.#why ??= asGatewayError(error).message;
    });
    this.#worker.on('exit', (code) => {
      const why = this.#why ?? `it called process.exit(${String(code)})`;
      log.error('the thread of a driver ended', { why });
      this.#died(why);
    });
    // Only a call under way is something to wait for.
    this.#worker.unref();
  }

  /** Ends the thread, whatever it does. */
  async end(why: string): Promise<void> {
    this.#why ??= why;
    await this.#worker.terminate();
  }

  /** A number that was not given before. */
  number(): number {
    return ++this.#last;
  }

  add(driver: number, proxy: IsolatedProxy): void {
    this.#drivers.set(driver, proxy);
    this.#endpoints.set(driver, proxy.context.endpoint.text);
  }

  listen(heard: Heard): number {
    const id = this.number();
    this.#sinks.add(id, heard);
    return id;
  }

  unlisten(id: number): void {
    this.#sinks.delete(id);
  }

  /** The driver is closed: nothing of it is called back any more. */
  forget(driver: number): void {
    this.#drivers.delete(driver);
    this.#sinks.deleteOf(driver);
  }

  /** The driver has let go, or cannot any more. */
  close(driver: number): void {
    this.#endpoints.delete(driver);
    this.#streams.closeOf(driver);
  }

  post(message: ToThread, transfer: readonly ArrayBuffer[] = []): void {
    if (!this.ended) this.#worker.postMessage(message, transfer);
  }

  /** Makes a call. An abort settles it at once, whatever the thread does. */
  call<T>(
    driver: number,
    message: (call: number) => ToThread,
    signal: AbortSignal | undefined,
    into?: Batch,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.ended) {
        reject(this.#deathOf('it has ended'));
        return;
      }
      if (signal?.aborted) {
        reject(reasonOf(signal));
        return;
      }
      const call = this.number();
      const done = (value: unknown): void => resolve(value as T);
      if (this.#calls.size === 0) this.#worker.ref();
      const sent = message(call);
      const { kind } = sent;
      this.#calls.set(call, { kind, driver, done, failed: reject, into });
      if (signal) this.#watch(signal, call);
      this.post(sent);
      // Nobody gives up a close: one that hangs must not keep the process.
      if (kind === 'close') this.#ping();
    });
  }

  #watch(signal: AbortSignal, call: number): void {
    const known = this.#bySignal.get(signal);
    if (known) {
      known.add(call);
      return;
    }
    const calls = new Set([call]);
    this.#bySignal.set(signal, calls);
    signal.addEventListener('abort', () => this.#abort(signal, calls), { once: true });
  }

  #abort(signal: AbortSignal, calls: ReadonlySet<number>): void {
    const why = reasonOf(signal);
    const open = [...calls].filter((call) => this.#calls.has(call));
    this.post({ kind: 'abort', calls: open, why: plainErrorOf(why) });
    this.#ping();
    for (const call of open) this.#settle(call)?.failed(why);
  }

  /** A call was given up: is it the device that does not answer, or the thread? */
  #ping(): void {
    if (this.#hang || this.ended) return;
    this.post({ kind: 'ping' });
    this.#hang = setTimeout(() => {
      this.#log.error('the thread of a driver hangs, and is ended');
      void this.end(`it was blocked for ${String(limits.threadHangMs)} ms, and was given up`);
    }, limits.threadHangMs);
    this.#hang.unref();
  }

  #settle(call: number): Settle | undefined {
    const settle = this.#calls.get(call);
    if (this.#calls.delete(call) && this.#calls.size === 0) this.#worker.unref();
    return settle;
  }

  /** What a driver says may be nonsense: then it is trouble of its link, and of nobody else. */
  #heard(message: FromThread): void {
    try {
      this.#on(message);
    } catch (thrown) {
      const error = asGatewayError(thrown);
      this.#log.warn('a driver says what cannot be understood', { why: error.message });
      this.#drivers.get(this.#driverOf(message))?.lost(error);
    }
  }

  #driverOf(message: FromThread): number {
    if ('driver' in message) return message.driver;
    return ('sink' in message ? this.#sinks.driverOf(message.sink) : undefined) ?? 0;
  }

  #on(message: FromThread): void {
    if (isChat(message)) {
      this.#chat.heard(message);
      return;
    }
    switch (message.kind) {
      case 'done':
        this.#settle(message.call)?.done(message.value);
        break;
      case 'failed':
        this.#settle(message.call)?.failed(errorOf(message.why));
        break;
      case 'read':
        this.#answer(message);
        break;
      case 'samples':
      case 'history':
      case 'events':
      case 'standing':
      case 'alive':
      case 'revised':
        this.#sinks.heard(message);
        break;
      case 'pong':
        clearTimeout(this.#hang);
        this.#hang = undefined;
        break;
      case 'lost':
        this.#drivers.get(message.driver)?.lost(errorOf(message.why));
        break;
      default:
        this.#streams.heard(message);
    }
  }

  #answer({ call, outcome, batch }: Extract<FromThread, { kind: 'read' }>): void {
    const settle = this.#settle(call);
    if (!settle?.into) return;
    const { into } = settle;
    if (batch.unchanged) into.unchanged();
    else {
      into.numbers.set(batch.numbers);
      into.qualities.set(batch.qualities);
      batch.wide.forEach((value, at) => {
        into.wide[at] = value;
      });
    }
    settle.done(outcome);
  }

  #died(why: string): void {
    this.ended = true;
    clearTimeout(this.#hang);
    const error = this.#deathOf(why);
    const suspects = [this.#entered[0] ?? 0];
    for (const { kind, driver } of this.#calls.values())
      if (kind === 'connect') suspects.push(driver);
    for (const driver of suspects) {
      const endpoint = this.#endpoints.get(driver);
      if (endpoint !== undefined) this.#onSuspect(endpoint);
    }
    this.#streams.closeAll();
    for (const call of [...this.#calls.keys()]) this.#settle(call)?.failed(error);
    for (const proxy of [...this.#drivers.values()]) proxy.lost(error);
    this.#drivers.clear();
    this.#sinks.clear();
  }

  #deathOf(why: string): GatewayError {
    return new GatewayError('driver-died', `the thread of the driver ended: ${why}`);
  }
}

function reasonOf(signal: AbortSignal): GatewayError {
  return signal.reason instanceof GatewayError
    ? signal.reason
    : new GatewayError('aborted', 'the call was cancelled');
}
