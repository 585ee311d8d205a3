import { limits } from '../limits.js';

/**
 * Finds out how many requests at once a device takes: twice as many after each run of answers without a
 * time-out, back to what was good, for good, when one comes while more are tried.
 */
export class Ramp {
  readonly #most: number;
  #width: number;
  #proven: number;
  #answers = 0;
  #settled: boolean;

  constructor(inFlight: number, ramps: boolean) {
    this.#most = inFlight;
    this.#width = ramps ? 1 : inFlight;
    this.#proven = this.#width;
    this.#settled = !ramps;
  }

  /** Requests at once, now. */
  get width(): number {
    return this.#width;
  }

  /** A request was answered. @returns true when the width has changed */
  answered(): boolean {
    if (this.#settled || ++this.#answers < limits.rampAfter) return false;
    this.#answers = 0;
    this.#proven = this.#width;
    this.#settled = this.#width === this.#most;
    this.#width = Math.min(this.#most, this.#width * 2);
    return this.#width !== this.#proven;
  }

  /** A request was not answered, or the link broke. @returns true when more than proven was being tried */
  failed(): boolean {
    this.#answers = 0;
    if (this.#settled || this.#width === this.#proven) return false;
    this.#width = this.#proven;
    this.#settled = true;
    return true;
  }
}
