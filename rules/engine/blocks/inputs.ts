import {
  isBad,
  isGood,
  isOneSided,
  isSound,
  isUncertain,
  Quality,
  type ImageView,
} from '../../../gateway/contract/index.js';
import type { QualityTest } from '../../check/ir.js';
import type { BadPolicy } from '../../read/terms.js';
import {
  badFrom,
  ignored,
  nextMultiple,
  putBool,
  putNumber,
  recall,
  remember,
  undecided,
  wantScan,
  worst,
  type Slots,
  type Step,
} from './slots.js';

/** Told when a tag has been bad for longer than its policy bears. By the position of the policy. */
export interface BadSink {
  /** 1 while the policy of input `position` demands a trip. */
  readonly demands: number[];
  /** 1 while the delay of such a policy runs. */
  readonly running: number[];
  /** When that is over, monotonic ms. */
  readonly until: number[];
  /** 1 while the value is a bound of the true one. */
  readonly oneSided: number[];
  /** 1 while something in the rule is not decided by that bound: only then the policy has a say. */
  readonly undecided: number[];
  /** 1 where something other than a comparison looks at the tag: no bound decides that. */
  readonly opaque: number[];
  /** Is the rule tripped? Then nothing stands in for a bound: what is in doubt releases nothing. */
  holds: boolean;
}

/**
 * How a tag is read. Bit 0: uncertain counts as bad, unless a rule may rely on it. Bit 1: a truth that follows
 * from a value beyond its range counts, because it may trip.
 */
export type ReadMode = 0 | 1 | 2 | 3;
export function readMode(strict: boolean, bounds: boolean): ReadMode {
  return ((strict ? 1 : 0) | (bounds ? 2 : 0)) as ReadMode;
}

export interface TagInput {
  /** Position in the image. */
  readonly at: number;
  readonly slot: number;
  readonly mode: ReadMode;
}

/** Puts a number of the frozen image into its slot. */
export function readNumber(
  s: Slots,
  image: ImageView,
  at: number,
  slot: number,
  mode: number,
): void {
  const q = image.qualities[at] as number;
  const isRefused = (mode & 1) === 1 && isUncertain(q) && !isSound(q);
  const own = isRefused ? (isOneSided(q) ? undecided : Quality.input) : q;
  putNumber(s, slot, image.numbers[at] as number, own);
}
/** The same of a truth value: whatever is not 0 is true. */
export function readTruth(
  s: Slots,
  image: ImageView,
  at: number,
  slot: number,
  mode: number,
): void {
  const value = image.numbers[at] as number;
  const truth = value === value ? (value !== 0 ? 1 : 0) : value;
  putNumber(s, slot, truth, truthQuality(image.qualities[at] as number, truth, mode));
}
function truthQuality(q: number, truth: number, mode: number): number {
  if (!isUncertain(q) || isSound(q)) return q;
  if (q === Quality.surely && truth === 1 && (mode & 2) === 2) return q;
  return (mode & 1) === 1 ? Quality.input : q === Quality.surely ? Quality.derived : q;
}

/** Quality of a text, which lives beside the numbers of the image: bad where there is none. */
function textQuality(image: ImageView, at: number, mode: number): number {
  const q = image.qualities[at] as number;
  const isText = typeof image.wide[at] === 'string';
  const isRefused = (mode & 1) === 1 && isUncertain(q) && !isSound(q);
  return isRefused || (q < badFrom && !isText) ? Quality.input : q;
}

/** Reads whether a text is there; who compares it looks at the image itself. */
export function textInputStep(s: Slots, image: ImageView, { at, slot, mode }: TagInput): Step {
  return () => {
    s.v[slot] = 0;
    s.q[slot] = textQuality(image, at, mode);
  };
}

/** Where a policy reads, and whom it tells. */
export interface Guarded {
  /** Position in the image. */
  readonly at: number;
  readonly slot: number;
  readonly policy: BadPolicy;
  readonly sink: BadSink;
  readonly position: number;
}

/** What reads a tag in the cause of an interlock, under an `on_bad` policy. */
export function guardedStep(s: Slots, image: ImageView, read: Step, guarded: Guarded): Step {
  const { at, slot, policy, sink, position } = guarded;
  // Since when it is bad; the last good value.
  const since = remember(s, NaN, NaN);
  const lastGood = since + 1;
  return () => {
    read();
    sink.demands[position] = 0;
    sink.running[position] = 0;
    sink.undecided[position] = 0;
    const isBound = isOneSided(image.qualities[at] as number);
    sink.oneSided[position] = isBound ? 1 : 0;
    if ((s.q[slot] as number) < badFrom) {
      s.memory[since] = NaN;
      s.memory[lastGood] = s.v[slot] as number;
      return;
    }
    // What is in doubt releases nothing: a bound stays not known, where another value would stand in.
    const standsIn = !(isBound && sink.holds);
    if (policy.kind === 'vote') return;
    if (policy.kind === 'ignore') {
      if (!standsIn) return;
      s.q[slot] = ignored;
      return;
    }
    const now = s.clock.now;
    if (Number.isNaN(recall(s, since))) s.memory[since] = now;
    const badSince = recall(s, since);
    if (now - badSince >= policy.after) {
      if (policy.kind !== 'last_good') sink.demands[position] = 1;
      return;
    }
    if (policy.after < Infinity) {
      if (policy.kind !== 'last_good') sink.running[position] = 1;
      sink.until[position] = badSince + policy.after;
      wantScan(s, badSince + policy.after);
    }
    if (!standsIn) return;
    // Until then the last good value stands in; without one, `trip after` waits and `hold` is unknown.
    const last = recall(s, lastGood);
    s.v[slot] = last;
    if (last === last) s.q[slot] = Quality.lastKnown;
    else if (policy.kind === 'trip') s.q[slot] = ignored;
  };
}

const missingQualities: ReadonlySet<number> = new Set<number>([
  Quality.waiting,
  Quality.notConnected,
  Quality.timeout,
  Quality.stale,
]);

/** good, bad, uncertain, stale, missing: known as soon as there is a quality, which before the first value there is not. */
export function qualityStep(s: Slots, to: number, test: QualityTest, quality: () => number): Step {
  const is: Readonly<Record<QualityTest, (q: number) => boolean>> = {
    // Zero drift is none of its business.
    good: (q) => isGood(q) || q === Quality.inReserve,
    uncertain: (q) => isUncertain(q) && q !== Quality.inReserve,
    bad: isBad,
    stale: (q) => q === Quality.stale,
    missing: (q) => missingQualities.has(q),
  };
  const test1 = is[test];
  return () => {
    const q = quality();
    putBool(s, to, test1(q), q === Quality.waiting ? q : Quality.good);
  };
}

/** How often a rule that asks for the age of a value must run though nothing arrives. */
const ageMs = 250;

/** Seconds since the device was asked for the value that stands in the image. */
export function ageStep(s: Slots, image: ImageView, to: number, at: number): Step {
  // The time that the value had when this was computed last; when it must be computed anew.
  const asked = remember(s, NaN, -Infinity);
  const due = asked + 1;
  return () => {
    const { now } = s.clock;
    const time = image.times[at] as number;
    const never = (image.qualities[at] as number) === Quality.waiting;
    if (time !== recall(s, asked) || now >= recall(s, due)) {
      s.memory[asked] = time;
      s.memory[due] = nextMultiple(now, ageMs);
      s.v[to] = (now - time) / 1000;
    }
    s.q[to] = never ? Quality.waiting : Quality.good;
    wantScan(s, recall(s, due));
  };
}

/** A number that stands for a text in the memory (53 bits of two FNV-1a): two texts with one are not to be expected. */
function textNumber(text: string): number {
  let [high, low] = [0x811c9dc5, 0xc59d1c81];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    high = Math.imul(high ^ code, 0x01000193);
    low = Math.imul(low ^ (code + i), 0x01000193);
  }
  return (high >>> 5) * 2 ** 26 + (low >>> 6);
}

/** Compares texts. While a policy lets the last good one stand in, it is compared by what is remembered of it. */
export function textStep(
  s: Slots,
  image: ImageView,
  to: number,
  left: TagInput,
  right: TagInput | string,
  equal: boolean,
): Step {
  const last = remember(s, NaN, typeof right === 'string' ? textNumber(right) : NaN);
  const other = typeof right === 'string' ? undefined : right;
  const qualityOf = ({ slot }: TagInput): number => s.q[slot] as number;
  const look = ({ at, mode }: TagInput, memory: number): void => {
    const text = image.wide[at];
    if (textQuality(image, at, mode) < badFrom && typeof text === 'string')
      s.memory[memory] = textNumber(text);
  };
  return () => {
    look(left, last);
    if (other) look(other, last + 1);
    const q = other ? worst(qualityOf(left), qualityOf(other)) : qualityOf(left);
    const [a, b] = [recall(s, last), recall(s, last + 1)];
    const isKnown = a === a && b === b;
    putBool(s, to, (a === b) === equal, isKnown || q >= badFrom ? q : Quality.input);
  };
}
