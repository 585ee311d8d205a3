import type { MonoMs, Value, WriteIntent } from '../contract/index.js';
import { mono } from '../contract/index.js';
import { limits } from '../limits.js';
import type { TagInfo } from '../tags/table.js';

/** What became of an output that a rule holds; told once for each change of result. */
export interface HeldReport {
  readonly tag: string;
  readonly value: Value;
  readonly rule: string;
  /** `done`, or the reason why not. */
  readonly result: string;
}

/** A write that came to nothing. */
interface Failure {
  readonly reason: string;
  /** Since the first one in a row. */
  readonly since: number;
  readonly isReached: boolean;
}
const usualPeriod = 1_000;

/** An output that a rule holds at a value, from the demand until it is lifted. */
export class HeldOutput {
  /** Its place in the image, which a reload may move. */
  tag: TagInfo;
  intent: WriteIntent;
  state: 'due' | 'sending' | 'done' | 'failed' = 'due';
  /** When the device acknowledged it last. */
  doneAt: MonoMs = mono(0);
  retryAt: MonoMs = mono(Infinity);
  /** The device could not be reached at the last try: it is sent again when it shows itself. */
  #unreached = false;
  #tries = 0;
  #told: boolean | undefined;
  #failure: Failure | undefined;

  /** `before`: the same output, held at another value until now, whose failures are news of this one, too. */
  constructor(tag: TagInfo, intent: WriteIntent, before?: HeldOutput) {
    this.tag = tag;
    this.intent = intent;
    this.#told = before?.told ?? intent.quiet;
    this.#failure = before?.failure;
  }

  get told(): boolean | undefined {
    return this.#told;
  }
  get failure(): Failure | undefined {
    return this.#failure;
  }

  /** It was written before this process began, once and for good. */
  wasSent(): void {
    this.state = 'done';
    this.#told = true;
  }

  /** Why it is not obeyed; undefined: it is, or that is not known yet. An unreachable device has one period's grace. */
  disobedience(now: MonoMs): string | undefined {
    if (!this.#failure) return undefined;
    const { reason, since, isReached } = this.#failure;
    return isReached || now >= since + this.#grace ? reason : undefined;
  }
  /** When that becomes known, monotonic ms. */
  get knownAt(): number {
    return this.#failure && !this.#failure.isReached ? this.#failure.since + this.#grace : Infinity;
  }
  get #grace(): number {
    return this.tag.period ?? usualPeriod;
  }

  /** Must it be sent (again)? @param astray the device was seen to hold something else since the last try */
  wants(now: MonoMs, astray: boolean): boolean {
    if (this.state === 'due') return true;
    if (this.state === 'failed') return now >= this.retryAt || (this.#unreached && astray);
    return this.state === 'done' && astray;
  }

  /** The plant did not follow: it is to be written once more, whatever the device says. */
  again(): void {
    if (this.state !== 'sending') this.state = 'due';
  }

  sending(): void {
    this.state = 'sending';
    this.retryAt = mono(Infinity);
  }

  /**
   * The device did it, or not. One that cannot be reached is tried ever more rarely: each try holds its line.
   * @param wait before the next try, ms
   * @param reason why not
   * @returns true when the result is news
   */
  ended(
    outcome: 'well' | 'refused' | 'unreached',
    now: MonoMs,
    wait: number,
    reason: string,
  ): boolean {
    const well = outcome === 'well';
    const since = this.#failure?.since ?? now;
    this.#failure = well ? undefined : { reason, since, isReached: outcome === 'refused' };
    this.state = well ? 'done' : 'failed';
    this.#unreached = outcome === 'unreached';
    this.#tries = this.#unreached ? this.#tries + 1 : 0;
    const longer = Math.min(limits.heldRetryMs, wait * 2 ** Math.max(0, this.#tries - 1));
    this.retryAt = well ? mono(Infinity) : mono(now + Math.max(wait, longer));
    const news = this.#told !== well;
    this.#told = well;
    return news;
  }
}
