import type { Batch } from '../contract/index.js';
import { limits } from '../limits.js';

/** Readings on their way through the inbox: those of a group that was read, or told by a subscription. */
export interface InboxGroup {
  readonly device: { readonly name: string };
  readonly batch: Batch;
  /** Image position of each reading of the batch. */
  readonly indices: Int32Array;
  /** They wait for a tick: nobody may touch the batch. */
  inInbox: boolean;
  /** The tick is done with them. */
  taken: () => void;
}

/** What the tick takes from the scan: readings of a group, a reason why there are none, or the end of a scan. */
export interface InboxItem {
  readonly kind: 'readings' | 'bad' | 'scan-end';
  readonly group: InboxGroup | undefined;
  /** For `bad`. */
  readonly quality: number;
  readonly indices: Int32Array;
  readonly at: number;
  readonly device: string;
  readonly scanClass: string;
}

const none = new Int32Array(0);

/**
 * Readings between drivers and tick, bounded. When it is full the newest is shed and counted: its tags
 * go stale by themselves, and its group decodes everything at the next read.
 */
export class Inbox {
  #items: InboxItem[] = [];
  #spare: InboxItem[] = [];
  readonly #wake: (complete: boolean) => void;
  /** Scans under way on all links. */
  #scans = 0;
  shed = 0;

  /** @param wake called when the first item came (false), and when the last scan under way ended (true) */
  constructor(wake: (complete: boolean) => void) {
    this.#wake = wake;
  }

  /** A scan began: more will come. */
  scanBegan(): void {
    this.#scans++;
  }
  /** A scan will not end: its link is gone. */
  scanAbandoned(): void {
    this.#scans--;
  }

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }
  /** No scan is under way: what was read is all here. */
  get isComplete(): boolean {
    return this.#scans === 0;
  }

  readings(group: InboxGroup, scanClass: string): void {
    if (this.#items.length >= limits.inboxGroups) {
      this.shed++;
      group.batch.mustDecode = true;
      return;
    }
    group.inInbox = true;
    this.#push({
      kind: 'readings',
      group,
      quality: 0,
      indices: group.indices,
      at: group.batch.sentAt,
      device: group.device.name,
      scanClass,
    });
  }

  /** Never shed: that values are bad must not be lost. */
  bad(indices: Int32Array, quality: number, at: number, device: string, scanClass: string): void {
    this.#push({ kind: 'bad', group: undefined, quality, indices, at, device, scanClass });
  }

  /** A scan that began is over. */
  scanEnd(device: string, scanClass: string, at: number): void {
    this.told(device, scanClass, at);
    this.#scans--;
    if (this.#scans === 0) this.#wake(true);
  }

  /** What a device told is complete: it need not wait for more to be recorded. */
  told(device: string, scanClass: string, at: number): void {
    this.#push({
      kind: 'scan-end',
      group: undefined,
      quality: 0,
      indices: none,
      at,
      device,
      scanClass,
    });
  }

  /** All that waits; the array is valid until the next `take`. */
  take(): readonly InboxItem[] {
    const items = this.#items;
    this.#items = this.#spare;
    this.#items.length = 0;
    this.#spare = items;
    return items;
  }

  #push(item: InboxItem): void {
    this.#items.push(item);
    if (this.#items.length === 1) this.#wake(false);
  }
}
