import type { MonoMs } from '../contract/index.js';
import { mono } from '../contract/index.js';
import { limits } from '../limits.js';

/**
 * Finds out how many requests at once a device takes. Twice as many are tried for as long as a time-out
 * takes at least: what is lost shows only then. When something is lost in a trial the width before it stands;
 * when requests are lost again and again later, it is halved.
 */
export class Ramp {
  readonly #most: number;
  readonly #ramps: boolean;
  readonly #timeout: number;
  #width: number;
  #proven: number;
  #settled: boolean;
  /** When the present width was begun, and when the last trial ended. */
  #since: MonoMs = mono(-Infinity);
  #endedAt: MonoMs = mono(-Infinity);
  /** Requests answered at the present width, and of them those sent while all others were taken. */
  #answers = 0;
  #full = 0;
  #losses = 0;

  /** @param timeout longest wait for an answer, ms */
  constructor(inFlight: number, ramps: boolean, timeout: number) {
    this.#most = inFlight;
    this.#ramps = ramps;
    this.#timeout = timeout;
    this.#width = ramps ? 1 : inFlight;
    this.#proven = this.#width;
    this.#settled = !ramps;
  }

  /** Requests at once, now. */
  get width(): number {
    return this.#width;
  }

  /** Does it matter to it what is answered? */
  get isTrying(): boolean {
    return this.#ramps;
  }

  /**
   * A request was answered.
   * @param busy requests on the wire when it came, itself among them
   * @returns true when the width has changed
   */
  answered(sentAt: MonoMs, now: MonoMs, busy: number): boolean {
    if (sentAt < this.#since) return false;
    if (++this.#answers % (5 * limits.rampAfter) === 0) this.#losses = 0;
    if (busy >= this.#width) this.#full++;
    const tried = now - this.#since >= this.#timeout && this.#full >= limits.rampAfter;
    if (this.#settled || !tried) return false;
    this.#settled = this.#width === this.#most;
    this.#proven = this.#width;
    return this.#go(Math.min(this.#most, this.#width * 2), now);
  }

  /**
   * A request was not answered.
   * @returns true when that is no fault of the device: more than it takes was being tried
   */
  lost(sentAt: MonoMs, now: MonoMs): boolean {
    if (sentAt < this.#endedAt) return true;
    if (this.#width > this.#proven) {
      this.#endedAt = now;
      this.#settled = true;
      this.#go(this.#proven, now);
      return true;
    }
    if (this.#ramps && this.#width > 1 && ++this.#losses >= limits.linkTimeouts) {
      this.#losses = 0;
      this.#proven = this.#width >> 1;
      this.#go(this.#proven, now);
    }
    return false;
  }

  /** The link broke: a trial that was under way may have been the reason. */
  broken(now: MonoMs): void {
    if (this.#width === this.#proven) return;
    this.#settled = true;
    this.#go(this.#proven, now);
  }

  #go(width: number, now: MonoMs): boolean {
    const changed = width !== this.#width;
    this.#width = width;
    this.#since = now;
    this.#answers = 0;
    this.#full = 0;
    return changed;
  }
}
