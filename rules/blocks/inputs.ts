import {
  isBad,
  isGood,
  isUncertain,
  Quality,
  type ImageView,
} from '../../gateway/contract/index.js';
import type { QualityTest } from '../ir.js';
import {
  badFrom,
  ignored,
  nextMultiple,
  putBool,
  putNumber,
  recall,
  remember,
  wantScan,
  type Slots,
  type Step,
} from './slots.js';

/** What a rule does while one of its tags is bad. */
export type BadPolicy =
  | { readonly kind: 'trip'; readonly after: number }
  /** `after` in ms; Infinity = hold for ever. */
  | { readonly kind: 'hold'; readonly after: number }
  /** As `hold`, but afterwards the tag is not known. */
  | { readonly kind: 'last_good'; readonly after: number }
  | { readonly kind: 'ignore' }
  | { readonly kind: 'vote' };

/** Told when a tag has been bad for longer than its policy bears. */
export interface BadSink {
  /** 1 while the policy of input `position` demands a trip. */
  readonly demands: number[];
  /** 1 while the delay of such a policy runs. */
  readonly running: number[];
}

export interface InputOptions {
  /** Position in the image. */
  readonly at: number;
  readonly slot: number;
  readonly isBool: boolean;
  /** Uncertain counts as bad. */
  readonly strict: boolean;
}

/** Reads one tag from the frozen image. */
export function inputStep(s: Slots, image: ImageView, o: InputOptions): Step {
  const { at, slot, isBool, strict } = o;
  return () => {
    const q = image.qualities[at] as number;
    const value = image.numbers[at] as number;
    const usable = strict && isUncertain(q) ? Quality.input : q;
    putNumber(s, slot, isBool && value === value ? (value !== 0 ? 1 : 0) : value, usable);
  };
}

/** The same under an `on_bad` policy, for a tag in the cause of an interlock. */
export function guardedInputStep(
  s: Slots,
  image: ImageView,
  o: InputOptions,
  policy: BadPolicy,
  sink: BadSink,
  position: number,
): Step {
  const read = inputStep(s, image, o);
  const { slot } = o;
  // Since when it is bad; the last good value.
  const since = remember(s, NaN, NaN);
  const lastGood = since + 1;
  return () => {
    read();
    sink.demands[position] = 0;
    sink.running[position] = 0;
    if ((s.q[slot] as number) < badFrom) {
      s.memory[since] = NaN;
      s.memory[lastGood] = s.v[slot] as number;
      return;
    }
    if (policy.kind === 'vote') return;
    if (policy.kind === 'ignore') {
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
      wantScan(s, badSince + policy.after);
    }
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

/** good, bad, uncertain, stale, missing: always known, because they ask about the quality itself. */
export function qualityStep(s: Slots, to: number, test: QualityTest, quality: () => number): Step {
  const is: Readonly<Record<QualityTest, (q: number) => boolean>> = {
    good: isGood,
    uncertain: isUncertain,
    bad: isBad,
    stale: (q) => q === Quality.stale,
    missing: (q) => missingQualities.has(q),
  };
  const test1 = is[test];
  return () => putBool(s, to, test1(quality()), Quality.good);
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

/** Compares texts, which live beside the numbers of the image. */
export function textStep(
  s: Slots,
  image: ImageView,
  to: number,
  at: number,
  other: number | undefined,
  literal: string,
  equal: boolean,
  strict: boolean,
): Step {
  const usable = (position: number): number => {
    const q = image.qualities[position] as number;
    const isText = typeof image.wide[position] === 'string';
    const isDoubtful = strict && isUncertain(q);
    return isDoubtful || (q < badFrom && !isText) ? Quality.input : q;
  };
  return () => {
    const right = other === undefined ? literal : image.wide[other];
    let q = usable(at);
    if (other !== undefined) q = Math.max(q, usable(other));
    putBool(s, to, (image.wide[at] === right) === equal, q);
  };
}
