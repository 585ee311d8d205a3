import type { Clock } from '../../contract/index.js';
import { limits } from '../../limits.js';
import type { Subject } from './refusals.js';

/** A message that the broker has not acknowledged. */
export interface OnItsWay {
  readonly subject: Subject;
  readonly topic: string;
  /** As a packet, about. */
  readonly bytes: number;
}

/** The message that breaks the connection: for its size, as far as can be told, or for its topic. */
export interface Culprit<M extends OnItsWay> {
  readonly message: M;
  readonly isSize: boolean;
}

const noLimit = { bytes: Infinity, until: 0, key: '' };

/**
 * Finds the message during which the connection breaks again and again. A broker that does not want one hangs up under 3.1.1, as
 * some do under 5, or says nothing any more. What was on its way at two breaks in a row goes out alone
 * from then on; which then breaks the connection twice is found.
 */
export class Breaks<M extends OnItsWay> {
  readonly #clock: Clock;
  /** Topics that were on their way when the connection broke last. */
  #suspects: ReadonlySet<string> = new Set();
  #alone: string | undefined;
  #isOneByOne = false;
  /** Found before, and not taken since: no need to find them again. */
  readonly #known = new Set<string>();
  /** Largest message that was taken on this connection. */
  #took = 0;
  #limit: { readonly bytes: number; readonly until: number; readonly key: string } = noLimit;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Is one message at a time all that may be on its way? */
  get isOneByOne(): boolean {
    return this.#isOneByOne;
  }
  /** Is this one of those that may break the connection, or do? */
  isSuspect(key: string): boolean {
    return this.#isOneByOne || this.#known.has(key);
  }
  /** Larger messages seem to break the connection: a guess, which is made anew from time to time. */
  get maxBytes(): number {
    return this.#clock.mono() < this.#limit.until ? this.#limit.bytes : Infinity;
  }

  taken({ subject: { key }, bytes }: OnItsWay): void {
    this.#took = Math.max(this.#took, bytes);
    this.#known.delete(key);
    if (this.#suspects.size === 0) return;
    const rest = [...this.#suspects].filter((suspect) => suspect !== key);
    this.#suspects = new Set(rest);
    if (rest.length > 0) return;
    this.#alone = undefined;
    this.#isOneByOne = false;
  }

  /** The connection broke. `unacknowledged`: what was on its way, in its order. */
  broken(unacknowledged: readonly M[]): Culprit<M> | undefined {
    const found = this.#found(unacknowledged);
    const took = this.#took;
    this.#took = 0;
    if (!found) return undefined;
    this.#known.add(found.subject.key);
    // It is found: the others go as before.
    this.#suspects = new Set();
    this.#alone = undefined;
    this.#isOneByOne = false;
    return { message: found, isSize: this.#shrink(found, took) };
  }

  #found(unacknowledged: readonly M[]): M | undefined {
    const known = unacknowledged.find(({ subject: { key } }) => this.#known.has(key));
    if (known) return known;
    const before = this.#suspects;
    const keys = new Set(unacknowledged.map(({ subject: { key } }) => key));
    this.#suspects = keys;
    const [only] = unacknowledged;
    if (this.#isOneByOne && only) {
      const isAgain = this.#alone === only.subject.key;
      this.#alone = isAgain ? undefined : only.subject.key;
      return isAgain ? only : undefined;
    }
    this.#alone = undefined;
    this.#isOneByOne = [...keys].some((key) => before.has(key));
    return undefined;
  }

  /** @returns may it be the size? Then smaller ones are tried. What is small, or no larger than what was taken, is not it. */
  #shrink({ bytes, subject: { key } }: OnItsWay, took: number): boolean {
    const isSize = bytes > took && bytes > limits.breakBytes;
    if (isSize) {
      const until = this.#clock.mono() + limits.breakForgetMs;
      this.#limit = { bytes: Math.max(took, bytes >> 1, limits.breakBytes), until, key };
      // What is refused when it is small was not refused for its size.
    } else if (this.#limit.key === key) this.#limit = noLimit;
    return isSize;
  }
}
