import type { DurationMs, MonoMs, TagBinding } from '../contract/index.js';
import { mono } from '../contract/index.js';
import type { DeviceState } from './device.js';
import { limits } from '../limits.js';
import { longerRest } from './rest.js';
import type { LinkGroup } from './group.js';

/** One device in one scan class: what is read together, in order, once a period. */
export class ScanJob {
  readonly device: DeviceState;
  readonly scanClass: string;
  readonly period: DurationMs;
  readonly tags: readonly TagBinding<unknown>[];
  groups: readonly LinkGroup[] = [];
  /** Tags that the device refuses, or does not answer to, left out of the groups until `retryAt`. */
  refused: readonly TagBinding<unknown>[] = [];
  /** Tags before which the device refuses to be read on, by their position in the link. */
  readonly breaks: Set<number> = new Set();
  /** Of these, those at which it does not answer: each try costs the line a time-out. */
  readonly muteBreaks: Set<number> = new Set();
  retryAt: MonoMs = mono(Infinity);
  /** How long what is refused rests the next time, ms. */
  #rest: number | undefined;
  /** Of what is refused, those to which it does not answer. */
  readonly #mute = new Set<number>();
  /** How often in a row something was refused that could be read before. */
  #strikes = new Map<string, number>();
  /** Its groups are parts of those that were planned, or ask once more for what was refused: for one scan. */
  isParted = false;
  /** Something in it is never answered: what is not answered is halved, as what is refused. */
  isHalvedBySilence = false;
  /** The scan under way asks one tag alone, to see whether the device is there. */
  isFeeling = false;
  /** Whose turn it is to be asked alone: of its tags when the device is probed, of its breaks when they are tried again. */
  turn = 0;
  /** The next slot. */
  due: MonoMs = mono(0);
  /** Under way: position of the next group to read; undefined = idle. */
  next: number | undefined;
  /** Groups on the wire. */
  inFlight = 0;
  /** Nothing of the scan under way was refused or not answered so far. */
  isWell = true;
  /** When the scan under way began. */
  startedAt: MonoMs = mono(0);
  readonly stats = { scans: 0, overruns: 0, lastMs: 0, maxMs: 0 };

  constructor(
    device: DeviceState,
    scanClass: string,
    period: DurationMs,
    tags: readonly TagBinding<unknown>[],
  ) {
    this.device = device;
    this.scanClass = scanClass;
    this.period = period;
    this.tags = tags;
  }

  get active(): boolean {
    return this.next !== undefined || this.inFlight > 0;
  }

  /** Is there a group that can be put on the wire? */
  get ready(): boolean {
    return this.next !== undefined && this.next < this.groups.length;
  }

  /**
   * The slot has come. A scan that is still under way is not interrupted: the slot is skipped and
   * counted, and there is no burst to catch up.
   * @returns true when a scan began
   */
  slot(now: MonoMs): boolean {
    const missed = Math.max(0, Math.floor((now - this.due) / this.period));
    this.due = mono(this.due + (missed + 1) * this.period);
    this.stats.overruns += missed;
    if (this.active) {
      this.stats.overruns++;
      return false;
    }
    return this.begin(now);
  }

  /** Begins a scan unless the device rests: that one is only probed. @returns true when it began */
  begin(now: MonoMs): boolean {
    if (this.device.demoted || this.active || this.groups.length === 0) return false;
    this.#begin(now);
    return true;
  }

  /** Begins a scan to see whether the device answers again: now with all, now with one tag alone. */
  probe(now: MonoMs, feeler: LinkGroup | undefined): void {
    if (feeler) this.feel(feeler);
    this.device.probe(now);
    this.#begin(now);
  }

  /** The next scan asks one tag alone, and nothing else. */
  feel(feeler: LinkGroup): void {
    this.groups = [feeler];
    this.isParted = true;
    this.isFeeling = true;
  }

  /** What is under suspicion stands at the end, and is left for the next scan. */
  leaveSuspects(): void {
    if (this.next !== undefined && this.groups[this.next]?.isSuspect === true)
      this.next = this.groups.length;
  }
  isRefused(tag: number): boolean {
    return this.refused.some((one) => one.tag === tag);
  }
  refuse(tag: TagBinding<unknown>, isMute: boolean): void {
    this.refused = [...this.refused, tag];
    if (isMute) this.#mute.add(tag.tag);
    this.isParted = true;
  }
  allow(tag: number): void {
    this.refused = this.refused.filter((one) => one.tag !== tag);
    this.#mute.delete(tag);
    this.isParted = true;
  }

  #begin(now: MonoMs): void {
    this.next = 0;
    this.isWell = true;
    this.startedAt = now;
  }

  /**
   * Notes one more refusal of what could be read before.
   * @returns whether it may still be a passing one
   */
  strike(what: string): boolean {
    const strikes = (this.#strikes.get(what) ?? 0) + 1;
    this.#strikes.set(what, strikes);
    return strikes < limits.refusalsInARow;
  }
  /** A scan in which nothing was refused: what was before has passed. */
  pardon(): void {
    if (this.#strikes.size > 0) this.#strikes = new Map();
  }

  /** What is refused rests, longer each time. */
  rest(now: MonoMs): void {
    this.#rest = longerRest(this.#rest, this.#longestRest);
    this.retryAt = mono(now + this.#rest);
  }
  /** Silence may be a bad line as well: asked as often as a device that is silent. */
  get #longestRest(): number {
    const isMute = this.muteBreaks.size > 0 || this.#mute.size > 0;
    return isMute ? limits.probeMaxMs : limits.refusedRetryMs;
  }
  restsTooLong(now: MonoMs): boolean {
    return this.retryAt - now > this.#longestRest;
  }
  /** Nothing is refused any more. */
  rested(): void {
    this.retryAt = mono(Infinity);
    this.#rest = undefined;
  }

  /** What has been found out about addresses that cannot be read. */
  get learned(): number {
    return this.refused.length + this.breaks.size;
  }

  /** Takes the next group off the list. */
  take(): LinkGroup | undefined {
    const group = this.next === undefined ? undefined : this.groups[this.next];
    if (group) {
      this.next = (this.next ?? 0) + 1;
      this.inFlight++;
    }
    return group;
  }

  /** One group is answered. @returns true when that ended the scan. */
  landed(now: MonoMs): boolean {
    this.inFlight--;
    if (this.next === undefined || this.next < this.groups.length || this.inFlight > 0)
      return false;
    this.next = undefined;
    this.stats.scans++;
    this.stats.lastMs = now - this.startedAt;
    this.stats.maxMs = Math.max(this.stats.maxMs, this.stats.lastMs);
    return true;
  }

  /** The device does not answer: do not ask it the rest. @returns the groups left out. */
  giveUp(): readonly LinkGroup[] {
    const rest = this.groups.slice(this.next ?? this.groups.length);
    if (this.next !== undefined) this.next = this.groups.length;
    return rest;
  }

  /** The link is gone; whatever was under way is void. */
  cancel(): void {
    this.next = undefined;
    this.inFlight = 0;
  }
}

/**
 * Spreads first slots over the period: devices of all links together never ask at the same instant.
 * @param position among `count` jobs of the same period
 */
export function phaseOf(position: number, count: number, period: number): number {
  return (period * position) / Math.max(1, count);
}

/**
 * Of the scans under way the one whose next slot comes first: a fast class passes a slow one. One in which something
 * was not answered or refused lets all others pass.
 */
export function nextOf(jobs: readonly ScanJob[]): ScanJob | undefined {
  let best: ScanJob | undefined;
  for (const job of jobs) if (job.ready && (!best || comesBefore(job, best))) best = job;
  return best;
}
function comesBefore(a: ScanJob, b: ScanJob): boolean {
  return a.isWell === b.isWell ? a.due < b.due : a.isWell;
}
