import {
  GatewayError,
  asGatewayError,
  invariant,
  type Clock,
  type MonoMs,
} from '../contract/index.js';
import { limits } from '../limits.js';
import { Ages } from './ages.js';
import type { Change, Found, Room, SegmentInfo, Store } from './store.js';

/** Is the file where it was; or why can it not be there again? */
export type Look = 'there' | 'renewed' | GatewayError;

/**
 * The store as the journal sees it: which segments are there, one call at a time, and a disk that may be away: not
 * there at the start, and found later.
 */
export class Disk {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #ages: Ages;
  #segments: SegmentInfo[] = [];
  #isUp = false;
  /** When it is worth another try. */
  #againAt = 0;
  #readAgainAt = 0;
  #lookAt: number;
  #looked: Exclude<Look, 'renewed'> = 'there';
  #renewWait: number = limits.diskAgainMs;
  /** Ends when the store is free. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    this.#ages = new Ages(clock);
    this.#lookAt = clock.mono() + limits.journalLookMs;
  }

  get isUp(): boolean {
    return this.#isUp;
  }
  /** In order of position. */
  get segments(): readonly SegmentInfo[] {
    return this.#segments;
  }
  ageOf(id: number): number {
    return this.#ages.of(id);
  }
  /** May it be tried now? A disk that hangs or fails is not asked all the time. */
  get isDue(): boolean {
    return this.#clock.mono() >= this.#againAt;
  }
  /** When to look after it, whatever there is to write. */
  get lookAt(): MonoMs {
    return (this.#isUp ? this.#lookAt : this.#againAt) as MonoMs;
  }

  /** What is on it. Rejects where it cannot be had; {@link isDue} says when to try again. */
  async open(): Promise<Found> {
    const found = await this.#alone(() => this.#store.open()).finally(() => {
      this.#againAt = this.#clock.mono() + limits.diskAgainMs;
    });
    this.#segments = [...found.segments].sort((a, b) => a.first - b.first);
    for (const segment of this.#segments) this.#ages.found(segment);
    this.#isUp = true;
    return found;
  }

  /** It is not what this boot can go on with. */
  async leave(): Promise<void> {
    this.#isUp = false;
    this.#segments = [];
    await this.close();
  }

  async commit(change: Change): Promise<void> {
    const ids = await this.#alone(() => this.#store.commit(change));
    const removed = new Set(change.remove);
    this.#segments = this.#segments.filter((segment) => !removed.has(segment.id));
    for (const id of removed) this.#ages.removed(id);
    change.segments.forEach((segment, i) => {
      const id = ids[i];
      invariant(id !== undefined, 'a segment without an id');
      const { first, last, time, data } = segment;
      this.#ages.made(id);
      this.#segments.push({ id, class: segment.class, first, last, time, bytes: data.length });
    });
    this.#segments.sort((a, b) => a.first - b.first);
  }

  /** Whoever waits for history asks again and again: a disk that fails is not asked by each of them. */
  async read(id: number): Promise<Uint8Array | undefined> {
    if (this.#clock.mono() < this.#readAgainAt)
      throw new GatewayError('journal-io', 'the disk did not answer a moment ago');
    try {
      return await this.#alone(() => this.#store.read(id));
    } catch (thrown) {
      this.#readAgainAt = this.#clock.mono() + limits.diskAgainMs;
      throw thrown;
    }
  }
  room(): Promise<Room> {
    return this.#alone(() => this.#store.room());
  }
  close(): Promise<void> {
    return this.#alone(() => this.#store.close());
  }

  /**
   * Looks now and then whether the file is still where it was: what is written into one that was deleted is gone with the
   * process. Where it is not, it is written anew.
   */
  async look(): Promise<Look> {
    const now = this.#clock.mono();
    if (now < this.#lookAt) return this.#looked;
    this.#lookAt = now + limits.journalLookMs;
    if (await this.#alone(() => this.#store.isThere())) return (this.#looked = 'there');
    try {
      await this.#alone(() => this.#store.renew());
      this.#looked = 'there';
      this.#renewWait = limits.diskAgainMs;
      return 'renewed';
    } catch (cause) {
      // Soon, but a copy that fails at its end takes its time: each wait is twice the one before.
      this.#renewWait = Math.min(2 * this.#renewWait, limits.journalLookMs);
      this.#lookAt = this.#clock.mono() + this.#renewWait;
      const { message: why } = asGatewayError(cause);
      const text = `the journal was deleted or replaced, and cannot be written anew: ${why}`;
      return (this.#looked = new GatewayError('journal-io', text, {}, cause));
    }
  }

  /** One call of the store at a time: a read in the middle of a commit would see half of it. */
  #alone<T>(call: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(call);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}
