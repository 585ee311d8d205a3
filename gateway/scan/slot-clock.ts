import { mono, type Clock, type MonoMs, type Timer } from '../contract/index.js';
import { limits } from '../limits.js';
import type { DeviceState } from './device.js';
import type { Inbox } from './inbox.js';
import type { ScanJob } from './job.js';
import type { Learner } from './learner.js';

export interface SlotClockOptions {
  readonly clock: Clock;
  readonly jobs: readonly ScanJob[];
  readonly devices: readonly DeviceState[];
  readonly learner: Learner;
  readonly inbox: Pick<Inbox, 'scanBegan'>;
  /** Scans or probes have begun: there may be something to ask. */
  readonly onBegun: () => void;
}

/** When scans and probes begin: one timer for the next of all of them. */
export class SlotClock {
  readonly #o: SlotClockOptions;
  #timer: Timer | undefined;

  constructor(options: SlotClockOptions) {
    this.#o = options;
  }

  /** Sets the timer anew: what is due first may have changed. */
  arm(): void {
    let due = Infinity;
    for (const job of this.#o.jobs) due = Math.min(due, job.due);
    due = Math.min(due, this.#probeDue());
    this.stop();
    if (due < Infinity) this.#timer = this.#o.clock.at(mono(due), this.#slots);
  }

  stop(): void {
    this.#timer?.cancel();
  }

  readonly #slots = (): void => {
    const now = this.#o.clock.mono();
    for (const job of this.#o.jobs) {
      if (job.due > now) continue;
      if (now >= job.retryAt && !job.active) this.#o.learner.retry(job);
      if (job.slot(now)) this.#o.inbox.scanBegan();
    }
    this.#probe(now);
    this.#o.onBegun();
    this.arm();
  };

  /** Asks a demoted device whether it is back, by what it is asked most often. */
  #probe(now: MonoMs): void {
    for (const device of this.#o.devices) {
      if (!device.mayProbe(now)) continue;
      const [job] = this.#o.jobs
        .filter((one) => one.device === device && one.groups.length > 0)
        .sort((a, b) => a.period - b.period);
      if (!job || job.active) continue;
      job.probe(now, this.#o.learner.feelerOf(job));
      this.#o.inbox.scanBegan();
    }
  }

  /** When the next probe can begin; never at once, as the scan that ends may still be under way. */
  #probeDue(): number {
    const demoted = this.#o.devices.filter((device) => device.demoted);
    // The end of a probe sets the timer anew.
    if (demoted.some(({ probing }) => probing)) return Infinity;
    const due = Math.min(...demoted.map((device) => device.probeDue()));
    return Math.max(due, this.#o.clock.mono() + limits.tickGapMs);
  }
}
