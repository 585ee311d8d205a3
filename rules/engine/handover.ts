import { Packed } from '../program/packed.js';
import type { Steps } from '../../gateway/contract/index.js';
import type { CompiledRule } from '../program/program.js';
import type { Slots } from './blocks/slots.js';
import type { Runner } from './run/context.js';
import type { Orphans } from './run/orphans.js';
import type { Schedule } from './schedule.js';

/** What an engine knows of its rules, for the engine that comes after it. */
export interface CarriedState {
  readonly slots: Slots;
  /** In the order of evaluation. */
  readonly runners: readonly Runner[];
  /** Where the memory of the steps of each rule ends; it begins where that of the rule before it ends. */
  readonly memoryEnds: readonly number[];
  readonly orphans: Orphans;
  readonly schedule: Schedule;
  /** Must the states still be stored, because some rule was never told of? */
  isUntold: () => boolean;
  /** When they were stored last, monotonic ms. */
  storedAt: () => number;
}

/** The part of it that continues. */
export interface Taken {
  readonly rules: ReadonlySet<string>;
  /** A rule is gone, or was not yet told of: the states must be stored. */
  readonly isUntold: boolean;
}

/** Where a program was compiled to: other tags and rules may stand before it now. */
const places: ReadonlySet<string> = new Set([
  'slot',
  'voters',
  'slotsStart',
  'slotsEnd',
  'tag',
  'signal',
  'doubts',
  'figures',
  'published',
  'covers',
]);
/** What follows from other rules, or is only for people: the numbers of texts are in the nodes. */
const surroundings: ReadonlySet<string> = new Set([
  'rules',
  'period',
  'delay',
  'source',
  'enumeration',
]);

/** Do two rules say the same of the same tags, wherever in the image these are? */
function alike(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (a instanceof Packed) return b instanceof Packed && alike(a.tree(), b.tree());
  if (a instanceof Map) return b instanceof Map && alike([...a], [...b]);
  const [ours, theirs] = [Object.entries(a), b as Readonly<Record<string, unknown>>];
  if (ours.length !== Object.keys(theirs).length) return false;
  return ours.every(
    ([key, value]) => places.has(key) || surroundings.has(key) || alike(value, theirs[key]),
  );
}

function unchanged(rule: CompiledRule, earlier: CompiledRule): boolean {
  return rule.hash === earlier.hash && alike(rule, earlier);
}

/** Rules of a program that say the same as in the engine before; a rule a step. */
export function* sameRules(
  rules: readonly CompiledRule[],
  { runners }: Pick<CarriedState, 'runners'>,
): Steps<ReadonlySet<string>> {
  const earlier = new Map(runners.map(({ rule }) => [rule.id, rule]));
  const same = new Set<string>();
  for (const rule of rules) {
    const before = earlier.get(rule.id);
    if (before && unchanged(rule, before)) same.add(rule.id);
    yield;
  }
  return same;
}

interface Range {
  readonly from: number;
  readonly to: number;
}
function slotsOf(carried: CarriedState, at: number): Range {
  const rule = carried.runners[at]?.rule;
  return { from: rule?.slotsStart ?? 0, to: rule?.slotsEnd ?? 0 };
}
function memoryOf(carried: CarriedState, at: number): Range {
  const from = carried.memoryEnds[at - 1] ?? 0;
  return { from, to: carried.memoryEnds[at] ?? from };
}
function sameSize(a: Range, b: Range): boolean {
  return a.to - a.from === b.to - b.from;
}
function copy(to: Float64Array | Uint8Array, at: Range, of: typeof to, from: Range): void {
  to.set(of.subarray(from.from, from.to), at.from);
}

/**
 * Rules that did not change go on exactly where the earlier engine left them: timers with their times,
 * memories, states, what is not yet told. Nothing of the earlier engine is held afterwards.
 * @param same rules that did not change, by {@link sameRules}
 */
export function carryOver(
  next: CarriedState,
  earlier: CarriedState,
  same: ReadonlySet<string>,
): Taken {
  const positions = new Map(earlier.runners.map((runner, at) => [runner.rule.id, at]));
  const rules = new Set<string>();
  const [ours, theirs] = [next.slots, earlier.slots];
  ours.clock.now = theirs.clock.now;
  ours.unsaved.isAny ||= theirs.unsaved.isAny;
  ours.unsaved.latched += theirs.unsaved.latched;
  next.orphans.take(earlier.orphans);
  next.schedule.take(earlier.schedule);
  for (const [at, runner] of next.runners.entries()) {
    const { rule } = runner;
    const before = positions.get(rule.id);
    const old = before === undefined ? undefined : earlier.runners[before];
    if (before === undefined || !old) continue;
    positions.delete(rule.id);
    const [slots, oldSlots] = [slotsOf(next, at), slotsOf(earlier, before)];
    const [memory, oldMemory] = [memoryOf(next, at), memoryOf(earlier, before)];
    const fits = sameSize(slots, oldSlots) && sameSize(memory, oldMemory);
    if (!fits || !same.has(rule.id)) {
      // Written differently: it starts anew, but tells only of what really changes.
      if (rule.kind === 'permissive') runner.take(old);
      continue;
    }
    copy(ours.v, slots, theirs.v, oldSlots);
    copy(ours.q, slots, theirs.q, oldSlots);
    copy(ours.memory, memory, theirs.memory, oldMemory);
    runner.take(old);
    rules.add(rule.id);
  }
  return { rules, isUntold: positions.size > 0 || earlier.isUntold() };
}
