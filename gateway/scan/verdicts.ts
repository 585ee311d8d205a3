import { Quality, type Clock, type MonoMs } from '../contract/index.js';
import type { DeviceState } from './device.js';
import { indicesOf, type LinkGroup } from './group.js';
import type { Inbox } from './inbox.js';
import type { ScanJob } from './job.js';
import type { Learner } from './learner.js';

export interface VerdictsOptions {
  readonly clock: Clock;
  readonly inbox: Inbox;
  readonly jobs: readonly ScanJob[];
  readonly learner: Learner;
  /** Image position of each binding of the link. */
  readonly tagIndex: () => Int32Array;
  /** A device answers again, or for the first time does not. */
  readonly onDevice: (device: DeviceState) => void;
  /** A device that does not answer is probed from now on. */
  readonly onDemoted: () => void;
  /** Reads it as soon as possible, beside its slots. */
  readonly askSoon: (group: LinkGroup) => void;
}

/** A read, and for which scan it was; undefined: for none. */
interface Read {
  readonly group: LinkGroup;
  readonly job: ScanJob | undefined;
}

/** What an answer, or none, means for tags, devices and the scans to come. */
export class Verdicts {
  readonly #o: VerdictsOptions;
  refusals = 0;

  constructor(options: VerdictsOptions) {
    this.#o = options;
  }

  good({ group, job }: Read, now: MonoMs): void {
    this.#answers(group.device, now);
    group.batch.mustDecode = false;
    group.isAgain = false;
    group.silentSince = undefined;
    group.hasBeenRead = true;
    if (job) this.#o.learner.read(job, group);
    this.#o.inbox.readings(group, job?.scanClass ?? '');
  }

  /** It answers, and not for certain this: values stay until the next scan. Asked at once, more would be uncertain. */
  unsure(group: LinkGroup, now: MonoMs): void {
    group.batch.mustDecode = true;
    group.isAgain = true;
    this.#answers(group.device, now);
  }

  /** It has no time now: asked once more after what else there is to ask; never a write. */
  busy({ group, job }: Read, now: MonoMs): void {
    group.device.stats.refused++;
    group.batch.mustDecode = true;
    this.#answers(group.device, now);
    group.isAgain = !group.isAgain;
    if (group.isAgain) this.#o.askSoon(group);
    else this.#o.inbox.readings(group, job?.scanClass ?? '');
  }

  refused({ group, job }: Read, now: MonoMs): void {
    this.refusals++;
    group.device.stats.refused++;
    // The image will not hold what was read before: the same bytes are news then.
    group.batch.mustDecode = true;
    this.#answers(group.device, now);
    const isOver = !job || this.#o.learner.refused(job, group);
    if (isOver && group.trialOf === undefined) this.#o.inbox.readings(group, job?.scanClass ?? '');
  }

  /** @param cost how long the line waited for it, ms */
  noAnswer(
    { group, job }: Read,
    now: MonoMs,
    { error, cost }: { readonly error: string; readonly cost: number },
  ): void {
    group.isAgain = false;
    if (job && this.#o.learner.isLocal(job, group, now)) {
      if (group.trialOf === undefined) this.#markBad([group]);
      this.#o.learner.notAnswered(job, group);
      return;
    }
    if (job) job.isWell = false;
    this.#markBad([group, ...(job?.giveUp() ?? [])]);
    this.silent(group.device, now, error, cost);
  }

  /** A device did not answer a read, or a write. */
  silent(device: DeviceState, now: MonoMs, error: string, cost: number): void {
    const first = device.failed(now, error, cost);
    if (device.demoted) {
      for (const other of this.#o.jobs)
        if (other.device === device) this.markAll(other, Quality.timeout);
      this.#o.onDemoted();
    }
    if (first) this.#o.onDevice(device);
  }

  /** All tags of a scan. Also what is in no group: before the first connection nothing is. */
  markAll(job: ScanJob, quality: number): void {
    for (const group of job.groups) group.batch.mustDecode = true;
    const indices = indicesOf(job.tags, this.#o.tagIndex());
    this.#o.inbox.bad(indices, quality, this.#o.clock.mono(), job.device.name, '');
  }

  #answers(device: DeviceState, now: MonoMs): void {
    const wasDemoted = device.demoted;
    if (device.succeeded(now)) this.#o.onDevice(device);
    if (!wasDemoted) return;
    // It is back: what is read once in ten minutes need not stay bad for as long.
    for (const job of this.#o.jobs)
      if (job.device === device && job.begin(now)) this.#o.inbox.scanBegan();
  }

  #markBad(groups: readonly LinkGroup[]): void {
    const now = this.#o.clock.mono();
    for (const group of groups) {
      group.batch.mustDecode = true;
      this.#o.inbox.bad(group.indices, Quality.timeout, now, group.read.device, '');
    }
  }
}
