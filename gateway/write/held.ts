import type { MonoMs, Value, WriteIntent } from '../contract/index.js';
import { mono } from '../contract/index.js';
import type { TagInfo } from '../tags/table.js';

/** What became of an output that a rule holds; told once for each change of result. */
export interface HeldReport {
  readonly tag: string;
  readonly value: Value;
  readonly rule: string;
  /** `done`, or the reason why not. */
  readonly result: string;
}

/** An output that a rule holds at a value, from the demand until it is lifted. */
export class HeldOutput {
  /** Its place in the image, which a reload may move. */
  tag: TagInfo;
  intent: WriteIntent;
  state: 'due' | 'sending' | 'done' | 'failed' = 'due';
  /** When the device acknowledged it last. */
  doneAt: MonoMs = mono(0);
  retryAt: MonoMs = mono(Infinity);
  #told: boolean | undefined;

  constructor(tag: TagInfo, intent: WriteIntent) {
    this.tag = tag;
    this.intent = intent;
  }

  /** Must it be sent (again)? @param astray the device was seen to hold something else since */
  wants(now: MonoMs, astray: boolean): boolean {
    if (this.state === 'due') return true;
    if (this.state === 'failed') return now >= this.retryAt;
    return this.state === 'done' && astray;
  }

  sending(): void {
    this.state = 'sending';
    this.retryAt = mono(Infinity);
  }

  /** @returns true when the result is news */
  ended(well: boolean, retryAt: MonoMs): boolean {
    this.state = well ? 'done' : 'failed';
    this.retryAt = well ? mono(Infinity) : retryAt;
    const news = this.#told !== well;
    this.#told = well;
    return news;
  }
}
