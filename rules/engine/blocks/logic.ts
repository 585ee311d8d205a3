import { isSound, Quality } from '../../../gateway/contract/index.js';
import type { VoteNode } from '../../check/ir.js';
import { keepValue } from './retained-memory.js';
import {
  badFrom,
  ignored,
  notKnown,
  putBool,
  rankOf,
  recall,
  remember,
  undecided,
  wantScan,
  worst,
  type Slots,
  type Step,
} from './slots.js';

/** `strict`: what is true for certain only is not false for certain turned round. */
export function not(s: Slots, to: number, of: number, strict: boolean): void {
  const q = s.q[of] as number;
  s.v[to] = (s.v[of] as number) === 1 ? 0 : 1;
  s.q[to] = q !== Quality.surely ? q : strict ? undecided : Quality.derived;
}

/**
 * Kleene `and` (`absorbing` = 0) and `or` (`absorbing` = 1): an operand that decides alone decides,
 * whatever the quality of the others. A good one is preferred to an uncertain one. The slots of the operands are
 * `count` cells of `of`, from `first` on.
 */
export function logic(
  s: Slots,
  to: number,
  absorbing: number,
  of: Int32Array,
  first: number,
  count: number,
): void {
  let decided = ignored;
  let all = 0;
  let counted = 0;
  for (let i = first; i < first + count; i++) {
    const slot = of[i] as number;
    const q = s.q[slot] as number;
    if (q === ignored) continue;
    counted++;
    if (q < badFrom && (s.v[slot] as number) === absorbing && rankOf(q) < rankOf(decided))
      decided = q;
    all = worst(all, q);
  }
  if (decided !== ignored) putBool(s, to, absorbing === 1, decided);
  else putBool(s, to, absorbing === 0, counted === 0 ? ignored : all);
}

/** What the channels of a vote say in one scan. */
interface Votes {
  /** True, or bad where a bad channel has a vote. */
  yes: number;
  /** Bad without a vote. */
  bad: number;
  /** Those that are not left out. */
  counted: number;
  away: number;
  /** Of those that are true: as many as a rule may rely on, and as many as are true for certain only. */
  sound: number;
  sure: number;
  /** Worst quality of those that are not bad; was there a bad one? */
  known: number;
  hasBad: boolean;
  /** Bad because an instrument is beyond its range. */
  doubts: number;
  /** Bad because no value has come yet. */
  waits: number;
}

/** Has a bad channel a vote? Only by a tag that is bad itself: one that is good has nothing to do with it. */
export function hasVoted(s: Slots, voters: readonly number[] | undefined): boolean {
  return voters?.some((slot) => (s.q[slot] as number) >= badFrom) === true;
}

function countVotes(
  s: Slots,
  of: readonly number[],
  voters: VoteNode['voters'],
  into: Votes,
): void {
  Object.assign(into, noVotes);
  for (let i = 0; i < of.length; i++) {
    const slot = of[i] as number;
    const q = s.q[slot] as number;
    if (q === ignored) {
      into.away++;
      continue;
    }
    into.counted++;
    if (q >= badFrom) {
      into.hasBad = true;
      if (q === undecided) into.doubts++;
      if (hasVoted(s, voters[i])) into.yes++;
      else {
        into.bad++;
        if (q === Quality.waiting) into.waits++;
      }
      continue;
    }
    into.known = worst(into.known, q);
    if ((s.v[slot] as number) !== 1) continue;
    into.yes++;
    if (isSound(q)) into.sound++;
    else if (q === Quality.surely) into.sure++;
  }
}
const noVotes: Votes = {
  yes: 0,
  bad: 0,
  counted: 0,
  away: 0,
  sound: 0,
  sure: 0,
  known: 0,
  hasBad: false,
  doubts: 0,
  waits: 0,
};

/** Quality of a vote whose result is known; `need`: as many decide it. */
function markOf({ sound, sure, known, hasBad }: Votes, isTrue: boolean, need: number): number {
  if (isSound(known)) return hasBad ? Quality.degraded : known;
  if (isTrue && sound >= need) return Quality.degraded;
  if (isTrue && sound + sure >= need) return Quality.surely;
  return known === Quality.surely ? Quality.degraded : Quality.derived;
}

/**
 * `N of [...]`. Without a policy: true or false only when the good channels suffice to know. With
 * `vote` a bad channel counts as true. With `degrade` the good channels decide alone; none left is true,
 * and fewer than `minGood` for longer than `grace` is true. `holds`: is the rule tripped? Then a channel beyond its range
 * is not left out: without it the others might release the trip.
 */
export function voteStep(s: Slots, node: VoteNode, holds: () => boolean): Step {
  const of = node.of.map((child) => child.slot);
  const { slot: to, need, degrade, minGood, grace, voters } = node;
  /** Since when there are too few good channels. */
  const poor = remember(s, NaN);
  const votes: Votes = { ...noVotes };
  const put = (value: boolean, wanted: number): void => {
    putBool(s, to, value, markOf(votes, value, wanted));
  };
  return () => {
    countVotes(s, of, voters, votes);
    const { yes, bad, counted, away } = votes;
    // Enough good channels again: the next time that there are too few is borne anew.
    if (counted - bad >= Math.min(minGood, of.length - 1)) s.memory[poor] = NaN;
    if (counted === 0) putBool(s, to, false, ignored);
    else if (yes >= need) put(true, need);
    // Nothing has failed before the first values have come: that is not what a degraded vote is for.
    else if (degrade && votes.waits === counted) putBool(s, to, false, Quality.waiting);
    else if (degrade && votes.doubts > 0 && holds() && mayBeTrue())
      putBool(s, to, false, undecided);
    else if (degrade && away > 0) degraded(counted - bad);
    else if (bad === 0 || (!degrade && yes + bad < need)) put(false, need);
    else if (!degrade) putBool(s, to, false, votes.waits === bad ? Quality.waiting : Quality.input);
    else degraded(counted - bad);
  };

  /** Would it be true if the channels beyond their ranges were? */
  function mayBeTrue(): boolean {
    const { yes, bad, doubts, away, counted } = votes;
    const others = bad - doubts;
    const isDegraded = others + away > 0;
    const wanted = isDegraded ? Math.min(degrade?.need ?? need, counted - others) : need;
    return yes + doubts >= wanted;
  }

  function degraded(goods: number): void {
    const wanted = Math.min(degrade?.need ?? need, goods);
    // Of two channels one is left already when the other fails: `minGood` cannot ask for more.
    if (goods >= Math.min(minGood, of.length - 1)) s.memory[poor] = NaN;
    else {
      if (Number.isNaN(recall(s, poor))) s.memory[poor] = s.clock.now;
      const poorSince = recall(s, poor);
      if (s.clock.now - poorSince >= grace) {
        putBool(s, to, true, Quality.degraded);
        return;
      }
      wantScan(s, poorSince + grace);
    }
    put(votes.yes >= wanted, wanted);
  }
}

export function ifStep(
  s: Slots,
  to: number,
  when: number,
  then: number,
  otherwise: number,
  k: number,
  c: number,
): Step {
  return () => {
    const q = s.q[when] as number;
    const yes = (s.v[when] as number) === 1;
    const from = yes ? then : otherwise;
    const value = s.v[from] as number;
    s.v[to] = yes ? value : value * k + c;
    s.q[to] = worst(q, s.q[from] as number);
  };
}

/** Places of the bit of a latch in the memory, and of its shadow, see {@link ofDoubt}. */
export function latchMemory(s: Slots, hasShadow: boolean): readonly [own: number, shadow: number] {
  const own = remember(s, 0);
  const shadow = hasShadow ? remember(s, 0) : own;
  keepValue(s, own, shadow);
  return [own, shadow];
}

/** A memory of one bit. It changes only by what is known; while a bad input could matter it is bad. */
export function latchStep(
  s: Slots,
  to: number,
  set: number,
  reset: number,
  setWins: boolean,
  memory: number,
): Step {
  return () => {
    const held = recall(s, memory);
    const isSet = triOf(s, set);
    const isReset = triOf(s, reset);
    // Kleene: set or (held and not reset); or, reset dominant: not reset and (held or set).
    const kept = held === 0 ? 0 : invert(isReset);
    const next = setWins ? Math.max(isSet, kept) : Math.min(invert(isReset), Math.max(held, isSet));
    const quality = worst(s.q[set] as number, s.q[reset] as number);
    if (next !== 0.5 && next !== held) {
      s.memory[memory] = next;
      s.unsaved.latched++;
    }
    if (next === 0.5) putBool(s, to, held === 1, notKnown(quality));
    else putBool(s, to, next === 1, quality >= badFrom ? Quality.degraded : quality);
  };
}
/** False 0, unknown ½, true 1: `or` is the larger, `and` the smaller. */
function triOf(s: Slots, slot: number): number {
  const q = s.q[slot] as number;
  if (q === ignored) return 0;
  return q >= badFrom ? 0.5 : (s.v[slot] as number);
}
function invert(tri: number): number {
  return 1 - tri;
}
