import {
  drained,
  Quality,
  type AlarmSnapshot,
  type CommandResult,
  type EngineOptions,
  type EnginePreparation,
  type Explanation,
  type Person,
  type RetainedStates,
  type RuleCommand,
  type RuleEngine,
  type RuleKind,
  type RuleState,
  type Steps,
} from '../../gateway/contract/index.js';
import type { CompiledProgram } from '../program/program.js';
import { pulseMs, runSteps, type Slots } from './blocks/slots.js';
import { buildEngine, type Built, type EngineEnvironment } from './build.js';
import { carryOver, sameRules, type CarriedState, type Taken } from './handover.js';
import { RetentionSchedule } from './retention.js';
import { Results } from './results.js';
import type { AlarmMachine } from './run/alarm-state.js';
import { refused, type Runner } from './run/context.js';
import { DiagnosisRunner } from './run/diagnosis.js';
import { InterlockRunner } from './run/interlock.js';
import type { Orphans } from './run/orphans.js';
import { retainedOf, type RetainedState } from './run/retained.js';

/** An engine as the gateway knows it, with states whose form is known here. */
export type RunningRules = RuleEngine<RetainedState>;

/** For tests of the engine itself. */
export interface Checks {
  /** Runs every rule in every scan, as a check: the results are the same, bit for bit. */
  readonly full?: boolean;
}

/** What the next engine takes over from an engine. */
const carried = new WeakMap<RuleEngine, CarriedState>();
/** What an engine computed, for those who look into it: tests of rules and their coverage. */
export function slotsOf(engine: RuleEngine): Slots | undefined {
  return carried.get(engine)?.slots;
}
const nobody: ReadonlySet<string> = new Set();
const nothingTaken: Taken = { rules: new Set(), isUntold: false };

/** Makes a running engine of a program. Pure construction: nothing is evaluated yet. */
export function createEngine(
  program: CompiledProgram,
  options: EngineOptions & Checks,
): RunningRules {
  const made = drained(makeEngine(program, options));
  return finishEngine(program, options, made, made.kept);
}

/** Makes it beside the engine that runs, in steps, and finishes it at once when it takes its place. */
export function prepareEngine(
  program: CompiledProgram,
  options: EngineOptions & Checks,
): EnginePreparation {
  const steps = makeEngine(program, options);
  let made: Made | undefined;
  return {
    step: () => {
      if (made) return false;
      const { done, value } = steps.next();
      if (done === true) made = value;
      return done !== true;
    },
    stands: () => made !== undefined && keptNow(program, options, made) !== undefined,
    finish: () => {
      const kept = made && keptNow(program, options, made);
      return made && kept && finishEngine(program, options, made, kept);
    },
  };
}

/** What is known of rules now; undefined: rules that start anew were made from what they are no more. */
function keptNow(
  { ids }: CompiledProgram,
  { earlier }: EngineOptions,
  { same, kept }: Made,
): RetainedStates | undefined {
  const changed = ids.filter((id) => !same.has(id));
  const now = { ...kept, ...earlier?.retained(changed) };
  return changed.some((id) => stateText(kept, id) !== stateText(now, id)) ? undefined : now;
}

/** An engine that does not run yet. */
interface Made {
  readonly built: Built;
  /** Rules that did not change since the engine before. */
  readonly same: ReadonlySet<string>;
  /** What was known of rules as it was made. */
  readonly kept: RetainedStates;
}

function* makeEngine(program: CompiledProgram, options: EngineOptions & Checks): Steps<Made> {
  const { earlier, retained, lost: unknown, orders } = options;
  const lost = earlier ? nobody : (unknown ?? nobody);
  const before = earlier && carried.get(earlier);
  const same = before ? yield* sameRules(program.rules, before) : nobody;
  const known = Object.entries({ ...retained, ...(before ? {} : earlier?.retained()) });
  const ids = before?.runners.map(({ rule }) => rule.id) ?? [];
  for (let at = 0; at < ids.length; at += 32) {
    known.push(...Object.entries(earlier?.retained(ids.slice(at, at + 32)) ?? {}));
    yield;
  }
  // Whatever a rule is called: no name is one of JavaScript's own here.
  const kept = Object.fromEntries(known);
  const built = yield* buildEngine(program, environmentOf(options), { kept, lost, orders });
  return { built, same, kept };
}

function finishEngine(
  program: CompiledProgram,
  options: EngineOptions & Checks,
  { built, same }: Made,
  kept: RetainedStates,
): RunningRules {
  const { slots, context, runners, memoryEnds } = built;
  const retention = new RetentionSchedule(built);
  const before = options.earlier && carried.get(options.earlier);
  const { orphans, schedule } = built;
  const storedAt = (): number => retention.storedAt;
  const own = { slots, runners, memoryEnds, orphans, schedule, isUntold: () => false, storedAt };
  const taken = before ? carryOver(own, before, same) : nothingTaken;
  if (before) {
    retention.storedAt = before.storedAt();
    context.out.intentsChanged = true;
    context.out.doubtsChanged = true;
  }
  retention.await(kept, taken.rules);
  const results = new Results(
    context.out,
    { runners, orphans },
    isNews({ runners, retention, kept, taken }),
  );
  const engine = engineOf(program, {
    ...built,
    results,
    retention,
    options: environmentOf(options),
  });
  carried.set(engine, { ...own, isUntold: () => results.isUntold });
  return engine;
}

/** For as long as it runs: nothing of what was before is held. */
function environmentOf(options: EngineOptions & Checks): EngineEnvironment {
  const { image, signalIndex, put, wallOf, full = false } = options;
  return { image, signalIndex, put, wallOf, full };
}

/** What a rule is made from; totals and the like are loaded when it is finished. */
function stateText(states: RetainedStates, id: string): string {
  const known = retainedOf(states, id);
  return known ? JSON.stringify({ ...known, memory: undefined }) : '';
}

interface News {
  readonly runners: readonly Runner[];
  readonly retention: RetentionSchedule;
  readonly kept: RetainedStates | undefined;
  readonly taken: Taken;
}
/** Rules that are new or written differently must be known to the next start. */
function isNews({ runners, retention, kept, taken }: News): boolean {
  const isNew = ({ rule: { id, hash } }: Runner, at: number): boolean => {
    if (taken.rules.has(id) || retainedOf(kept, id)?.hash === hash) return false;
    return retention.keeps(at);
  };
  return taken.isUntold || runners.some(isNew);
}

interface Parts extends Built {
  readonly results: Results;
  readonly retention: RetentionSchedule;
  readonly options: EngineEnvironment;
}

function engineOf(program: CompiledProgram, parts: Parts): RunningRules {
  const { slots, context, runners, orphans, schedule, retention, options } = parts;
  const { places } = program;
  const all = new Machines(parts);

  /** Of a rule, or of the one that an alarm comes with. */
  const placeOf = (id: string): number | undefined => places.get(id) ?? all.byId().get(id)?.at;

  /** Is there a rule of that name that holds something itself? */
  const isHeld = (id: string): boolean => runners[places.get(id) ?? -1]?.held?.() !== undefined;

  const command = (id: string, command: RuleCommand, person: Person): CommandResult => {
    const order = tellOrphans(orphans, { id, isRule: isHeld(id) }, command, person);
    if (order) return order;
    const alarm = all.byId().get(id);
    const at = placeOf(id);
    const runner = at === undefined ? undefined : runners[at];
    if (at === undefined || !runner) return refused(`there is no rule ${id}`);
    schedule.dirty[at] = 1;
    // An alarm that comes with a rule is not the rule: resetting it resets no interlock.
    const own = places.has(id) ? tell(runner, command, person) : undefined;
    const told = alarm?.machine.command(command, person) ?? own;
    return (
      told ?? refused(`${id} is ${article(runner.rule.kind)}: ${command.kind} means nothing to it`)
    );
  };

  return {
    scan: scanOf(parts),
    command: (id, what, person, now) => {
      slots.clock.now = now;
      return command(id, what, person);
    },
    why: (id) => explain(parts, program, { id, at: placeOf(id) }),
    alarms: () => {
      const faults = faultsBehind(runners);
      return [...all.byId().values()].flatMap(({ machine }) => standing(machine, faults));
    },
    states: () => {
      const states = new Map<string, RuleState>();
      for (const runner of runners) {
        const state = runner.state();
        if (state !== undefined) states.set(runner.rule.id, state);
      }
      for (const [rule, state] of orphans.states()) states.set(rule, state);
      return states;
    },
    retained: (of) => {
      const { now } = slots.clock;
      const places = of?.flatMap((id) => placeOf(id) ?? []);
      return retention.states(options.wallOf(now) - now, places);
    },
    held: (of) => {
      const chosen = of ? of.flatMap((id) => runners[placeOf(id) ?? -1] ?? []) : runners;
      return [...new Set(chosen)].flatMap((runner) => runner.held?.() ?? []);
    },
    orphans: () => orphans.all,
    remarks: () => remarksOf(parts),
    lost: () => runners.flatMap((runner) => (isLost(runner) ? [runner.rule.id] : [])),
    obeyed: (output, reason) => {
      if (context.unheld.get(output) === reason) return;
      if (reason === undefined) context.unheld.delete(output);
      else context.unheld.set(output, reason);
      for (const [at, { rule }] of runners.entries())
        if (rule.kind === 'heartbeat') schedule.dirty[at] = 1;
      for (const rule of program.outputs.get(output) ?? []) context.touch(rule);
    },
  };
}

/** Every alarm of the engine; rules may come to have more of them while they run. */
class Machines {
  readonly #parts: Parts;
  #byId: Map<string, { readonly machine: AlarmMachine; readonly at: number }> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** With the position of the rule; -1: of an order without one. */
  byId(): ReadonlyMap<string, { readonly machine: AlarmMachine; readonly at: number }> {
    const { runners, orphans, context } = this.#parts;
    if (this.#byId && !context.out.machinesChanged) return this.#byId;
    context.out.machinesChanged = false;
    const found = new Map<string, { readonly machine: AlarmMachine; readonly at: number }>();
    for (const [at, runner] of runners.entries())
      for (const machine of runner.machines) found.set(machine.id, { machine, at });
    for (const machine of orphans.machines) found.set(machine.id, { machine, at: -1 });
    this.#byId = found;
    return found;
  }
}

/** Why a rule is as it is, with what stands beside it: an order under its name, an order that denies it something. */
function explain(
  { runners, orphans }: Parts,
  program: CompiledProgram,
  { id, at }: { readonly id: string; readonly at: number | undefined },
): Explanation | undefined {
  const runner = runners[at ?? -1];
  const about = runner && program.describe(runner.rule.id);
  const orphan = orphans.explain(id);
  if (!runner || !about) return orphan;
  const { kind, hash, source } = about;
  const own = runner.explain();
  const denied = orphans.denied.get(runner.rule.id);
  const more = [...(denied ? [`DENIED by order: ${denied.text}`] : []), ...(orphan?.text ?? [])];
  const [first = '', ...rest] = own.text;
  const text = more.length > 0 ? [first, ...more, ...rest] : own.text;
  return { rule: runner.rule.id, kind, state: runner.state(), ...own, text, source, hash };
}

function remarksOf({ runners, orphans }: Parts): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  const names = new Set(orphans.all.map(({ order }) => order.rule));
  for (const rule of [...names, ...orphans.denied.keys()]) found.set(rule, orphans.remarks(rule));
  for (const runner of runners) {
    const own = runner.remarks?.() ?? [];
    if (own.length > 0) found.set(runner.rule.id, [...own, ...(found.get(runner.rule.id) ?? [])]);
  }
  return found;
}

function isLost(runner: Runner): boolean {
  return runner instanceof InterlockRunner && runner.isLost;
}

/** Commands to an order without a rule. A rule of the same name that holds something itself comes first. */
function tellOrphans(
  orphans: Orphans,
  { id, isRule }: { readonly id: string; readonly isRule: boolean },
  command: RuleCommand,
  person: Person,
): CommandResult | undefined {
  if (!orphans.has(id) || (isRule && command.kind === 'reset')) return undefined;
  if (command.kind === 'reset') return orphans.reset(id, person);
  const machine = orphans.machines.find((one) => one.id === id);
  if (machine && command.kind === 'ack') return machine.command(command, person);
  return machine ? refused(`${id} is an order: it is reset or acknowledged`) : undefined;
}

/** Commands to the rule itself. */
function tell(runner: Runner, command: RuleCommand, person: Person): CommandResult | undefined {
  switch (command.kind) {
    case 'reset':
      return runner.reset(person);
    case 'bypass':
      return runner.bypass?.(command, person);
    case 'unbypass':
      return runner.endBypass?.(command.input, person);
    case 'ack':
      return refused(`${runner.rule.id} has no alarm`);
    default:
      return undefined;
  }
}
function article(kind: RuleKind): string {
  return `${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind}`;
}

/** By alarm: the fault that explains it now. */
function faultsBehind(runners: readonly Runner[]): ReadonlyMap<string, string> {
  const faults = new Map<string, string>();
  for (const runner of runners)
    if (runner instanceof DiagnosisRunner) {
      const found = runner.consequence();
      for (const alarm of found?.alarms ?? []) faults.set(alarm, found?.fault ?? '');
    }
  return faults;
}

function standing(
  machine: AlarmMachine,
  faults: ReadonlyMap<string, string>,
): readonly AlarmSnapshot[] {
  if (machine.state === 'NORMAL') return [];
  const explainedBy = faults.get(machine.id);
  const snapshot = machine.snapshot();
  return [explainedBy === undefined ? snapshot : { ...snapshot, explainedBy }];
}

/** The scan: what must run runs once, in the order of the program; then what prev() looks at. */
function scanOf(parts: Parts): RuleEngine['scan'] {
  const { slots, basis, context, runners, orphans, schedule, results, retention, options } = parts;
  const { clock } = slots;
  const { dirty, due } = schedule;
  const wantsAgain = (): boolean => clock.again;
  const runOne = (at: number, runner: Runner): void => {
    dirty[at] = 0;
    clock.due = Infinity;
    clock.again = false;
    const isAsked = (schedule.isAsked[at] as number) === 1;
    const before = isAsked ? runner.state() : undefined;
    const latched = slots.unsaved.latched;
    runner.run();
    if (slots.unsaved.latched !== latched) context.out.urgent.push(runner.rule.id);
    if (isAsked && runner.state() !== before) schedule.tripChanged(runner.rule.id);
    due[at] = clock.due;
    if ((schedule.hasFigures[at] as number) === 1) publish(parts, runner);
    if (wantsAgain()) dirty[at] = 1;
  };
  return (now) => {
    clock.now = now;
    const ahead = options.wallOf(now) - now;
    retention.begin(now, ahead);
    schedule.look(ahead);
    if (options.full === true) dirty.fill(1);
    for (let at = 0; at < runners.length; at++) {
      const runner = runners[at];
      if (runner && ((dirty[at] as number) === 1 || (due[at] as number) <= now)) runOne(at, runner);
    }
    if (orphans.isAny) orphans.scan();
    clock.due = Infinity;
    for (let i = 0; i < basis.after.length; i++) basis.after[i]?.run();
    runSteps(basis.store);
    if (retention.isDue(now)) context.out.retainedChanged = true;
    return results.next(Math.min(clock.due, retention.due, schedule.next(now + pulseMs)));
  };
}

/** Writes the figures of a rule into the image where they changed. */
function publish({ context, options }: Parts, runner: Runner): void {
  const { image, signalIndex } = options;
  for (const { figure, signal } of runner.rule.published) {
    const at = signalIndex[signal] ?? -1;
    const value = runner.figure?.(figure) ?? NaN;
    const quality = value === value ? Quality.good : Quality.input;
    const before = image.numbers[at] as number;
    const shown = value === value ? value : before;
    if (shown === before && quality === (image.qualities[at] as number)) continue;
    context.put(at, shown, quality, context.basis.slots.clock.now);
    context.out.changed.push(at);
  }
}
