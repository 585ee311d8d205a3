import type { Clock, GatewayError, Log } from '../contract/index.js';
import type { RetentionBounds } from './retention.js';
import type { Store } from './store.js';

export interface JournalOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store;
  readonly bounds: RetentionBounds;
  /** Longest commit window, ms. */
  readonly window: number;
  /** Keep acknowledged samples too. */
  readonly keepHistory: boolean;
  /**
   * The number of the last epoch, kept beside the journal: a journal that was lost must not begin again at 1,
   * or consumers would take its samples for ones that they have. Neither call rejects.
   */
  readonly epochs?: { last(): Promise<number>; record(epoch: number): Promise<void> };
  /** Names of the sinks that read; cursors of others are dropped. */
  readonly sinks: readonly string[];
  /** The condition of the disk changed: undefined = well. */
  onCondition(error: GatewayError | undefined): void;
}

/** How the boot before this one ended. */
export interface EpochReport {
  readonly epoch: number;
  readonly previous: number | undefined;
  readonly ended: 'first' | 'clean' | 'unclean';
  /** A damaged file was set aside: its name. */
  readonly quarantined: string | undefined;
  /** There were boots before, and nothing of them is in the journal: it was deleted, replaced or damaged. */
  readonly isGone: boolean;
  /** There was something before, whatever can be read of it. */
  readonly isOld: boolean;
}
