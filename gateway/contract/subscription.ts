import { ms, type DurationMs } from './time.js';

/** The scan class, in topics and tables, of tags that nobody scans. */
export const subscribedClass = 'subscribed';

/** The same for samples that a device remembered and delivered later: a separate stream, marked historical. */
export const backfillClass = 'backfill';

/**
 * Longest silence of a healthy subscription, ms: within it, the device reports a change or confirms that there was none.
 * After it, the link is in doubt. `never`: the device gives no sign of life, such as a barcode reader over a weekend; then
 * silence proves nothing, and only the end of the connection takes its values.
 */
export type Alive = DurationMs | 'never';

/** How a device pushes the values of a tag. */
export interface Subscribed {
  /** Shortest interval between two reports of changes, ms; 0 if the device reports each of them. */
  readonly interval: DurationMs;
  readonly alive: Alive;
  /**
   * Each sample is an event, such as a barcode that was read: the same value again is recorded again, with the time at
   * which it occurred. Its age counts from then, it is not stale unless the tag declares `stale`, and a sign of life does
   * not renew it. Rules see the value, not how often it came: for them, supply a counter as well.
   */
  readonly event?: boolean;
}

/** Longest silence as a number, ms: infinite for `never`. */
export function longestSilence(alive: Alive): DurationMs {
  return alive === 'never' ? ms(Infinity) : alive;
}

/** Age at which a pushed value is stale, unless the tag says otherwise; infinite for events, and without a sign of life. */
export function staleAfter({ alive, event }: Pick<Subscribed, 'alive' | 'event'>): DurationMs {
  return event === true ? ms(Infinity) : ms(longestSilence(alive) * 1.5);
}

/** Samples of the tags of a subscription, oldest first, as columns; valid only during the call. */
export interface Samples {
  readonly count: number;
  /** Position of each sample's tag in the group. */
  readonly positions: ArrayLike<number>;
  /** As in a batch: raw, 0 or 1 for bool. */
  readonly numbers: ArrayLike<number>;
  readonly qualities: ArrayLike<number>;
  /** How old each sample was when the device sent it, by the device's own clock, ms; NaN = unknown. */
  readonly ages: ArrayLike<number>;
  /** Strings and exact 64-bit integers, by row. */
  readonly wide: ReadonlyMap<number, string | bigint> | undefined;
}

/** Receives the data of a subscription. Must not be called after the driver is closed. */
export interface SubscriptionSink {
  /**
   * Samples older than {@link Subscribed.alive} are only recorded, except for the last one of each tag. Events are never
   * too old.
   * An empty call means that the device is alive and has more to report.
   */
  samples: (samples: Samples) => void;
  /**
   * Settles when all samples so far have arrived: only then may the device discard them. Undefined: they have arrived.
   * Samples that have not when the driver is closed were lost in transit, and are delivered again on the next connection.
   */
  confirmed?: () => Promise<void> | undefined;
  /**
   * Samples that the device kept while it could not report: they are recorded, and do not enter the image.
   * Optional for sinks.
   */
  history?: (samples: Samples) => void;
  /** The device confirms that nothing else has changed, and has no more to report: every value is current. */
  alive: () => void;
  /**
   * The device revised {@link Subscribed.alive}: this is its longest silence from now on, ms. Optional for
   * sinks.
   */
  revised?: (alive: DurationMs) => void;
}
