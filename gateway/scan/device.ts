import type { MonoMs } from '../contract/index.js';
import { mono } from '../contract/index.js';
import { limits } from '../limits.js';

/**
 * How one device of a link answers. After `limits.demoteAfter` failures in a row it is demoted: read
 * now and then as a probe, so that it costs its neighbours next to nothing.
 */
export class DeviceState {
  readonly name: string;
  failures = 0;
  demoted = false;
  /** When a demoted device is probed next. */
  probeAt: MonoMs = mono(0);
  #probeWait: number = limits.probeFirstMs;
  lastOkAt: MonoMs | undefined;
  lastError: string | undefined;
  readonly stats = { reads: 0, timeouts: 0, refused: 0, silent: 0 };

  constructor(name: string) {
    this.name = name;
  }

  /** May a scan of this device start now? A demoted one only for its probe. */
  mayScan(now: MonoMs): boolean {
    return !this.demoted || now >= this.probeAt;
  }

  /** @returns true when the device has come back. */
  succeeded(now: MonoMs): boolean {
    const cameBack = this.failures > 0;
    this.failures = 0;
    this.demoted = false;
    this.#probeWait = limits.probeFirstMs;
    this.lastOkAt = now;
    this.lastError = undefined;
    this.stats.reads++;
    return cameBack;
  }

  /** @returns true when this failure is the first in a row. */
  failed(now: MonoMs, error: string): boolean {
    this.failures++;
    this.lastError = error;
    if (this.failures >= limits.demoteAfter) {
      if (this.demoted) this.#probeWait = Math.min(limits.probeMaxMs, this.#probeWait * 2);
      this.demoted = true;
      this.probeAt = mono(now + this.#probeWait);
    }
    return this.failures === 1;
  }

  /** The link is new: no grudge is kept. */
  reset(): void {
    this.failures = 0;
    this.demoted = false;
    this.#probeWait = limits.probeFirstMs;
  }
}
