import type { Alive } from './subscription.js';
import type { DurationMs } from './time.js';

/** An event reported by a device. */
export interface DeviceEvent {
  /** The device's identity of this event: an event that is reported twice has the same. Opaque. */
  readonly id: string;
  /** Source of the event, such as the name of a motor. */
  readonly source: string;
  /** Kind of the event, in the device's terms. */
  readonly type: string;
  /** 1 (lowest) to 1000 (highest), as in OPC UA. */
  readonly severity: number;
  readonly text: string;
  /** How old it was when the device sent it, by the device's own clock, ms; NaN = unknown. */
  readonly age: number;
  /** The person who caused it, if the device reports that. */
  readonly by: string | undefined;
  /** Set if the event reports the state of a condition. */
  readonly condition: DeviceCondition | undefined;
}

/** A lasting condition at a device, such as an alarm. */
export interface DeviceCondition {
  /** Identifies the condition at the device, including the branch that may wait for attention. Opaque. */
  readonly key: string;
  readonly name: string;
  readonly active: boolean;
  /** Also true if there is nothing to acknowledge. */
  readonly acked: boolean;
  /** False: the device no longer keeps it, and will not report it again unasked. */
  readonly retain: boolean;
}

/** Receives the events of a device. Must not be called after the driver is closed. */
export interface EventSink {
  /** In the order in which they occurred. */
  events: (events: readonly DeviceEvent[]) => void;
  /** See `SubscriptionSink.confirmed`. */
  confirmed?: () => Promise<void> | undefined;
  /** The device has reported every active condition: those with other keys are inactive. */
  standing: (keys: readonly string[]) => void;
  /** The device is alive. */
  alive: () => void;
  /** See `SubscriptionSink.revised`. */
  revised?: (alive: DurationMs) => void;
}

/** Subscription to the events of a device. */
export interface EventTerms<E = unknown> {
  /** The driver's form of the keys of the device. */
  readonly from: E;
  /** Longest silence of a healthy subscription; see `Subscribed.alive`. */
  readonly alive: Alive;
  /** May its conditions be acknowledged from here? */
  readonly acknowledge: boolean;
}
