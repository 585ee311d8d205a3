import type { DurationMs } from './time.js';

/** What a device tells when something happens there. */
export interface DeviceEvent {
  /** The device's own identity of this event: the same event told twice has the same. Opaque. */
  readonly id: string;
  /** What it is about, such as the name of a motor. */
  readonly source: string;
  /** What kind of event it is, as the device names kinds. */
  readonly type: string;
  /** 1 (least) to 1000 (most), as in OPC UA. */
  readonly severity: number;
  readonly text: string;
  /** How old it was when the device sent it, by the device's own clock, ms; NaN = not known. */
  readonly age: number;
  /** Who caused it, where the device says so. */
  readonly by: string | undefined;
  /** Set when it tells how a condition stands. */
  readonly condition: DeviceCondition | undefined;
}

/** Something at a device that stands for a while, such as an alarm. */
export interface DeviceCondition {
  /** Identifies it at the device, together with what else of it may wait for attention. Opaque. */
  readonly key: string;
  readonly name: string;
  readonly active: boolean;
  /** True as well where there is nothing to acknowledge. */
  readonly acked: boolean;
  /** False: to the device it is of no interest any more, and it will not tell it again unasked. */
  readonly retain: boolean;
}

/** Where a driver hands over what a device tells. Nothing is called after the driver is closed. */
export interface EventSink {
  /** In the order in which they came about. */
  events(events: readonly DeviceEvent[]): void;
  /** See `SubscriptionSink.confirmed`. */
  confirmed?(): Promise<void> | undefined;
  /** The device has told of every condition that stands: those with other keys do not. */
  standing(keys: readonly string[]): void;
  /** The device is there. */
  alive(): void;
  /** See `SubscriptionSink.revised`. */
  revised?(alive: DurationMs): void;
}

/** How a device tells of events. */
export interface EventTerms<E = unknown> {
  /** What the driver makes of the keys of the device. */
  readonly from: E;
  /** Longest silence while all is well; see `Subscribed.alive`. */
  readonly alive: DurationMs;
  /** May its conditions be acknowledged from here? */
  readonly acknowledge: boolean;
}
