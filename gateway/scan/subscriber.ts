import {
  asGatewayError,
  GatewayError,
  groupBy,
  mono,
  type Clock,
  type Driver,
  type DurationMs,
  type Log,
  type ReadGroup,
  type Samples,
  type Subscribed,
  type SubscriptionSink,
  type TagBinding,
  type Timer,
} from '../contract/index.js';
import type { LinkDriver } from '../config/model.js';
import { limits } from '../limits.js';
import type { DeviceState } from './device.js';
import type { Inbox } from './inbox.js';
import { longerRest } from './rest.js';
import { SilenceWatch } from './silence.js';
import { Subscription } from './subscription.js';

export interface SubscriberOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly inbox: Inbox;
  readonly module: LinkDriver;
  readonly config: unknown;
  readonly devices: readonly DeviceState[];
  readonly bindings: readonly TagBinding<unknown>[];
  /** Image position of each binding of the link. */
  tagIndex: () => Int32Array;
  /** The link is in doubt: it must be closed and opened again. */
  onTrouble: (error: GatewayError) => void;
  /** A device told what it remembers of a time in which the link was down. */
  onHistory: (device: string, samples: Samples, indices: Int32Array) => void;
  /** A device made terms of its own: its longest silence while all is well. */
  onRevised: (alive: DurationMs, indices: Int32Array) => void;
  /** A device tells something again. */
  onDevice: (device: DeviceState) => void;
}

/** What is subscribed together. */
interface Part {
  readonly read: ReadGroup<unknown>;
  readonly device: DeviceState;
  readonly terms: Subscribed;
}

/**
 * Subscribes the tags of one connected driver that tell of themselves, and watches that they do: a
 * subscription that is silent for longer than it may puts the link in doubt.
 */
export class Subscriber {
  readonly #o: SubscriberOptions;
  readonly #parts: readonly Part[];
  #running: Subscription[] = [];
  #driver: Driver | undefined;
  #abort = new AbortController();
  readonly #watch: SilenceWatch;
  /** Tags that the device refuses, by part. */
  readonly #refused = new Map<Subscription, Refused>();

  constructor(options: SubscriberOptions) {
    this.#o = options;
    this.#parts = partsOf(options);
    this.#watch = new SilenceWatch(options.clock, (why) => options.onTrouble(why));
  }

  /** The link is up: everything is subscribed anew. */
  start(driver: Driver): void {
    if (this.#parts.length === 0) return;
    this.#driver = driver;
    this.#abort = new AbortController();
    for (const part of this.#parts) void this.#subscribe(driver, part);
  }

  /** The link is down: all that was subscribed is bad. */
  stop(why: GatewayError, quality: number): void {
    if (!this.#driver) return;
    this.#driver = undefined;
    this.#watch.stop();
    for (const { again } of this.#refused.values()) again.cancel();
    this.#abort.abort(why);
    for (const subscription of this.#running) subscription.end(quality);
    this.#running = [];
    this.#refused.clear();
  }

  remap(tagIndex: Int32Array): void {
    for (const subscription of this.#running) subscription.remap(tagIndex);
  }

  /** See {@link Subscription.tellAll}. */
  tellAll(): void {
    for (const subscription of this.#running) subscription.tellAll();
  }

  #subscribe(driver: Driver, { read, device, terms }: Part): Promise<void> {
    const { clock, inbox } = this.#o;
    const subscription = new Subscription({
      clock,
      inbox,
      read,
      device,
      terms,
      tagIndex: this.#o.tagIndex(),
      onHeard: (heard) => this.#heard(heard),
      onRevised: (alive, indices) => this.#o.onRevised(alive, indices),
      onHistory: ({ device: { name } }, samples, indices) =>
        this.#o.onHistory(name, samples, indices),
    });
    this.#running.push(subscription);
    return this.#ask(driver, subscription, [...read.tags.keys()]);
  }

  /** Asks for some tags of a subscription: all of them, or those that were refused before. */
  async #ask(driver: Driver, subscription: Subscription, some: readonly number[]): Promise<void> {
    const { clock } = this.#o;
    const { read } = subscription;
    const late = clock.at(mono(clock.mono() + limits.subscribeMs), () =>
      this.#trouble(
        driver,
        new GatewayError('subscription-silent', `${read.label} could not be subscribed in time`),
      ),
    );
    try {
      const refused = await this.#begin(driver, subscription, some);
      if (this.#driver !== driver) return;
      subscription.heardAt = clock.mono();
      this.#keepRefused(
        driver,
        subscription,
        // In the order of the tags: all of them are asked for again as they stand.
        refused.flatMap((at) => some[at] ?? []).sort((a, b) => a - b),
      );
      this.#armWatch();
    } catch (thrown) {
      this.#trouble(driver, asGatewayError(thrown));
    } finally {
      late.cancel();
    }
  }

  #begin(
    driver: Driver,
    subscription: Subscription,
    some: readonly number[],
  ): Promise<readonly number[]> {
    const { read } = subscription;
    if (!driver.subscribe) {
      const { name } = this.#o.module;
      throw new GatewayError('internal', `the driver ${name} cannot subscribe`);
    }
    const { signal } = this.#abort;
    if (some.length === read.tags.length) return driver.subscribe(read, subscription, signal);
    const group = { ...read, tags: some.flatMap((at) => read.tags[at] ?? []) };
    return driver.subscribe(group, partOf(subscription, some), signal);
  }

  #trouble(driver: Driver, error: GatewayError): void {
    if (this.#driver === driver) this.#o.onTrouble(error);
  }

  #heard({ device }: Subscription): void {
    if (device.told(this.#o.clock.mono())) this.#o.onDevice(device);
  }

  #armWatch(): void {
    // One of which everything is refused has nothing to tell.
    const isServed = (one: Subscription): boolean =>
      (this.#refused.get(one)?.positions.length ?? 0) < one.read.tags.length;
    this.#watch.watch(this.#running.filter(isServed));
  }

  #keepRefused(driver: Driver, subscription: Subscription, refused: readonly number[]): void {
    const before = this.#refused.get(subscription);
    before?.again.cancel();
    this.#refused.delete(subscription);
    if (refused.length === 0) return;
    if (!before)
      this.#o.log.warn('the device refuses tags; they are bad until it does not', {
        device: subscription.device.name,
        count: refused.length,
        first: subscription.read.tags[refused[0] ?? 0]?.name,
        why: subscription.device.refusalOf(subscription.read.tags[refused[0] ?? 0]?.name ?? ''),
      });
    const rest = longerRest(before?.rest);
    const again = this.#o.clock.at(mono(this.#o.clock.mono() + rest), () => {
      void this.#ask(driver, subscription, refused);
    });
    this.#refused.set(subscription, { positions: refused, rest, again });
  }
}

/** What a device refuses of a part, and when it is asked again. */
interface Refused {
  readonly positions: readonly number[];
  readonly rest: number;
  readonly again: Timer;
}

/** Some tags of a subscription, which are told with positions of their own. */
function partOf(whole: Subscription, some: readonly number[]): SubscriptionSink {
  const placed = ({ count, positions, numbers, qualities, ages, wide }: Samples): Samples => ({
    count,
    positions: Array.from({ length: count }, (_, i) => some[positions[i] ?? -1] ?? -1),
    numbers,
    qualities,
    ages,
    wide,
  });
  return {
    samples: (samples) => whole.samples(placed(samples)),
    history: (samples) => whole.history(placed(samples)),
    alive: () => whole.alive(),
    revised: (alive) => whole.revised(alive),
  };
}

/** One part for each device and each way of telling. */
function partsOf({ module, config, devices, bindings }: SubscriberOptions): readonly Part[] {
  const byDevice = groupBy(bindings, ({ device }) => device);
  return devices.flatMap((device) => {
    const told = (byDevice.get(device.name) ?? []).flatMap((tag) => {
      const terms = module.subscribed?.(config, tag.address);
      return terms ? [{ tag, terms }] : [];
    });
    const byTerms = groupBy(
      told,
      ({ terms }) => `${terms.interval} ${terms.alive} ${terms.event === true}`,
    );
    return [...byTerms.values()].flatMap((same) => {
      const [first] = same;
      if (!first) return [];
      const { terms } = first;
      const label = `${device.name} every ${String(terms.interval)} ms`;
      const tags = same.map(({ tag }) => tag);
      return [{ read: { label, device: device.name, tags }, device, terms }];
    });
  });
}
