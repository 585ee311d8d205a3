import { ms, type DurationMs } from './time.js';

/** The scan class, in topics and tables, of tags that nobody scans. */
export const subscribedClass = 'subscribed';

/** The same for what a device remembered and told later: a stream of its own, marked historical. */
export const backfillClass = 'backfill';

/** How a device tells of a tag by itself. */
export interface Subscribed {
  /** How often it tells what has changed, at most. */
  readonly interval: DurationMs;
  /**
   * Longest silence of a subscription that is well: within it, the device tells of a change or says
   * that there was none. After it, the link is in doubt.
   */
  readonly alive: DurationMs;
}

/** Age at which a value that is told is stale, unless the tag says otherwise. */
export function staleAfter(alive: DurationMs): DurationMs {
  return ms(alive * 1.5);
}

/** What a device told of the tags of a subscription, oldest first, as columns; valid only during the call. */
export interface Samples {
  readonly count: number;
  /** Position of each sample's tag in the group. */
  readonly positions: ArrayLike<number>;
  /** As in a batch: raw, 0 or 1 for bool. */
  readonly numbers: ArrayLike<number>;
  readonly qualities: ArrayLike<number>;
  /** How old each sample was when the device sent it, by the device's own clock, ms; NaN = not known. */
  readonly ages: ArrayLike<number>;
  /** Strings and exact 64-bit integers, by row. */
  readonly wide: ReadonlyMap<number, string | bigint> | undefined;
}

/** Where a driver hands over what a subscription brings. Nothing is called after the driver is closed. */
export interface SubscriptionSink {
  /**
   * Samples that are older than {@link Subscribed.alive} are for the record only, but for the last of each tag.
   * None at all says that the device is there and has more to tell.
   */
  samples(samples: Samples): void;
  /**
   * Settles when all samples so far have arrived: only then may the device forget them. Undefined: they have.
   * What has not when the driver is closed was lost on the way, and is told again on the next connection.
   */
  confirmed?(): Promise<void> | undefined;
  /**
   * What the device remembers of a time in which it could not tell: for the record, not for the image.
   * Optional for whoever takes samples.
   */
  history?(samples: Samples): void;
  /** The device says that nothing but what was told has changed, and has no more to tell: every value stands. */
  alive(): void;
  /**
   * The device does not keep to {@link Subscribed.alive}: this is its longest silence from now on. Optional for whoever
   * takes samples.
   */
  revised?(alive: DurationMs): void;
}
