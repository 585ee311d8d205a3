import { inputsOf } from '../check/ir.js';
import { expressionsOf } from '../program/expressions.js';
import type { CompiledRule } from '../program/program.js';
import type { RetainedMemory, Slots } from './blocks/slots.js';
import { noEvidence, type Runner } from './run/context.js';
import { retainedOf, type RetainedState } from './run/retained.js';
import type { RetainedStates } from '../../gateway/contract/index.js';

/** Totals and counts are stored this often while they change, ms: a crash takes no more of them. */
const storeMs = 60_000;

interface Parts {
  readonly slots: Slots;
  readonly runners: readonly Runner[];
  /** Where what is kept of the memory of each rule ends. */
  readonly keptEnds: readonly number[];
}
/** By what they are to be loaded into. */
type Waiting = ReadonlyMap<RetainedMemory, readonly number[]>;

/** What rules are to know after a restart: their states, and what functions in their expressions remember. */
export class RetentionSchedule {
  readonly #parts: Parts;
  /** Memory from before the restart; times in it mean something at the first scan only. */
  #waiting: Waiting = new Map();
  /** Of what changes with time alone: does it now? Asked in every scan. */
  readonly #moving: readonly (() => boolean)[];
  /** When it was stored last, monotonic ms; an engine that takes over goes on from there. */
  storedAt: number = -Infinity;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#moving = parts.slots.kept.flatMap(({ isMoving }) => isMoving ?? []);
  }

  #keptOf(at: number): readonly RetainedMemory[] {
    const { slots, keptEnds } = this.#parts;
    return slots.kept.slice(keptEnds[at - 1] ?? 0, keptEnds[at]);
  }

  /** Must something of this rule survive a restart? */
  keeps(at: number): boolean {
    return this.#keptOf(at).length > 0 || this.#parts.runners[at]?.retained() !== undefined;
  }

  /** `ahead`: by how much the wall clock is ahead of the monotonic one, ms; `places`: of these rules only. */
  states(ahead: number, places?: readonly number[]): RetainedStates<RetainedState> {
    const { runners, slots } = this.#parts;
    const states = new Map<string, RetainedState>();
    for (const at of places ?? runners.keys()) {
      const runner = runners[at];
      if (!runner) continue;
      const { rule } = runner;
      const state = runner.retained();
      const kept = this.#keptOf(at);
      if (kept.length > 0) {
        // Stored before the first scan: it is what it was.
        const save = (one: RetainedMemory): readonly number[] =>
          this.#waiting.get(one) ?? one.save(ahead, slots.clock.now);
        const memory = kept.map((one) => save(one).map((n) => (n === n ? n : null)));
        const known = { ...(state ?? stateless(runner)), memory, reads: readsOf(rule) };
        states.set(rule.id, known);
      } else if (state) states.set(rule.id, state);
    }
    // Whatever a rule is called: no name is one of JavaScript's own here.
    return Object.fromEntries(states);
  }

  /** What is to be loaded at the first scan: of rules that are as they were, and were not handed over. */
  await(before: RetainedStates | undefined, handedOver: ReadonlySet<string>): void {
    const waiting = this.#parts.runners.flatMap(({ rule }, at) => {
      const kept = this.#keptOf(at);
      if (kept.length === 0 || handedOver.has(rule.id)) return [];
      const found = retainedOf(before, rule.id);
      // A total is in the unit of its tag: what the rule reads must be what it was, too.
      const isSame = found?.hash === rule.hash && found.reads === readsOf(rule);
      if (!isSame || found.memory?.length !== kept.length) return [];
      const { memory } = found;
      return kept.map((one, i) => [one, (memory[i] ?? []).map((n) => n ?? NaN)] as const);
    });
    this.#waiting = new Map(waiting);
  }

  begin(now: number, ahead: number): void {
    if (this.#waiting.size === 0) return;
    for (const [kept, values] of this.#waiting) kept.load(values, ahead, now);
    this.#waiting = new Map();
  }

  /** Once a scan: is it time to store? */
  isDue(now: number): boolean {
    const { unsaved } = this.#parts.slots;
    if (unsaved.latched === 0 && now < this.due) return false;
    unsaved.isAny = false;
    unsaved.latched = 0;
    this.storedAt = now;
    return true;
  }
  /** When it will be if nothing else happens, monotonic ms. */
  get due(): number {
    const isAny = this.#parts.slots.unsaved.isAny || this.#moving.some(moves);
    return isAny ? this.storedAt + storeMs : Infinity;
  }
}

/** What the expressions of a rule read, and in which units. */
function readsOf(rule: CompiledRule): string {
  const inputs = expressionsOf(rule).flatMap(inputsOf);
  return inputs
    .map(
      ({ ref: { name, type } }) => `${name} ${type.kind === 'number' ? type.unit.text : type.kind}`,
    )
    .join();
}

/** Of a rule that has no state of its own. */
function stateless({ rule: { kind, hash } }: Runner): RetainedState {
  const nothing = { since: 0, firstOut: null, evidence: noEvidence, alarm: null };
  return { kind, hash, state: 'NORMAL', ...nothing };
}

/** Made once: one in each scan would be garbage. */
function moves(isMoving: () => boolean): boolean {
  return isMoving();
}
