import type { EventItem } from './events.js';

/**
 * One telling of the conditions that stand, for all items of a subscription: from the call on, what is told
 * counts, and once the server has said that it is through, what was not told does not stand. Servers send
 * that word to items of the server object only, and items are drained one after the other: so it counts
 * from the next notification on.
 */
export class Standing {
  readonly #items: ReadonlyMap<number, EventItem>;
  #state: 'idle' | 'asked' | 'ended' = 'idle';
  #again = false;

  constructor(items: ReadonlyMap<number, EventItem>) {
    this.#items = items;
  }

  /** @returns must the server be asked? Not while it is telling; then it is asked afterwards */
  begin(): boolean {
    this.#again = this.#state !== 'idle';
    if (this.#again) return false;
    this.#state = 'asked';
    for (const item of this.#items.values()) item.beginStanding();
    return true;
  }

  /** The server says that it is through. */
  ended(): void {
    if (this.#state === 'asked') this.#state = 'ended';
  }

  /** A notification comes. @returns must the server be asked anew? */
  next(): boolean {
    if (this.#state !== 'ended') return false;
    this.#state = 'idle';
    for (const item of this.#items.values()) item.endStanding();
    return this.#again;
  }

  /** The server does not tell, or is not there any more. */
  abandon(): void {
    this.#state = 'idle';
    this.#again = false;
  }
}
