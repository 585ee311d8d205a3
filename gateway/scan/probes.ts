import type { MonoMs } from '../contract/index.js';
import { mono } from '../contract/index.js';
import { limits } from '../limits.js';

/** What the budget must know of a device. */
export interface Probed {
  readonly demoted: boolean;
  readonly probing: boolean;
  readonly probeAt: MonoMs;
  readonly probedAt: MonoMs;
}

/**
 * Time on a link that devices which do not answer may cost those that do: each wasted millisecond is
 * followed by so many without a probe that `limits.probeShare` holds in the long run. Nothing is saved
 * up, and where no device answers there is nobody to spare.
 */
export class ProbeBudget {
  readonly #devices: () => readonly Probed[];
  #freeAt: MonoMs = mono(0);

  constructor(devices: () => readonly Probed[]) {
    this.#devices = devices;
  }

  spent(now: MonoMs, cost: number): void {
    const rest = cost * (1 / limits.probeShare - 1);
    const from = Math.max(now, this.#freeAt);
    this.#freeAt = mono(Math.min(from + rest, now + limits.probeMaxMs));
  }

  /** Before this no device is probed for the sake of those that answer. */
  freeAt(): MonoMs {
    return this.#isAnyWell() ? this.#freeAt : mono(0);
  }

  /** Is it the turn of this demoted device? One at a time, and those that have waited longest first. */
  mayProbe(device: Probed, now: MonoMs): boolean {
    const devices = this.#devices();
    if (now < this.freeAt() || devices.some(({ probing }) => probing)) return false;
    return devices.every(
      (other) => !other.demoted || now < other.probeAt || other.probedAt >= device.probedAt,
    );
  }

  #isAnyWell(): boolean {
    return this.#devices().some(({ demoted }) => !demoted);
  }
}
