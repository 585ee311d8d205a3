import type { Clock, GatewayError, Log } from '../contract/index.js';
import type { GapRecord } from './entry.js';
import type { Resume } from './numbers.js';
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
   * or consumers would take its samples for ones that they have. Undefined: nobody can say. Neither call rejects.
   */
  readonly epochs?: {
    last: () => Promise<number | undefined>;
    record: (epoch: number) => Promise<void>;
  };
  /** This boot goes on: its half of the process was restarted. */
  readonly resume?: Resume;
  /** More of what the source gave may be safe: `Journal.safe` says how much. Called often. */
  onSafe?: () => void;
  /** Names of the sinks that read; cursors of others are dropped. */
  readonly sinks: readonly string[];
  /** The disk answers that did not at the start; states that it holds are there now. */
  onTakenUp?: (found: LateFinding) => void;
  /** The file was deleted or replaced while we ran, and is written anew. */
  onRenewed?: () => void;
  /** The condition of the disk changed: undefined = well. */
  onCondition: (error: GatewayError | undefined) => void;
}

/** How far the journal has come, for the source. */
export interface Safe {
  /** Entries of the source up to this number are on the disk, acknowledged by all, or in the ledger of losses. */
  readonly upTo: number;
  /** See {@link Resume.counter}. */
  readonly counter: number;
  /** Losses that are not on the disk yet: to be given back with `recordLost` after a restart. */
  readonly losses: readonly GapRecord[];
}

/** What is odd about a disk that answered after the start. */
export interface LateFinding {
  readonly quarantined: string | undefined;
  /** There were boots before, and nothing of them is there. */
  readonly isGone: boolean;
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
  /** The disk did not answer at the start. */
  readonly isUnread: boolean;
  /** There was something before, whatever can be read of it. */
  readonly isOld: boolean;
}
