import { hostname } from 'node:os';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import {
  Batch,
  type Driver,
  type DriverContext,
  type DriverModule,
  type Endpoint,
  type ErrorFields,
  errorOf,
  GatewayError,
  invariant,
  type IsolatedContext,
  type Log,
  plainErrorOf,
  type ReadGroup,
} from '../contract/index.js';
import { limits } from '../limits.js';
import { systemClock, systemRandom } from './clock.js';
import { guarded } from './guarded.js';
import {
  type FromThread,
  type ThreadData,
  type ToStream,
  type ToThread,
} from './isolated-messages.js';
import { RemoteEvents, RemoteSamples, type RemoteSink } from './isolated-sinks.js';
import { RemoteStreams } from './isolated-streams.js';

/** A driver's end of the thread: takes calls, makes them, and sends back what comes of them. */

/** Calls under way, by their numbers; numbers are given by the other side and never used twice. */
const underWay = new Map<number, AbortController>();

/** What is asked of one driver. */
type ToResident = Exclude<
  ToThread,
  ToStream | { kind: 'create' | 'abort' | 'ping' | 'took' | 'heard' }
>;

/** Makes a driver, with all that any driver may be given. */
type CreateResident = (config: unknown, context: IsolatedContext & DriverContext) => Driver;

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

/** What a driver says beside its answers. It is dropped while the other side does not keep up. */
class Chatter {
  readonly #port: MessagePort;
  #unheard = 0;
  #dropped = 0;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  say(message: FromThread): void {
    if (this.#unheard >= limits.threadChatter) {
      this.#dropped++;
      return;
    }
    this.#unheard++;
    this.#port.postMessage(message);
  }

  heard(count: number): void {
    this.#unheard -= count;
    if (this.#dropped === 0) return;
    const text = `${String(this.#dropped)} messages of drivers were not heard`;
    this.#dropped = 0;
    this.say({ kind: 'printed', text });
  }
}

class Residents {
  readonly #port: MessagePort;
  readonly #data: ThreadData;
  readonly #create: CreateResident;
  readonly #chatter: Chatter;
  readonly #streams: RemoteStreams;
  readonly #residents = new Map<number, Resident>();
  /** What drivers have learned of an endpoint, for as long as the thread lives. */
  readonly #memories = new Map<string, Map<string, unknown>>();

  constructor(port: MessagePort, data: ThreadData, create: CreateResident, chatter: Chatter) {
    this.#port = port;
    this.#data = data;
    this.#create = create;
    this.#chatter = chatter;
    this.#streams = new RemoteStreams(
      (message, transfer) => port.postMessage(message, transfer ?? []),
      (driver, why) => this.#lost(driver, why),
    );
  }

  heard(message: ToThread): void {
    switch (message.kind) {
      case 'create':
        this.#add(message);
        break;
      case 'ping':
        this.#send({ kind: 'pong' });
        break;
      case 'heard':
        this.#chatter.heard(message.count);
        break;
      case 'took':
        this.#residents.get(message.driver)?.took(message.sink);
        break;
      case 'abort':
        for (const call of message.calls) underWay.get(call)?.abort(errorOf(message.why));
        break;
      case 'opened':
      case 'bytes':
      case 'sent':
      case 'ended':
        this.#enter(this.#streams.driverOf(message.stream));
        this.#streams.heard(message);
        break;
      default:
        this.#enter(message.driver);
        void this.#answer(message);
    }
  }

  #send(message: FromThread): void {
    this.#port.postMessage(message);
  }
  #enter(driver: number): void {
    this.#data.entered[0] = driver;
  }
  #lost(driver: number, why: unknown): void {
    this.#send({ kind: 'lost', driver, why: plainErrorOf(why) });
  }

  #add({ driver, config, endpoint }: Extract<ToThread, { kind: 'create' }>): void {
    this.#enter(driver);
    try {
      const make = (): Driver => this.#create(config, this.#contextOf(driver, endpoint));
      const { guard } = this.#data;
      const resident = guard === undefined ? make() : guarded(make, guard);
      resident.onLost((why) => this.#lost(driver, why));
      this.#residents.set(driver, new Resident(resident));
    } catch (thrown) {
      // One driver that cannot be made is no trouble of the others in the thread.
      this.#lost(driver, thrown);
    }
  }

  #contextOf(driver: number, endpoint: Endpoint): IsolatedContext & DriverContext {
    const say = (message: FromThread): void => this.#chatter.say(message);
    return {
      endpoint,
      folder: this.#data.folder,
      hostname: hostname(),
      today: () => new Date(systemClock.wall()),
      now: () => systemClock.mono(),
      random: systemRandom,
      log: logOf(say, driver, {}),
      open: this.#streams.opener(driver),
      memory: this.#memoryOf(endpoint.text),
      expires: (what, at) => say({ kind: 'expires', driver, what, at }),
      count: (event, device, times = 1) => say({ kind: 'count', driver, event, device, times }),
      notice: (device, text) => say({ kind: 'notice', driver, device, text }),
      refusal: (device, tag, why) => say({ kind: 'refusal', driver, device, tag, why }),
    };
  }

  #memoryOf(endpoint: string): Map<string, unknown> {
    const known = this.#memories.get(endpoint) ?? new Map<string, unknown>();
    this.#memories.set(endpoint, known);
    return known;
  }

  async #answer(message: ToResident): Promise<void> {
    const controller = new AbortController();
    underWay.set(message.call, controller);
    try {
      const resident = this.#residents.get(message.driver);
      if (!resident) throw new GatewayError('link-closed', 'the driver was closed');
      if (message.kind === 'close') this.#residents.delete(message.driver);
      this.#send(await resident.perform(message, this.#port, controller.signal));
    } catch (thrown) {
      this.#send({ kind: 'failed', call: message.call, why: plainErrorOf(thrown) });
    } finally {
      underWay.delete(message.call);
    }
  }
}

/** Libraries print; standard output is not theirs. Their lines go to the log. */
function catchPrinting(chatter: Chatter): void {
  for (const output of [process.stdout, process.stderr])
    output.write = (text: Uint8Array | string) => {
      chatter.say({ kind: 'printed', text: String(text).trim() });
      return true;
    };
}

async function createOf({ entry, takes }: ThreadData): Promise<CreateResident> {
  const module = (await import(entry)) as { create: CreateResident; driver: DriverModule };
  return takes === 'create'
    ? module.create
    : (config, context) => module.driver.create(config, context);
}

invariant(parentPort !== null, 'this module is the start of a thread');
const chatter = new Chatter(parentPort);
catchPrinting(chatter);
const data = workerData as ThreadData;
const residents = new Residents(parentPort, data, await createOf(data), chatter);
parentPort.on('message', (message: ToThread) => residents.heard(message));
