import { Worker } from 'node:worker_threads';
import {
  GatewayError,
  type Batch,
  type DeviceSurvey,
  type Driver,
  type DriverContext,
  type DriverModule,
  type EventSink,
  type EventTerms,
  type Isolated,
  type Log,
  type ReadGroup,
  type ReadOutcome,
  type SubscriptionSink,
  type SurveyDevice,
  type TagBinding,
  type Value,
  type DeviceOutcome,
  type Inspection,
} from '../contract/index.js';
import { limits } from '../limits.js';
import {
  errorOf,
  failureOf,
  type FromThread,
  type ThreadData,
  type ToThread,
} from './isolated-messages.js';

/** Young objects of the thread, MiB: small, so that it stays small. */
const youngHeapMiB = 16;

interface Settle {
  readonly kind: ToThread['kind'];
  readonly driver: number;
  done(value: unknown): void;
  failed(why: GatewayError): void;
  /** For reads: where the answer goes. */
  readonly into: Batch | undefined;
}

/** Where what a driver tells goes: values or events. */
interface Heard {
  readonly driver: number;
  readonly values?: SubscriptionSink;
  readonly events?: EventSink;
}

/**
 * Makes drivers; those on heavy libraries in threads of their own, one for each kind of driver. Whoever was
 * connecting when a thread ended may have ended it: from then on its endpoint has a thread to itself, so
 * that one sick server hurts no other.
 */
export class DriverMaker {
  readonly #folder: string;
  readonly #log: Log;
  readonly #threads = new Map<string, DriverThread>();
  readonly #suspects = new Set<string>();

  constructor(folder: string, log: Log) {
    this.#folder = folder;
    this.#log = log;
  }

  /** As {@link DriverModule.create}. A thread that has ended is started again. */
  create(module: DriverModule, config: unknown, context: DriverContext): Driver {
    const { isolated, name } = module;
    if (!isolated) return module.create(config, context);
    const { text } = context.endpoint;
    const key = this.#suspects.has(text) ? `${name} ${text}` : name;
    let thread = this.#threads.get(key);
    if (!thread || thread.ended) {
      const log = this.#log.child({ driver: name });
      thread = new DriverThread(isolated, this.#folder, log, (endpoint) =>
        this.#suspects.add(endpoint),
      );
      this.#threads.set(key, thread);
    }
    return new IsolatedProxy(thread, config, context);
  }
}

/** A thread with the drivers in it. */
class DriverThread {
  ended = false;
  readonly #log: Log;
  readonly #worker: Worker;
  readonly #drivers = new Map<number, IsolatedProxy>();
  readonly #calls = new Map<number, Settle>();
  readonly #sinks = new Map<number, Heard>();
  /** Calls under way on each signal: one listener a signal, however many calls. */
  readonly #bySignal = new WeakMap<AbortSignal, Set<number>>();
  #last = 0;
  /** Runs while an answer to a ping is outstanding. */
  #hang: NodeJS.Timeout | undefined;
  /** Told of each endpoint that was being connected to when the thread ended. */
  readonly #onSuspect: (endpoint: string) => void;

  constructor(
    { entry, heapMiB }: Isolated,
    folder: string,
    log: Log,
    onSuspect: (endpoint: string) => void,
  ) {
    this.#onSuspect = onSuspect;
    const workerData: ThreadData = { entry: entry.href, folder };
    this.#worker = new Worker(new URL('./isolated-thread.js', import.meta.url), {
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: heapMiB, maxYoungGenerationSizeMb: youngHeapMiB },
    });
    this.#log = log;
    this.#worker.on('message', (message: FromThread) => this.#on(message));
    let why = 'it ended by itself';
    this.#worker.on('error', (error) => {
      why = error.message;
    });
    this.#worker.on('exit', () => {
      log.error('the thread of a driver ended', { why });
      this.#died(why);
    });
    // Only a call under way is something to wait for.
    this.#worker.unref();
  }

  /** A number that was not given before. */
  number(): number {
    return ++this.#last;
  }

  add(driver: number, proxy: IsolatedProxy): void {
    this.#drivers.set(driver, proxy);
  }

  listen(heard: Heard): number {
    const id = this.number();
    this.#sinks.set(id, heard);
    return id;
  }

  unlisten(id: number): void {
    this.#sinks.delete(id);
  }

  /** The driver is closed: nothing of it is called back any more. */
  forget(driver: number): void {
    this.#drivers.delete(driver);
    for (const [id, sink] of this.#sinks) if (sink.driver === driver) this.#sinks.delete(id);
  }

  post(message: ToThread): void {
    if (!this.ended) this.#worker.postMessage(message);
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
    this.post({ kind: 'abort', calls: open, why: failureOf(why) });
    this.#ping();
    for (const call of open) this.#settle(call)?.failed(why);
  }

  /** A call was given up: is it the device that does not answer, or the thread? */
  #ping(): void {
    if (this.#hang || this.ended) return;
    this.post({ kind: 'ping' });
    this.#hang = setTimeout(() => {
      this.#log.error('the thread of a driver hangs, and is ended');
      void this.#worker.terminate();
    }, limits.threadHangMs);
    this.#hang.unref();
  }

  #settle(call: number): Settle | undefined {
    const settle = this.#calls.get(call);
    if (this.#calls.delete(call) && this.#calls.size === 0) this.#worker.unref();
    return settle;
  }

  #on(message: FromThread): void {
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
      case 'events':
        this.#take(message);
        break;
      case 'history':
        this.#sinks.get(message.sink)?.values?.history?.(message.samples);
        break;
      case 'standing':
        this.#sinks.get(message.sink)?.events?.standing(message.keys);
        break;
      case 'alive': {
        const heard = this.#sinks.get(message.sink);
        heard?.values?.alive();
        heard?.events?.alive();
        break;
      }
      case 'revised': {
        const heard = this.#sinks.get(message.sink);
        heard?.values?.revised?.(message.alive);
        heard?.events?.revised?.(message.alive);
        break;
      }
      case 'pong':
        clearTimeout(this.#hang);
        this.#hang = undefined;
        break;
      case 'printed':
        this.#log.debug('printed by a library', { text: message.text });
        break;
      case 'lost':
        this.#drivers.get(message.driver)?.lost(errorOf(message.why));
        break;
      case 'count':
        this.#drivers
          .get(message.driver)
          ?.context.count(message.event, message.device, message.times);
        break;
      case 'notice':
        this.#drivers.get(message.driver)?.context.notice(message.device, message.text);
        break;
      case 'refusal':
        this.#drivers
          .get(message.driver)
          ?.context.refusal(message.device, message.tag, message.why);
        break;
      case 'expires':
        this.#drivers.get(message.driver)?.context.expires(message.what, message.at);
        break;
      case 'log':
        this.#drivers
          .get(message.driver)
          ?.context.log[message.level](message.message, message.fields);
    }
  }

  /** Hands over what must not get lost on the way; a sink that is forgotten has not taken it. */
  #take(message: Extract<FromThread, { kind: 'samples' | 'history' | 'events' }>): void {
    const heard = this.#sinks.get(message.sink);
    if (!heard) return;
    if (message.kind === 'events') heard.events?.events(message.events);
    else heard.values?.samples(message.samples);
    this.post({ kind: 'took', driver: heard.driver, sink: message.sink });
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
    for (const { kind, driver } of this.#calls.values()) {
      const endpoint = this.#drivers.get(driver)?.context.endpoint;
      if (kind === 'connect' && endpoint) this.#onSuspect(endpoint.text);
    }
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

/** Stands for a driver that lives in a thread. */
class IsolatedProxy implements Driver {
  readonly context: DriverContext;
  readonly #thread: DriverThread;
  readonly #driver: number;
  readonly #groups = new WeakMap<ReadGroup<unknown>, number>();
  #onLost: ((why: GatewayError) => void) | undefined;
  #closed = false;

  constructor(thread: DriverThread, config: unknown, context: DriverContext) {
    this.context = context;
    this.#thread = thread;
    this.#driver = thread.number();
    thread.add(this.#driver, this);
    thread.post({ kind: 'create', driver: this.#driver, config, endpoint: context.endpoint });
  }

  connect(signal: AbortSignal): Promise<void> {
    return this.#call((call, driver) => ({ kind: 'connect', driver, call }), signal);
  }

  read(group: ReadGroup<unknown>, into: Batch, signal: AbortSignal): Promise<ReadOutcome> {
    const known = this.#groups.get(group);
    const id = known ?? this.#thread.number();
    this.#groups.set(group, id);
    const read = known === undefined ? group : undefined;
    const { mustDecode } = into;
    return this.#call(
      (call, driver) => ({ kind: 'read', driver, call, group: id, read, mustDecode }),
      signal,
      into,
    );
  }

  write(binding: TagBinding<unknown>, value: Value, signal: AbortSignal): Promise<DeviceOutcome> {
    return this.#call((call, driver) => ({ kind: 'write', driver, call, binding, value }), signal);
  }

  async subscribe(
    group: ReadGroup<unknown>,
    sink: SubscriptionSink,
    signal: AbortSignal,
  ): Promise<readonly number[]> {
    const id = this.#thread.listen({ driver: this.#driver, values: sink });
    const refused = await this.#call<readonly number[]>(
      (call, driver) => ({ kind: 'subscribe', driver, call, sink: id, group }),
      signal,
    );
    if (refused.length === group.tags.length) this.#thread.unlisten(id);
    return refused;
  }

  inspect(binding: TagBinding<unknown>, signal: AbortSignal): Promise<Inspection> {
    return this.#call((call, driver) => ({ kind: 'inspect', driver, call, binding }), signal);
  }

  survey(devices: readonly SurveyDevice[], signal: AbortSignal): Promise<readonly DeviceSurvey[]> {
    return this.#call((call, driver) => ({ kind: 'survey', driver, call, devices }), signal);
  }

  async listen(
    device: string,
    events: EventTerms,
    sink: EventSink,
    signal: AbortSignal,
  ): Promise<DeviceOutcome> {
    const id = this.#thread.listen({ driver: this.#driver, events: sink });
    const outcome = await this.#call<DeviceOutcome>(
      (call, driver) => ({ kind: 'listen', driver, call, sink: id, device, events }),
      signal,
    );
    if (!outcome.ok) this.#thread.unlisten(id);
    return outcome;
  }

  acknowledge(
    device: string,
    condition: string,
    event: string,
    comment: string,
    signal: AbortSignal,
  ): Promise<DeviceOutcome> {
    return this.#call(
      (call, driver) => ({ kind: 'acknowledge', driver, call, device, condition, event, comment }),
      signal,
    );
  }

  onLost(handler: (why: GatewayError) => void): void {
    this.#onLost = handler;
  }

  /** Called by the thread's host. */
  lost(why: GatewayError): void {
    if (!this.#closed) this.#onLost?.(why);
  }

  async close(inDoubt?: GatewayError): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#thread.forget(this.#driver);
    if (this.#thread.ended) return;
    const why = inDoubt && failureOf(inDoubt);
    await this.#call((call, driver) => ({ kind: 'close', driver, call, why }), undefined);
  }

  #call<T>(
    message: (call: number, driver: number) => ToThread,
    signal: AbortSignal | undefined,
    into?: Batch,
  ): Promise<T> {
    const driver = this.#driver;
    return this.#thread.call(driver, (call) => message(call, driver), signal, into);
  }
}
