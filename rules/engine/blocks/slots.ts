import { isGood, isSound, Quality } from '../../../gateway/contract/index.js';

/** Values and qualities of all nodes of a program, and the time of the scan. */
export interface Slots {
  /** Numbers; 0 or 1 for truth values. Without meaning where the quality is bad. */
  readonly v: Float64Array;
  readonly q: Uint8Array;
  /** Where in the memory it stands when a watched condition changed, or since when an on-delay runs; -1: nowhere. */
  readonly remembered: Int32Array;
  /** What steps remember from scan to scan, in numbers only: it can be handed to another engine. */
  memory: Float64Array;
  /** How much of `memory` is taken. */
  taken: number;
  /** What of the memory outlives a restart, in the order in which steps were made. */
  readonly kept: RetainedMemory[];
  readonly unsaved: {
    /** Something of that changed: it is to be stored within a minute. */
    isAny: boolean;
    /** Counts what is to be stored at once. */
    latched: number;
  };
  readonly clock: {
    now: number;
    /** Earliest time at which a running timer changes something. */
    due: number;
    /** The rule must run in the next scan, whatever brings that about. */
    again: boolean;
  };
}

/** A piece of memory that outlives a restart, as numbers; times are given in wall time. */
export interface RetainedMemory {
  /** `ahead`: by how much the wall clock is ahead of the monotonic one; `now`: monotonic; ms. */
  save: (ahead: number, now: number) => readonly number[];
  load: (values: readonly number[], ahead: number, now: number) => void;
  /** What is to be stored changes with time alone now. */
  readonly isMoving?: () => boolean;
}

/** Takes positions in the memory, one for each first value. Steps of one rule take theirs in one row. */
export function remember(s: Slots, ...first: readonly number[]): number {
  const at = s.taken;
  s.taken += first.length;
  if (s.taken > s.memory.length) {
    const larger = new Float64Array(Math.max(64, 2 * s.taken));
    larger.set(s.memory);
    s.memory = larger;
  }
  s.memory.set(first, at);
  return at;
}
export function recall(s: Slots, at: number): number {
  return s.memory[at] as number;
}

/** Computes one node from its children: reads and writes slots, allocates nothing. */
export type Step = () => void;
/** Computes nodes in their order. A loop by position: an iterator would leave garbage in every scan. */
export function runSteps(steps: readonly Step[]): void {
  for (let i = 0; i < steps.length; i++) steps[i]?.();
}

/**
 * Quality of what `on_bad: ignore` takes out of a rule: neither true nor false nor unknown. It counts
 * as bad for everything that does not know it, and never leaves the rule.
 */
export const ignored = 0xff;
/** Quality of what is not known because an instrument is beyond its range. It counts as bad, and never leaves the rule. */
export const undecided = 0xfe;
/** From here on a quality is bad. */
export const badFrom = 0x80;

/** Truth as one number: false, true, unknown. */
export const unknown = 2;
export function truth(s: Slots, slot: number): number {
  return (s.q[slot] as number) >= badFrom ? unknown : (s.v[slot] as number);
}

/** Truth of a whole condition: one of which everything is left out does not hold. */
export function conditionOf(s: Slots, slot: number): number {
  return (s.q[slot] as number) === ignored ? 0 : truth(s, slot);
}

/**
 * The better of two qualities is the smaller of these: good, then what a rule may rely on, then one-sided, then
 * uncertain otherwise, then bad.
 */
export function rankOf(quality: number): number {
  return quality ^ 0x30;
}

/** Quality of a result that is not known for this quality of what it is made of: before the first value it waits, too. */
export function notKnown(q: number): number {
  return q === Quality.waiting ? q : Quality.input;
}

/**
 * Quality of a result of two values: bad over uncertain over good; `forced` stays visible. What lacks
 * nothing but first values after a start is `waiting` itself, so that no delay counts before them.
 */
export function worst(a: number, b: number): number {
  if ((a | b) === Quality.good) return Quality.good;
  const isFirst = rankOf(a) > rankOf(b);
  const most = isFirst ? a : b;
  const least = isFirst ? b : a;
  if (most >= undecided) return most;
  if (most >= badFrom) {
    const isWaiting = most === Quality.waiting && (least < badFrom || least === Quality.waiting);
    return isWaiting ? Quality.waiting : Quality.input;
  }
  if (isGood(most) || most === Quality.surely) return most;
  if (!isSound(most)) return Quality.derived;
  return isGood(least) || least === most ? most : Quality.degraded;
}

/** Writes a number; what is no number (0/0, overflow) is bad, never a value. */
export function putNumber(s: Slots, slot: number, value: number, quality: number): void {
  s.v[slot] = value;
  s.q[slot] = quality < badFrom && !Number.isFinite(value) ? Quality.input : quality;
}
export function putBool(s: Slots, slot: number, value: boolean, quality: number): void {
  s.v[slot] = value ? 1 : 0;
  s.q[slot] = quality;
}
/** The first multiple of `step` after `now`: what looks at multiples looks at the same times in every run. */
export function nextMultiple(now: number, step: number): number {
  return (Math.floor(now / step) + 1) * step;
}
/** A timer that runs out at `when` wants a scan then. */
export function wantScan(s: Slots, when: number): void {
  if (when < s.clock.due) s.clock.due = when;
}

/** A pulse lasts one scan: the next one must come soon, or a reader sees it for long. */
export const pulseMs = 10;

/** What is true in this scan only is over in the next one. */
export function wantNext(s: Slots): void {
  s.clock.again = true;
  wantScan(s, s.clock.now + pulseMs);
}
