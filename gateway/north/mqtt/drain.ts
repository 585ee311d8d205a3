import type { Clock } from '../../contract/index.js';
import { limits } from '../../limits.js';
import { TokenBucket } from './token-bucket.js';

/**
 * How much of the history may be on its way at once. It grows with each acknowledgement, and is halved when messages take
 * noticeably longer than the quickest ones of the last minute: then the queue is of our own making, wherever it is, in the
 * broker, on the line or in this process. So the history takes what live data leave over.
 */
export class Drain {
  readonly #clock: Clock;
  readonly #rate: TokenBucket;
  #window: number = limits.historyFirstWindow;
  #isFirstRise = true;
  /** The quickest acknowledgement of this minute and of the one before, ms. */
  #quickest = Infinity;
  #quickestBefore = Infinity;
  #minuteFrom = 0;
  /** What was sent before the window was halved says nothing of the new one. */
  #judgeFrom = 0;

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock;
    this.#rate = new TokenBucket(clock, perSecond);
  }

  /** Messages of the history that may be on their way. */
  get window(): number {
    return Math.floor(this.#window);
  }

  /** @returns may one more go now, as far as the rate is concerned? */
  take(): boolean {
    return this.#rate.take();
  }
  /** Until {@link take}, ms. */
  wait(): number {
    return this.#rate.wait();
  }

  /** A message was acknowledged. `wasFull`: the window was used. */
  acknowledged(sentAt: number, ofHistory: boolean, wasFull: boolean): void {
    const now = this.#clock.mono();
    const took = now - sentAt;
    if (now - this.#minuteFrom > minuteMs) {
      this.#quickestBefore = this.#quickest;
      this.#quickest = Infinity;
      this.#minuteFrom = now;
    }
    this.#quickest = Math.min(this.#quickest, took);
    if (took > Math.min(this.#quickest, this.#quickestBefore) + limits.historyDelayMs) {
      if (sentAt < this.#judgeFrom) return;
      this.#window = Math.max(1, this.#window / 2);
      this.#judgeFrom = now;
      this.#isFirstRise = false;
    } else if (ofHistory && wasFull) {
      // Twice as much with each round at first, then one more.
      const more = this.#isFirstRise ? 1 : 1 / this.#window;
      this.#window = Math.min(this.#window + more, limits.historyMaxWindow);
    }
  }
}

const minuteMs = 60_000;
