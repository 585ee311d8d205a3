import type {
  Clock,
  Driver,
  DriverContext,
  DriverEvent,
  DurationMs,
  Log,
  MonoMs,
  Random,
  Samples,
  SurveyDevice,
  TagBinding,
  Timer,
  Value,
  WallMs,
  DeviceOutcome,
  DeviceSurvey,
} from '../contract/index.js';
import {
  GatewayError,
  Quality,
  asGatewayError,
  groupBy,
  mono,
  type Inspection,
} from '../contract/index.js';
import type { LinkDriver, RunningLink } from '../config/model.js';
import { limits } from '../limits.js';
import { Backoff } from './backoff.js';
import { Connection } from './connection.js';
import { DeviceState } from './device.js';
import { EventFeed, type EventOutlet } from './event-feed.js';
import type { Inbox } from './inbox.js';
import { ScanJob, phaseOf } from './job.js';
import { Notices } from './notices.js';
import { Poller } from './poller.js';
import { ProbeBudget } from './probes.js';
import { Streams } from './streams.js';
import { Subscriber } from './subscriber.js';
import { tamed } from './tamed.js';
import { Tap } from './tap.js';
import { within } from './within.js';

export type LinkState = 'stopped' | 'connecting' | 'connected' | 'waiting';

export type MakeDriver = (module: LinkDriver, config: unknown, context: DriverContext) => Driver;

export interface LinkOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly inbox: Inbox;
  /** Opens byte streams for the driver. */
  open: DriverContext['open'];
  /** Makes a driver of a module, in a thread of its own where it wants one. */
  readonly create: MakeDriver;
  /** See {@link DriverContext.memory}. */
  readonly memory: Map<string, unknown>;
  /** Where the events of its devices go. */
  readonly events: EventOutlet;
  /** See {@link Subscriber}; for the record only. */
  onHistory: (device: string, samples: Samples, indices: Int32Array) => void;
  /** See {@link Subscriber}: values may be older than was asked for. */
  onRevised: (alive: DurationMs, indices: Int32Array) => void;
  /** State or a device of the link changed: its status must be published. */
  onStatus: (link: Link) => void;
}

/**
 * One link and its state machine: stopped → connecting → connected → (waiting → connecting)…
 * Time-outs, back-off and reconnects live here, once for all drivers.
 */
export class Link {
  readonly config: RunningLink;
  readonly devices: readonly DeviceState[];
  readonly jobs: readonly ScanJob[];
  readonly tap: Tap;
  readonly #o: LinkOptions;
  readonly #poller: Poller;
  readonly #subscriber: Subscriber;
  readonly #feed: EventFeed;
  readonly #backoff: Backoff;
  #tagIndex: Int32Array;
  #state: LinkState = 'stopped';
  #since: MonoMs;
  #lastError: GatewayError | undefined;
  #connection: Connection | undefined;
  readonly #module: LinkDriver;
  #timer: Timer | undefined;
  #abort = new AbortController();
  #reconnects = 0;
  #openedAt: MonoMs = mono(0);
  readonly #expiries = new Map<string, WallMs>();
  readonly #notices = new Notices();
  /** Frames that nobody here asked for, of units that are no device's. */
  #foreign = 0;

  constructor(config: RunningLink, tagIndex: Int32Array, options: LinkOptions) {
    this.config = config;
    this.#o = options;
    this.#tagIndex = tagIndex;
    this.#since = options.clock.mono();
    const budget = new ProbeBudget(() => this.devices);
    this.devices = config.devices.map((device) => new DeviceState(device.name, budget));
    this.tap = new Tap(options.clock);
    this.jobs = jobsOf(config, this.devices);
    const bounds = config.limits;
    this.#backoff = new Backoff(options.random, limits.backoffFirstMs, bounds.backoffMax);
    this.#module = tamed(config.driver, bounds, {
      onTrouble: (error) => this.#moduleFailed(error),
      onWarning: ({ message: why }) => options.log.warn('a driver fails', { why }),
    });
    const common = {
      clock: options.clock,
      log: options.log,
      inbox: options.inbox,
      module: this.#module,
      config: config.config,
      tagIndex: () => this.#tagIndex,
      onTrouble: (error: GatewayError) => this.#lost(error),
      onNeed: () => this.#connect(),
      onIdle: () => this.#closeIdle(new GatewayError('link-closing', 'nothing to ask now')),
      onDevice: (device: DeviceState) => this.#deviceChanged(device),
    };
    const { devices, jobs } = this;
    this.#poller = new Poller({ ...common, limits: bounds, jobs, devices });
    this.#subscriber = new Subscriber({
      ...common,
      devices,
      bindings: config.bindings,
      onHistory: (...what) => options.onHistory(...what),
      onRevised: (...what) => options.onRevised(...what),
    });
    this.#feed = new EventFeed({
      ...common,
      devices,
      terms: new Map(
        config.devices.flatMap(({ name, events }) => (events ? [[name, events]] : [])),
      ),
      requestTimeout: bounds.requestTimeout,
      outlet: options.events,
    });
  }

  get name(): string {
    return this.config.name;
  }
  get #driver(): Driver | undefined {
    return this.#connection?.driver;
  }
  get state(): LinkState {
    return this.#state;
  }
  /** What is odd about a device of it, or about itself. */
  noticesOf(device?: DeviceState): readonly string[] {
    return (device?.notices ?? this.#notices).current(this.#o.clock.mono());
  }
  /** Since when the state stands. */
  get since(): MonoMs {
    return this.#since;
  }
  /** What the link needs and when it ends, as the last connection showed it. */
  get expiries(): ReadonlyMap<string, WallMs> {
    return this.#expiries;
  }
  get lastError(): GatewayError | undefined {
    return this.#lastError;
  }
  get stats(): Readonly<Record<string, number>> {
    let overruns = 0;
    for (const job of this.jobs) overruns += job.stats.overruns;
    const busy_pct = Math.round(100 * this.#poller.load.busy(this.#o.clock.mono()));
    const in_flight = this.#poller.width;
    const foreign = this.devices.reduce((sum, { stats }) => sum + stats.foreign, this.#foreign);
    const reconnects = this.#reconnects;
    return { ...this.#poller.stats, overruns, reconnects, foreign, busy_pct, in_flight };
  }

  start(): void {
    if (this.#state !== 'stopped') return;
    this.#denyWriteOnly();
    this.#connect();
  }

  /** Nobody will ever read them. */
  #denyWriteOnly(): void {
    const { bindings, writeOnly } = this.config;
    for (const tag of writeOnly) {
      const indices = Int32Array.of(this.#tagIndex[tag] ?? -1);
      const device = bindings[tag]?.device ?? '';
      this.#o.inbox.bad(indices, Quality.denied, this.#o.clock.mono(), device, '');
    }
  }

  /** Closes the link for good; settled when the driver has let go. */
  async stop(): Promise<void> {
    if (this.#state === 'stopped') return;
    const connection = this.#takeDown(new GatewayError('link-closing', 'the link is being closed'));
    this.#timer?.cancel();
    this.#set('stopped');
    await connection?.close();
  }

  /** The image was rebuilt: positions have moved. */
  remap(tagIndex: Int32Array): void {
    this.#tagIndex = tagIndex;
    this.#poller.remap(tagIndex);
    this.#subscriber.remap(tagIndex);
  }

  /** See {@link Poller.write}; refused at once while the link is down. */
  write(binding: TagBinding<unknown>, raw: Value, urgent: boolean): Promise<DeviceOutcome> {
    return this.#poller.write(binding, raw, urgent);
  }
  /** Asks the devices what they have; rejects while the link is down. */
  survey(devices: readonly SurveyDevice[]): Promise<readonly DeviceSurvey[]> {
    if (this.#state !== 'connected' || !this.#driver)
      return Promise.reject(new GatewayError('not-connected', `the link ${this.name} is down`));
    return this.#driver.survey?.(devices, this.#abort.signal) ?? Promise.resolve([]);
  }
  /** What the device itself says of a value; undefined where its driver has no more to say than the image. */
  async inspect(binding: TagBinding<unknown>): Promise<Inspection | undefined> {
    if (this.#state !== 'connected' || !this.#driver)
      throw new GatewayError('not-connected', `the link ${this.name} is down`);
    const ask = this.#driver.inspect?.bind(this.#driver, binding);
    return ask && within(this.#o.clock, this.config.limits.requestTimeout, binding.device, ask);
  }
  /** See {@link EventFeed.acknowledge}. */
  acknowledge(...what: Parameters<EventFeed['acknowledge']>): Promise<DeviceOutcome> {
    return this.#feed.acknowledge(...what);
  }
  readSoon(binding: TagBinding<unknown>): void {
    if (this.#poller.running || this.#poller.isPaused) this.#poller.readSoon(binding);
  }
  decodeAll(): void {
    this.#poller.decodeAll();
    this.#subscriber.tellAll();
  }

  #connect(): void {
    if (this.#driver) return;
    // Opened again for what is to be asked now, it was never away.
    if (!this.#poller.isPaused) this.#set('connecting');
    const { driver: module, config, endpoint } = this.config;
    const { clock, log, random } = this.#o;
    const abort = new AbortController();
    this.#abort = abort;
    const wait = this.config.limits.connectTimeout;
    this.#timer = clock.at(mono(clock.mono() + wait), () =>
      this.#lost(new GatewayError('connect-timeout', `no connection within ${String(wait)} ms`)),
    );
    const streams = new Streams({
      tap: this.tap,
      open: (...to) => this.#o.open(...to),
      onTrouble: (error) => {
        if (this.#connection === connection) this.#lost(error);
      },
    });
    let connection: Connection | undefined;
    let connecting: Promise<void>;
    try {
      const driver = this.#o.create(module, config, {
        endpoint,
        log,
        random,
        open: streams.open,
        memory: this.#o.memory,
        expires: (what, at) => void this.#expiries.set(what, at),
        now: () => clock.mono(),
        count: (event, device, times) => this.#count(event, device, times),
        notice: (device, text) => this.#notice(device, text),
        refusal: (device, tag, why) => this.#deviceOf(device)?.refuse(tag, why),
      });
      connection = new Connection(driver, streams, {
        clock,
        log,
        onLate: (why) => this.#knowsWhy(why),
      });
      this.#connection = connection;
      driver.onLost((why) => {
        if (this.#driver !== driver) return;
        // A driver that fails is no peer that closes.
        const isPeer = why.kind !== 'bug' && why.code !== 'driver-died';
        if (isPeer && this.#mayCloseIdle()) this.#closeIdle(why);
        else this.#lost(why);
      });
      connecting = driver.connect(abort.signal);
    } catch (error) {
      streams.close();
      // A defect of one driver is trouble of its links, not the end of the gateway.
      this.#lost(asGatewayError(error));
      return;
    }
    const { driver } = connection;
    connecting.then(
      () => {
        if (this.#driver === driver) this.#connected(driver);
      },
      (error: unknown) => {
        if (this.#driver === driver) this.#lost(asGatewayError(error));
      },
    );
  }

  /** Why a link went down may show when its driver is to close: that its thread hangs is found out seconds later. */
  #knowsWhy(error: GatewayError): void {
    if (error.code !== 'driver-died') return;
    if (this.#poller.isPaused) {
      // Closed while idle, which would have cost nothing: but this is no peer that hung up.
      this.#lost(error);
      return;
    }
    if (this.#state !== 'waiting' && this.#state !== 'connecting') return;
    this.#lastError = error;
    this.#o.onStatus(this);
  }

  /** Not before what asked the module is through: it may be the poller, in the middle of its start. */
  #moduleFailed(error: GatewayError): void {
    const connection = this.#connection;
    this.#o.clock.soon(() => {
      if (this.#connection === connection) this.#lost(error);
    });
  }

  #connected(driver: Driver): void {
    this.#timer?.cancel();
    const { connectDelay } = this.config.limits;
    if (connectDelay === undefined || connectDelay === 0) this.#begin(driver);
    else {
      const { clock } = this.#o;
      this.#timer = clock.at(mono(clock.mono() + connectDelay), () => this.#begin(driver));
    }
  }

  /**
   * A peer that closes while nothing is asked has done no harm: serial servers do so after some seconds. One from which
   * no answer came since it was opened is no such peer, and what tells by itself is missed when it is away.
   */
  #mayCloseIdle(): boolean {
    const { bindings, devices, config } = this.config;
    const tells =
      devices.some(({ events }) => events) ||
      bindings.some(({ address }) => this.#module.subscribed?.(config, address));
    const hasAnswered = this.devices.some(({ lastOkAt }) => (lastOkAt ?? -1) >= this.#openedAt);
    return this.#state === 'connected' && this.#poller.isIdle && hasAnswered && !tells;
  }

  /** Closes the connection and opens it when there is something to ask: values and state stay as they are. */
  #closeIdle(why: GatewayError): void {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#timer?.cancel();
    void connection?.close(why);
    this.#o.log.debug('closed while idle', { why: why.message });
    this.#poller.pause(why);
  }

  #begin(driver: Driver): void {
    if (this.#driver !== driver) return;
    this.#openedAt = this.#o.clock.mono();
    if (this.#poller.isPaused) {
      this.#poller.resume(driver);
      return;
    }
    if (this.#lastError) this.#o.log.info('link up again');
    this.#lastError = undefined;
    this.#set('connected');
    this.#poller.start(driver);
    this.#subscriber.start(driver);
    this.#feed.start(driver);
  }

  #lost(error: GatewayError): void {
    if (this.#state === 'stopped' || this.#state === 'waiting') return;
    const first = this.#lastError === undefined;
    const wasUp = this.#state === 'connected';
    if (first) {
      this.#o.log.warn('link down', { code: error.code, why: error.message });
    }
    this.#lastError = error;
    const connection = this.#takeDown(error);
    this.#timer?.cancel();
    if (wasUp) {
      this.#reconnects++;
      // Only a link that has answered may hurry: one that accepts and falls silent must not be hammered.
      if (this.devices.some(({ lastOkAt }) => lastOkAt !== undefined && lastOkAt >= this.#since))
        this.#backoff.reset();
    }
    const wait = this.#waitAfter(error);
    this.#timer = this.#o.clock.at(mono(this.#o.clock.mono() + wait), () => this.#connect());
    this.#set('waiting');
    // A driver that cannot even close is left behind: its late calls find no listener.
    void connection?.close(error);
  }

  #waitAfter({ kind, code }: GatewayError): number {
    if (kind !== 'auth') return this.#backoff.next();
    return code === 'certificate-refused' ? limits.backoffTrustMs : limits.backoffAuthMs;
  }

  #takeDown(why: GatewayError): Connection | undefined {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#abort.abort(why);
    this.#poller.stop(why, Quality.notConnected);
    this.#subscriber.stop(why, Quality.notConnected);
    this.#feed.stop(why);
    for (const device of this.devices) device.lastError = why.message;
    return connection;
  }

  #deviceOf(name: string): DeviceState | undefined {
    return this.devices.find((one) => one.name === name);
  }

  /** Why the device of a tag does not serve it, in its own words; undefined where it does, or did not say. */
  refusalOf(device: string, tag: string): string | undefined {
    return this.#deviceOf(device)?.refusalOf(tag);
  }

  #count(event: DriverEvent, name: string, times = 1): void {
    const device = this.#deviceOf(name);
    if (device) device.count(event, times);
    else if (event === 'foreign') this.#foreign += times;
  }

  #notice(name: string, what: string): void {
    const device = this.#deviceOf(name);
    if (!(device?.notices ?? this.#notices).say(what, this.#o.clock.mono())) return;
    if (device) this.#o.log.warn('a device is odd', { device: name, what });
    else this.#o.log.warn('a link is odd', { what });
    this.#o.onStatus(this);
  }

  #deviceChanged(device: DeviceState): void {
    const fields = { device: device.name };
    if (device.failures === 0) this.#o.log.info('device answers', fields);
    else this.#o.log.warn('device does not answer', { ...fields, why: device.lastError });
    this.#o.onStatus(this);
  }

  #set(state: LinkState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#since = this.#o.clock.mono();
    this.#o.onStatus(this);
  }
}

function jobsOf(config: RunningLink, devices: readonly DeviceState[]): readonly ScanJob[] {
  const jobs: ScanJob[] = [];
  const writeOnly = new Set(config.writeOnly);
  const readable = config.bindings.filter(({ tag }) => !writeOnly.has(tag));
  const byDevice = groupBy(readable, ({ device }) => device);
  for (const [at, device] of config.devices.entries()) {
    const state = devices[at];
    if (!state) continue;
    const bindings = new Map((byDevice.get(device.name) ?? []).map((b) => [b.name, b]));
    const classes = groupBy(
      device.tags.filter((tag) => bindings.has(tag.name) && !tag.subscribed),
      (tag) => tag.scanClass,
    );
    for (const [scanClass, tags] of classes) {
      const period = tags[0]?.period;
      if (period === undefined) continue;
      jobs.push(
        new ScanJob(
          state,
          scanClass,
          period,
          tags.flatMap((tag) => bindings.get(tag.name) ?? []),
        ),
      );
    }
  }
  return jobs;
}

/**
 * Sets the first slots of all links, spread over each period in bursts of `limits.staggerBurst`. Jobs of
 * one link wait for each other anyway; they are dealt out last to first, so that bursts mix links.
 */
export function stagger(links: readonly Link[], now: MonoMs): void {
  const byPeriod = groupBy(
    links.flatMap((link) => link.jobs),
    (job) => job.period,
  );
  for (const [period, jobs] of byPeriod) {
    const bursts = Math.ceil(jobs.length / limits.staggerBurst);
    jobs.forEach((job, i) => {
      job.due = mono(now + phaseOf(i % bursts, bursts, period));
    });
  }
}
