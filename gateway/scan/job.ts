import type { DurationMs, MonoMs, TagBinding } from '../contract/index.js';
import { mono } from '../contract/index.js';
import type { DeviceState } from './device.js';
import { limits } from '../limits.js';
import type { LinkGroup } from './group.js';

/** One device in one scan class: what is read together, in order, once a period. */
export class ScanJob {
  readonly device: DeviceState;
  readonly scanClass: string;
  readonly period: DurationMs;
  readonly tags: readonly TagBinding<unknown>[];
  groups: readonly LinkGroup[] = [];
  /** Tags that the device refuses, left out of the groups until `retryAt`. */
  refused: readonly TagBinding<unknown>[] = [];
  /** Tags before which the device refuses to be read on, by their position in the link. */
  readonly breaks: Set<number> = new Set();
  /** Refused tags and breaks when the groups were made. */
  plannedWith = 0;
  retryAt: MonoMs = mono(Infinity);
  /** How long it waits when nothing at all of it can be read, ms. */
  emptyWait: number = limits.probeFirstMs;
  /** The next slot. */
  due: MonoMs = mono(0);
  /** Under way: position of the next group to read; undefined = idle. */
  next: number | undefined;
  /** Groups on the wire. */
  inFlight = 0;
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

  /** Begins a scan to see whether the device answers again. @returns true when it began */
  probe(now: MonoMs): boolean {
    if (this.active || this.groups.length === 0 || !this.device.mayProbe(now)) return false;
    this.device.probe(now);
    this.#begin(now);
    return true;
  }

  #begin(now: MonoMs): void {
    this.next = 0;
    this.startedAt = now;
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
