import type { DriverEvent, MonoMs } from '../contract/index.js';
import { mono } from '../contract/index.js';
import { limits } from '../limits.js';
import { TimeHistogram } from './histogram.js';
import { Notices } from './notices.js';
import type { ProbeBudget } from './probes.js';

/** Answers after which the times of a device are known well enough to shorten its probes. */
const knownAnswers = 20;

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
  /** When it was probed last. */
  probedAt: MonoMs = mono(0);
  /** Connections in a row, up to the last one, in which it has answered nothing. */
  silentOpens = -1;
  #hasAnswered = false;
  /** Probes since it was demoted. */
  probesInARow = 0;
  #probing = false;
  #probeWait: number = limits.probeFirstMs;
  lastOkAt: MonoMs | undefined;
  lastError: string | undefined;
  /** From request to answer. */
  readonly times: TimeHistogram = new TimeHistogram();
  readonly stats = {
    reads: 0,
    timeouts: 0,
    refused: 0,
    silent: 0,
    probes: 0,
    corrupt: 0,
    exception: 0,
    late: 0,
    lost: 0,
    odd: 0,
    foreign: 0,
  };
  readonly notices: Notices = new Notices();
  /** By full name: why it does not serve a tag, in its own words. */
  readonly #refusals = new Map<string, string>();
  readonly #budget: ProbeBudget;

  constructor(name: string, budget: ProbeBudget) {
    this.name = name;
    this.#budget = budget;
  }

  /** Is it the time, and the turn, of this demoted device to be probed? */
  mayProbe(now: MonoMs): boolean {
    return this.demoted && now >= this.probeAt && this.#budget.mayProbe(this, now);
  }

  /** When it may be probed at the earliest, as far as is known now. */
  probeDue(): MonoMs {
    return this.#probing ? mono(Infinity) : mono(Math.max(this.probeAt, this.#budget.freeAt()));
  }

  get probing(): boolean {
    return this.#probing;
  }

  /** A probe begins. */
  probe(now: MonoMs): void {
    this.#probing = true;
    this.probedAt = now;
    this.stats.probes++;
    this.probesInARow++;
  }

  count(event: DriverEvent, times = 1): void {
    this.stats[event] += times;
  }

  /** Keeps why the device does not serve a tag. */
  refuse(tag: string, why: string | undefined): void {
    if (why === undefined) this.#refusals.delete(tag);
    else if (this.#refusals.has(tag) || this.#refusals.size < limits.refusals)
      this.#refusals.set(tag, why);
  }
  refusalOf(tag: string): string | undefined {
    return this.#refusals.get(tag);
  }

  /** A device that used to answer fast need not be waited for as long as it may take at most. */
  timeoutOf(usual: number): number {
    if (!this.demoted || this.times.total < knownAnswers) return usual;
    return Math.min(usual, Math.max(limits.probeWaitMs, this.times.max * 3));
  }

  /** @returns true when the device has come back. */
  succeeded(now: MonoMs): boolean {
    const cameBack = this.failures > 0;
    this.failures = 0;
    this.demoted = false;
    this.probesInARow = 0;
    this.#probing = false;
    this.#probeWait = limits.probeFirstMs;
    this.lastOkAt = now;
    this.#hasAnswered = true;
    this.lastError = undefined;
    this.stats.reads++;
    return cameBack;
  }

  /** It told something by itself. @returns true when that is news: it answers again, or for the first time */
  told(now: MonoMs): boolean {
    const isFirst = this.lastOkAt === undefined;
    return this.succeeded(now) || isFirst;
  }

  /**
   * @param cost how long the line was held for nothing, ms
   * @returns true when this failure is the first in a row
   */
  failed(now: MonoMs, error: string, cost: number): boolean {
    this.failures++;
    this.lastError = error;
    this.#budget.spent(now, cost);
    this.#probing = false;
    if (this.failures >= limits.demoteAfter) {
      if (this.demoted) this.#probeWait = Math.min(limits.probeMaxMs, this.#probeWait * 2);
      this.demoted = true;
      this.probeAt = mono(now + this.#probeWait);
    }
    return this.failures === 1;
  }

  /** The link is new: no grudge is kept. */
  reset(): void {
    this.silentOpens = this.#hasAnswered ? 0 : this.silentOpens + 1;
    this.#hasAnswered = false;
    this.failures = 0;
    this.demoted = false;
    this.probesInARow = 0;
    this.#probing = false;
    this.#probeWait = limits.probeFirstMs;
  }
}
