import type { TagBinding, Value, DeviceOutcome } from '../contract/index.js';
import { GatewayError } from '../contract/index.js';
import { limits } from '../limits.js';

/** A write on its way to the device: settles exactly once, is sent at most once. */
export interface PendingWrite {
  readonly binding: TagBinding<unknown>;
  /** Raw: scale and offset are taken out. */
  readonly value: Value;
  readonly done: (outcome: DeviceOutcome) => void;
  readonly failed: (error: GatewayError) => void;
}

/** Writes of one link, in order, trips before the rest; bounded, and emptied when the link goes down. */
export class WriteQueue {
  readonly #trips: PendingWrite[] = [];
  readonly #others: PendingWrite[] = [];

  get isEmpty(): boolean {
    return this.#trips.length + this.#others.length === 0;
  }

  add(write: PendingWrite, urgent: boolean): void {
    if (urgent && this.#takesPlace(write)) return;
    if (this.#trips.length + this.#others.length >= limits.pendingWrites) {
      write.failed(new GatewayError('too-many', 'too many writes wait on this link'));
      return;
    }
    (urgent ? this.#trips : this.#others).push(write);
  }

  /**
   * A command that waits for the same output was let through before the trip, and would undo it after. What a
   * rule wanted of it before is old: beats for a dead device must not fill the queue that trips wait in.
   */
  #takesPlace(write: PendingWrite): boolean {
    const { tag, name } = write.binding;
    const isSame = ({ binding }: PendingWrite): boolean => binding.tag === tag;
    const overruled = this.#others.filter(isSame);
    for (const other of overruled) this.#others.splice(this.#others.indexOf(other), 1);
    // It does not lose its turn: a beat that is replaced before it is sent would never be.
    const at = this.#trips.findIndex(isSame);
    if (at >= 0) overruled.push(...this.#trips.splice(at, 1, write));
    for (const { failed } of overruled)
      failed(new GatewayError('held-by-rule', `a rule has taken ${name} meanwhile`));
    return at >= 0;
  }

  /** @param may is it the turn of this device? Of those that may, trips first. */
  take(may: (device: string) => boolean): PendingWrite | undefined {
    for (const queue of [this.#trips, this.#others]) {
      const at = queue.findIndex(({ binding }) => may(binding.device));
      if (at >= 0) return queue.splice(at, 1)[0];
    }
    return undefined;
  }

  /** Nothing is kept for a later connection: a late write is worse than none. */
  refuseAll(error: GatewayError): void {
    for (const write of [...this.#trips.splice(0), ...this.#others.splice(0)]) write.failed(error);
  }
}
