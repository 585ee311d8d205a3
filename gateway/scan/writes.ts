import type { TagBinding, Value, WriteOutcome } from '../contract/index.js';
import { GatewayError } from '../contract/index.js';
import { limits } from '../limits.js';

/** A write on its way to the device: settles exactly once, is sent at most once. */
export interface PendingWrite {
  readonly binding: TagBinding<unknown>;
  /** Raw: scale and offset are taken out. */
  readonly value: Value;
  readonly done: (outcome: WriteOutcome) => void;
  readonly failed: (error: GatewayError) => void;
}

/** Writes of one link, in order, trips before the rest; bounded, and emptied when the link goes down. */
export class WriteQueue {
  readonly #trips: PendingWrite[] = [];
  readonly #others: PendingWrite[] = [];

  add(write: PendingWrite, urgent: boolean): void {
    if (this.#trips.length + this.#others.length >= limits.pendingWrites) {
      write.failed(new GatewayError('too-many', 'too many writes wait on this link'));
      return;
    }
    (urgent ? this.#trips : this.#others).push(write);
  }

  take(): PendingWrite | undefined {
    return this.#trips.shift() ?? this.#others.shift();
  }

  /** Nothing is kept for a later connection: a late write is worse than none. */
  refuseAll(error: GatewayError): void {
    for (const write of [...this.#trips.splice(0), ...this.#others.splice(0)]) write.failed(error);
  }
}
