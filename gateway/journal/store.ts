import type { EntryClass } from './entry.js';

/** A segment on disk, without its bytes. */
export interface SegmentInfo {
  readonly id: number;
  readonly class: EntryClass;
  /** Positions of its first and last entry. */
  readonly first: number;
  readonly last: number;
  readonly bytes: number;
  /** Wall ms of its first entry. */
  readonly time: number;
}

export interface NewSegment extends Omit<SegmentInfo, 'id' | 'bytes'> {
  readonly crc: number;
  readonly data: Uint8Array;
}

/** Everything that one durable transaction does. */
export interface Change {
  readonly segments: readonly NewSegment[];
  readonly remove: readonly number[];
  /** Keys of the small durable state; `undefined` removes. */
  readonly state: readonly (readonly [string, string | undefined])[];
}

/** What was found when a store was opened. */
export interface Found {
  readonly segments: readonly SegmentInfo[];
  readonly state: ReadonlyMap<string, string>;
  /** Set when a damaged file was set aside and a new one begun. */
  readonly quarantined: string | undefined;
}

/** Bytes. */
export interface Room {
  /** In use, the write-ahead log included. */
  readonly used: number;
  /** Inside the file, for what is written next: it takes nothing of the disk. */
  readonly reusable: number;
}

/**
 * Where the journal keeps its segments: SQLite, or a model in memory. After `commit` settles, the change
 * survives a power cut. Calls are made one at a time. Errors are GatewayErrors: `disk-full`,
 * `journal-io` (the connection is no longer to be trusted), `journal-corrupt`.
 */
export interface Store {
  open: () => Promise<Found>;
  /** @returns the ids of the new segments, in order */
  commit: (change: Change) => Promise<readonly number[]>;
  /** Bytes of a segment, CRC checked; undefined when they are damaged or gone. */
  read: (id: number) => Promise<Uint8Array | undefined>;
  room: () => Promise<Room>;
  /** Is what it writes to still what is found under its name? Resolves for a store that is open. */
  isThere: () => Promise<boolean>;
  /** Puts all that it holds under its name again; what stands there instead is set aside. Ids stay. */
  renew: () => Promise<void>;
  /** Idempotent. */
  close: () => Promise<void>;
}
