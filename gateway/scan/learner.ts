import type { LinkDriver } from '../config/model.js';
import type { Clock, Log, MonoMs, TagBinding } from '../contract/index.js';
import { mono } from '../contract/index.js';
import { limits } from '../limits.js';
import { LinkGroup } from './group.js';
import type { ScanJob } from './job.js';
import { isolate, learn, plan } from './split.js';

export interface LearnerOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly module: LinkDriver;
  readonly config: unknown;
  /** Image position of each binding of the link. */
  tagIndex: () => Int32Array;
}

/** A device that has answered something within so many periods is there. */
const lively = 3;

/**
 * Finds out what of a device cannot be read: which address it refuses, or does not answer to, and between which two it
 * cannot be read at once. What was learned rests for seconds, and longer each time that it is confirmed.
 */
export class Learner {
  readonly #o: LearnerOptions;
  /** Extra reads in the scan under way. */
  #splitReads = 0;

  constructor(options: LearnerOptions) {
    this.#o = options;
  }

  /** The link is up: what was found out stays, and so it does that it is tried again, whatever the end of the link cut short. */
  connected(job: ScanJob, now: MonoMs): void {
    this.#replan(job);
    rest(job, now);
  }

  /** Groups its tags anew, without what is refused. */
  #replan(job: ScanJob): void {
    const hasBeenRead = isAllRead(job);
    job.isParted = false;
    const groups = plan(this.#o, job.tags, job.refused, job.breaks);
    const index = this.#o.tagIndex();
    job.groups = groups.map((read) =>
      Object.assign(new LinkGroup(read, job.device, index), { hasBeenRead }),
    );
  }

  /** The group was read. */
  read(job: ScanJob, group: LinkGroup): void {
    const [tag] = group.read.tags;
    const { trialOf } = group;
    if (trialOf !== undefined) {
      job.breaks.delete(trialOf);
      job.muteBreaks.delete(trialOf);
      // The others are likely to be over, too.
      job.rested();
    } else if (group.isSuspect && tag && job.isRefused(tag.tag)) {
      this.#o.log.info('a tag that was refused can be read again', { tag: tag.name });
      job.allow(tag.tag);
      job.rested();
    }
    if (!learn(job, group, true)) return;
    this.#o.log.info('the device refuses to be read across a gap', { before: group.read.label });
    job.isParted = true;
  }

  /**
   * The device refuses the group: perhaps for one address in it. It is halved until the culprit stands alone.
   * @returns whether it ends with this group: there is nothing left to halve
   */
  refused(job: ScanJob, group: LinkGroup): boolean {
    job.isWell = false;
    if (this.#splitReads >= limits.splitReads || group.trialOf !== undefined) return true;
    this.#splitReads++;
    learn(job, group, false);
    const culprit = isolate(this.#o, job, group);
    if (!culprit) return false;
    this.#blame(job, group, culprit, 'the device refuses an address');
    return true;
  }

  /** Is it what was asked, and not the device, that brings no answer? The device has answered others since. */
  isLocal(job: ScanJob, group: LinkGroup, now: MonoMs): boolean {
    const { lastOkAt } = group.device;
    const since = (group.silentSince ??= now);
    if (lastOkAt === undefined) return false;
    if (group.isSuspect || job.isHalvedBySilence) return now - lastOkAt <= lively * job.period;
    return lastOkAt > since;
  }

  /** Silence is halved as a refusal is, but one read a scan: each costs the line a time-out. */
  notAnswered(job: ScanJob, group: LinkGroup): void {
    job.isWell = false;
    if (group.trialOf !== undefined) {
      job.leaveSuspects();
      return;
    }
    job.isHalvedBySilence = true;
    group.isSuspect = true;
    learn(job, group, false);
    const culprit = isolate(this.#o, job, group);
    if (culprit) this.#blame(job, group, culprit, 'the device does not answer to an address');
    job.leaveSuspects();
  }

  /** What could be read before may be refused in passing: it takes more than one no to be left out. */
  #blame(job: ScanJob, group: LinkGroup, culprit: TagBinding<unknown>, what: string): void {
    if (job.isRefused(culprit.tag)) return;
    if (group.hasBeenRead && !group.isSuspect && job.strike(culprit.name)) return;
    const fields = { tag: culprit.name, group: group.read.label };
    this.#o.log.warn(`${what}; the tag is bad until it does not`, fields);
    job.refuse(culprit, group.isSuspect);
  }

  /** The scan is over: it has shown what can be read, and what rests until it is tried again. */
  ended(job: ScanJob, now: MonoMs): void {
    this.#splitReads = 0;
    if (job.isFeeling) {
      // One tag alone is answered, and all together were not: it is about what is asked.
      job.isHalvedBySilence = job.isWell;
      job.isFeeling = false;
    } else if (job.isWell) {
      job.pardon();
      job.isParted ||= job.isHalvedBySilence;
      job.isHalvedBySilence = false;
    }
    if (job.isParted) this.#replan(job);
    rest(job, now);
  }

  /**
   * What was refused is asked once more, each tag alone, so that no other suffers for it; where nothing at all could be
   * read, everything. What is not answered ends the scan: the next time others come first.
   */
  retry(job: ScanJob): void {
    if (job.groups.length === 0) job.refused = [];
    for (const boundary of job.breaks)
      if (!job.muteBreaks.has(boundary)) job.breaks.delete(boundary);
    this.#replan(job);
    // What was refused before needs no second no.
    for (const group of job.groups) group.hasBeenRead = false;
    job.retryAt = mono(Infinity);
    job.isParted = true;
    const [first, ...rest] = job.refused;
    if (first) job.refused = [...rest, first];
    const again = job.refused.slice(0, limits.splitReads).flatMap((tag) => this.#alone(job, tag));
    const trials = this.#trial(job);
    const isTrialFirst = job.turn % 2 === 1;
    job.groups = [
      ...job.groups,
      ...(isTrialFirst ? trials : again),
      ...(isTrialFirst ? again : trials),
    ];
  }

  /** One of the places at which it did not answer, read across as before. */
  #trial(job: ScanJob): readonly LinkGroup[] {
    const { size } = job.muteBreaks;
    if (size === 0) return [];
    const trialOf = [...job.muteBreaks][job.turn++ % size] as number;
    const breaks = new Set([...job.breaks].filter((one) => one !== trialOf));
    const index = this.#o.tagIndex();
    return plan(this.#o, job.tags, job.refused, breaks)
      .filter(({ tags }) => tags.some(({ tag }) => tag === trialOf))
      .map((read) =>
        Object.assign(new LinkGroup(read, job.device, index), { isSuspect: true, trialOf }),
      );
  }

  /** Nothing was answered on the connection before: perhaps for what was asked. This one begins with one tag alone. */
  feel(job: ScanJob): void {
    const feeler = this.#feeler(job);
    if (feeler) job.feel(feeler);
  }

  /** For a probe, after the first one, one tag alone: perhaps it is only what was asked that brings no answer. */
  feelerOf(job: ScanJob): LinkGroup | undefined {
    return job.device.probesInARow === 0 ? undefined : this.#feeler(job);
  }

  #feeler(job: ScanJob): LinkGroup | undefined {
    const tags = job.tags.filter(({ tag }) => !job.isRefused(tag));
    if (tags.length < 2) return undefined;
    const tag = tags[job.turn++ % tags.length];
    const [feeler] = tag ? this.#alone(job, tag) : [];
    return feeler;
  }

  #alone(job: ScanJob, tag: TagBinding<unknown>): readonly LinkGroup[] {
    const { module, config } = this.#o;
    const index = this.#o.tagIndex();
    return module
      .plan(config, [tag], [])
      .map((read) => Object.assign(new LinkGroup(read, job.device, index), { isSuspect: true }));
  }
}

/** What is left out is tried again some time: nothing else would ask for it. */
function rest(job: ScanJob, now: MonoMs): void {
  if (job.learned === 0) job.rested();
  else if (job.restsTooLong(now)) job.rest(now);
}

/** Could all of it be read the last time? */
function isAllRead({ groups, tags, refused }: ScanJob): boolean {
  let count = 0;
  for (const group of groups) {
    if (!group.hasBeenRead) return false;
    count += group.read.tags.length;
  }
  return count > 0 && count >= tags.length - refused.length;
}
