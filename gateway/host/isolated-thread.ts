import { hostname } from 'node:os';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import {
  Batch,
  GatewayError,
  invariant,
  type CreateIsolated,
  type DeviceEvent,
  type Driver,
  type DurationMs,
  type ErrorFields,
  type EventSink,
  type Log,
  type ReadGroup,
  type Samples,
  type SubscriptionSink,
} from '../contract/index.js';
import { systemClock, systemRandom } from './clock.js';
import {
  errorOf,
  failureOf,
  type FromThread,
  type SampleColumns,
  type ThreadData,
  type ToThread,
} from './isolated-messages.js';

/** A driver's end of the thread: takes calls, makes them, and sends back what comes of them. */

/** Calls under way, by their numbers; numbers are given by the other side and never used twice. */
const underWay = new Map<number, AbortController>();

/** What is asked of one driver. */
type ToResident = Exclude<ToThread, { kind: 'create' | 'abort' | 'ping' | 'took' }>;

class Resident {
  readonly driver: Driver;
  /** Groups that have been read, with the batch that is theirs. */
  readonly groups = new Map<number, { readonly read: ReadGroup<unknown>; readonly batch: Batch }>();

  /** By the numbers that the other side gave them. */
  readonly #sinks = new Map<number, RemoteSink>();

  constructor(driver: Driver) {
    this.driver = driver;
  }

  took(sink: number): void {
    this.#sinks.get(sink)?.took();
  }

  #keep<T extends RemoteSink>(sink: T): T {
    this.#sinks.set(sink.id, sink);
    return sink;
  }

  async perform(message: ToResident, port: MessagePort, signal: AbortSignal): Promise<FromThread> {
    const { driver } = this;
    const { call } = message;
    const done = (value: unknown): FromThread => ({ kind: 'done', call, value });
    switch (message.kind) {
      case 'connect':
        await driver.connect(signal);
        return done(undefined);
      case 'read':
        return { ...(await this.read(message, signal)), call };
      case 'write':
        return done(await driver.write?.(message.binding, message.value, signal));
      case 'subscribe':
        return done(
          await driver.subscribe?.(
            message.group,
            this.#keep(new RemoteSamples(port, message.sink)),
            signal,
          ),
        );
      case 'inspect':
        return done(await driver.inspect?.(message.binding, signal));
      case 'survey':
        return done(await driver.survey?.(message.devices, signal));
      case 'listen': {
        const { device, events, sink } = message;
        const remote = this.#keep(new RemoteEvents(port, sink));
        return done(await driver.listen?.(device, events, remote, signal));
      }
      case 'acknowledge': {
        const { device, condition, event, comment } = message;
        return done(await driver.acknowledge?.(device, condition, event, comment, signal));
      }
      case 'close':
        await driver.close(message.why && errorOf(message.why));
        return done(undefined);
    }
  }

  async read(
    { group, read, mustDecode }: Extract<ToThread, { kind: 'read' }>,
    signal: AbortSignal,
  ): Promise<Omit<Extract<FromThread, { kind: 'read' }>, 'call'>> {
    if (read) this.groups.set(group, { read, batch: new Batch(read.tags.length) });
    const known = this.groups.get(group);
    invariant(known !== undefined, 'a group is sent with its first read');
    const { batch } = known;
    batch.begin(batch.sentAt);
    batch.mustDecode = mustDecode;
    const outcome = await this.driver.read(known.read, batch, signal);
    const { numbers, qualities, wide, isUnchanged: unchanged } = batch;
    return { kind: 'read', outcome, batch: { unchanged, numbers, qualities, wide } };
  }
}

/** The way to a sink of the other side, which says what it has taken. */
class RemoteSink {
  readonly #port: MessagePort;
  readonly id: number;
  #sent = 0;
  #took = 0;
  #waiting: { readonly until: number; readonly resolve: () => void }[] = [];

  constructor(port: MessagePort, id: number) {
    this.#port = port;
    this.id = id;
  }

  alive(): void {
    this.post({ kind: 'alive', sink: this.id });
  }
  revised(alive: DurationMs): void {
    this.post({ kind: 'revised', sink: this.id, alive });
  }

  confirmed(): Promise<void> | undefined {
    const until = this.#sent;
    if (this.#took >= until) return undefined;
    return new Promise((resolve) => this.#waiting.push({ until, resolve }));
  }

  /** The other side has taken the next of what it must take. */
  took(): void {
    this.#took++;
    const done = this.#waiting.filter(({ until }) => until <= this.#took);
    if (done.length > 0) this.#waiting = this.#waiting.filter(({ until }) => until > this.#took);
    for (const { resolve } of done) resolve();
  }

  /** What must be taken. */
  protected send(message: FromThread, transfer: readonly ArrayBuffer[] = []): void {
    this.#sent++;
    this.post(message, transfer);
  }
  protected post(message: FromThread, transfer: readonly ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transfer);
  }
}

class RemoteSamples extends RemoteSink implements SubscriptionSink {
  samples(samples: Samples): void {
    const [columns, buffers] = columnsOf(samples);
    this.send({ kind: 'samples', sink: this.id, samples: columns }, buffers);
  }
  history(samples: Samples): void {
    const [columns, buffers] = columnsOf(samples);
    this.post({ kind: 'history', sink: this.id, samples: columns }, buffers);
  }
}

class RemoteEvents extends RemoteSink implements EventSink {
  events(events: readonly DeviceEvent[]): void {
    this.send({ kind: 'events', sink: this.id, events });
  }
  standing(keys: readonly string[]): void {
    this.post({ kind: 'standing', sink: this.id, keys });
  }
}

/** Columns of their own, and their memory, to be given away. */
function columnsOf({
  count,
  positions,
  numbers,
  qualities,
  ages,
  wide,
}: Samples): [SampleColumns, ArrayBuffer[]] {
  const own = {
    positions: copyOf(positions, Uint32Array, count),
    numbers: copyOf(numbers, Float64Array, count),
    qualities: copyOf(qualities, Uint8Array, count),
    ages: copyOf(ages, Float64Array, count),
  };
  return [{ count, ...own, wide }, Object.values(own).map(({ buffer }) => buffer)];
}

interface ColumnOf<T> {
  new (length: number): T;
}

/** A copy of the rows that count. */
function copyOf<
  T extends Uint32Array<ArrayBuffer> | Float64Array<ArrayBuffer> | Uint8Array<ArrayBuffer>,
>(from: ArrayLike<number>, Column: ColumnOf<T>, count: number): T {
  const column = new Column(count);
  if (ArrayBuffer.isView(from)) column.set((from as Float64Array).subarray(0, count));
  else for (let i = 0; i < count; i++) column[i] = from[i] as number;
  return column;
}

function logOf(send: (message: FromThread) => void, driver: number, carried: ErrorFields): Log {
  const at =
    (level: Extract<FromThread, { kind: 'log' }>['level']) =>
    (message: string, fields: ErrorFields = {}): void =>
      send({ kind: 'log', driver, level, message, fields: { ...carried, ...fields } });
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => logOf(send, driver, { ...carried, ...fields }),
  };
}

function serve(port: MessagePort, create: CreateIsolated, folder: string): void {
  const residents = new Map<number, Resident>();
  /** What drivers have learned of an endpoint, for as long as the thread lives. */
  const memories = new Map<string, Map<string, unknown>>();
  const send = (message: FromThread): void => port.postMessage(message);

  const memoryOf = (endpoint: string): Map<string, unknown> => {
    const known = memories.get(endpoint) ?? new Map<string, unknown>();
    memories.set(endpoint, known);
    return known;
  };

  const add = ({ driver, config, endpoint }: Extract<ToThread, { kind: 'create' }>): void => {
    const made = create(config, {
      endpoint,
      folder,
      hostname: hostname(),
      today: () => new Date(systemClock.wall()),
      now: () => systemClock.mono(),
      random: systemRandom,
      log: logOf(send, driver, {}),
      memory: memoryOf(endpoint.text),
      expires: (what, at) => send({ kind: 'expires', driver, what, at }),
      count: (event, device, times = 1) => send({ kind: 'count', driver, event, device, times }),
      notice: (device, text) => send({ kind: 'notice', driver, device, text }),
      refusal: (device, tag, why) => send({ kind: 'refusal', driver, device, tag, why }),
    });
    made.onLost((why) => send({ kind: 'lost', driver, why: failureOf(why) }));
    residents.set(driver, new Resident(made));
  };

  const answer = async (message: ToResident): Promise<void> => {
    const controller = new AbortController();
    underWay.set(message.call, controller);
    try {
      const resident = residents.get(message.driver);
      if (!resident) throw new GatewayError('link-closed', 'the driver was closed');
      if (message.kind === 'close') residents.delete(message.driver);
      send(await resident.perform(message, port, controller.signal));
    } catch (thrown) {
      send({ kind: 'failed', call: message.call, why: failureOf(thrown) });
    } finally {
      underWay.delete(message.call);
    }
  };

  port.on('message', (message: ToThread) => {
    if (message.kind === 'create') add(message);
    else if (message.kind === 'ping') send({ kind: 'pong' });
    else if (message.kind === 'took') residents.get(message.driver)?.took(message.sink);
    else if (message.kind === 'abort')
      for (const call of message.calls) underWay.get(call)?.abort(errorOf(message.why));
    else void answer(message);
  });
}

/** Libraries print; standard output is not theirs. Their lines go to the log. */
function catchPrinting(port: MessagePort): void {
  for (const output of [process.stdout, process.stderr])
    output.write = (text: Uint8Array | string) => {
      port.postMessage({ kind: 'printed', text: String(text).trim() } satisfies FromThread);
      return true;
    };
}

invariant(parentPort !== null, 'this module is the start of a thread');
catchPrinting(parentPort);
const { entry, folder } = workerData as ThreadData;
const { create } = (await import(entry)) as { create: CreateIsolated };
serve(parentPort, create, folder);
