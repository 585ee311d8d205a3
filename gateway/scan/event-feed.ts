import {
  asGatewayError,
  GatewayError,
  mono,
  type Clock,
  type DeviceEvent,
  type DeviceOutcome,
  type Driver,
  type DurationMs,
  longestSilence,
  type EventTerms,
  type Log,
  type MonoMs,
  type Timer,
} from '../contract/index.js';
import { limits } from '../limits.js';
import type { DeviceState } from './device.js';
import { longerRest } from './rest.js';
import { SilenceWatch, type Told } from './silence.js';
import { within } from './within.js';

/** Where the events of devices go. */
export interface EventOutlet {
  /** @param at when they came in; their ages count from there */
  events: (device: string, events: readonly DeviceEvent[], at: MonoMs) => void;
  /** Conditions with other keys do not stand. */
  standing: (device: string, keys: readonly string[]) => void;
  /** What stands at this device is not known any more, or known again. */
  doubt: (device: string, why: string | undefined) => void;
}

export interface EventFeedOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly devices: readonly DeviceState[];
  /** By device: those that tell of events. */
  readonly terms: ReadonlyMap<string, EventTerms>;
  readonly requestTimeout: DurationMs;
  readonly outlet: EventOutlet;
  /** The link is in doubt: it must be closed and opened again. */
  onTrouble: (error: GatewayError) => void;
  /** A device tells something again. */
  onDevice: (device: DeviceState) => void;
}

/** Has the devices of one link tell of their events while it is up. */
export class EventFeed {
  readonly #o: EventFeedOptions;
  readonly #watch: SilenceWatch;
  #feeds: Feed[] = [];
  #driver: Driver | undefined;
  #abort = new AbortController();
  readonly #timers = new Set<Timer>();

  constructor(options: EventFeedOptions) {
    this.#o = options;
    this.#watch = new SilenceWatch(options.clock, (why) => options.onTrouble(why));
  }

  /** The link is up. */
  start(driver: Driver): void {
    this.#driver = driver;
    this.#abort = new AbortController();
    for (const device of this.#o.devices) {
      const terms = this.#o.terms.get(device.name);
      if (terms) void this.#listen(driver, new Feed(device, terms, this.#o.clock));
    }
  }

  /** The link is down: what stands is not known any more. */
  stop(why: GatewayError): void {
    if (!this.#driver) return;
    this.#driver = undefined;
    this.#abort.abort(why);
    this.#watch.stop();
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    for (const { device } of this.#feeds) this.#o.outlet.doubt(device.name, why.message);
    this.#feeds = [];
  }

  /** Acknowledges a condition of a device, once. A refusal is a result; rejects when nobody answers. */
  async acknowledge(
    device: string,
    condition: string,
    event: string,
    comment: string,
  ): Promise<DeviceOutcome> {
    const driver = this.#driver;
    if (!driver?.acknowledge)
      throw new GatewayError('not-connected', `the link of ${device} is down`);
    const acknowledge = driver.acknowledge.bind(driver, device, condition, event, comment);
    return within(this.#o.clock, this.#o.requestTimeout, device, acknowledge);
  }

  async #listen(driver: Driver, feed: Feed): Promise<void> {
    const { name } = feed.device;
    const late = this.#after(limits.subscribeMs, () =>
      this.#trouble(driver, new GatewayError('subscription-silent', `${feed.label}: no answer`)),
    );
    try {
      const sink = {
        events: (events: readonly DeviceEvent[]) => {
          if (this.#driver !== driver) return;
          this.#heard(feed);
          this.#o.outlet.events(name, events, feed.heardAt);
        },
        standing: (keys: readonly string[]) => {
          if (this.#driver !== driver) return;
          this.#heard(feed);
          this.#o.outlet.standing(name, keys);
        },
        alive: () => {
          if (this.#driver === driver) this.#heard(feed);
        },
        revised: (alive: DurationMs) => {
          if (this.#driver === driver) feed.longest = alive;
        },
      };
      const outcome = await driver.listen?.(name, feed.terms, sink, this.#abort.signal);
      if (this.#driver !== driver) return;
      if (outcome?.ok) this.#serve(feed);
      else this.#refused(driver, feed, outcome?.code ?? 'the driver has no events');
    } catch (thrown) {
      this.#trouble(driver, asGatewayError(thrown));
    } finally {
      this.#cancel(late);
    }
  }

  #serve(feed: Feed): void {
    feed.rest = undefined;
    feed.heardAt = this.#o.clock.mono();
    this.#feeds.push(feed);
    this.#o.outlet.doubt(feed.device.name, undefined);
    this.#watch.watch(this.#feeds);
  }

  #refused(driver: Driver, feed: Feed, why: string): void {
    const { name } = feed.device;
    if (feed.rest === undefined)
      this.#o.log.warn('the device does not tell of events', { device: name, why });
    feed.rest = longerRest(feed.rest);
    this.#after(feed.rest, () => void this.#listen(driver, feed));
  }

  #heard(feed: Feed): void {
    feed.heardAt = this.#o.clock.mono();
    if (feed.device.told(feed.heardAt)) this.#o.onDevice(feed.device);
  }

  #trouble(driver: Driver, error: GatewayError): void {
    if (this.#driver === driver) this.#o.onTrouble(error);
  }

  #after(wait: number, then: () => void): Timer {
    const { clock } = this.#o;
    const timer = clock.at(mono(clock.mono() + wait), () => {
      this.#timers.delete(timer);
      then();
    });
    this.#timers.add(timer);
    return timer;
  }

  #cancel(timer: Timer): void {
    this.#timers.delete(timer);
    timer.cancel();
  }
}

/** The events of one device. */
class Feed implements Told {
  readonly device: DeviceState;
  readonly terms: EventTerms;
  heardAt: MonoMs;
  /** As the device revised it, or as it was asked for. */
  longest: DurationMs;
  /** How long it rested since it was refused last, ms. */
  rest: number | undefined;

  constructor(device: DeviceState, terms: EventTerms, clock: Clock) {
    this.device = device;
    this.terms = terms;
    this.heardAt = clock.mono();
    this.longest = longestSilence(terms.alive);
  }

  get label(): string {
    return `${this.device.name} events`;
  }
}
