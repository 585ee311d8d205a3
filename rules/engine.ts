import {
  invariant,
  mono,
  type AlarmSnapshot,
  type Explanation,
  type ImageView,
  type MonoMs,
  type RuleState,
  type ScanResult,
  type WallMs,
  type WriteIntent,
} from '../gateway/contract/index.js';
import type { Slots, Step } from './blocks/slots.js';
import { takeOver, type Estate, type Taken } from './handover.js';
import type { Plant } from './instantiate.js';
import { inputsOf, type Node } from './ir.js';
import type { CompiledRule, RuleProgram } from './program.js';
import { retainedOf, type RetainedState, type RetainedStates } from './retained.js';
import { AlarmRunner } from './run/alarm.js';
import { refused, type Answer, type Context, type Gathered, type Runner } from './run/context.js';
import { InterlockRunner } from './run/interlock.js';
import { PermissiveRunner } from './run/permissive.js';
import { SignalRunner } from './run/signal.js';

export interface EngineOptions {
  readonly image: ImageView;
  /** Positions of `program.signals` in the image, in the same order. */
  readonly signalIndex: readonly number[];
  /** Writes a derived tag into the image, at once: later rules of the scan read it. */
  put(index: number, value: number, quality: number, time: number): void;
  /** What `retained()` gave before the restart; of rules that `earlier` knows its states count. */
  readonly retained?: RetainedStates;
  /**
   * The engine that ran until now: rules that did not change go on where they stand in it. Their tags
   * may stand elsewhere in the new image, which must hold their values already. An engine that did not
   * come from here (a wrapper) gives only what its `retained()` says.
   */
  readonly earlier?: RuleEngine;
  /**
   * The states from before are lost: interlocks with `latch: manual` start TRIPPED. Counts only without
   * `earlier`.
   */
  readonly retainedLost?: boolean;
  wallOf(mono: number): WallMs;
}

export interface RuleEngine {
  /**
   * One evaluation on the frozen image. Never throws for any image. The result object is reused: read it
   * before the next scan; its arrays may be kept.
   */
  scan(now: MonoMs): ScanResult;
  /** Acknowledges an alarm. The state is new at once; event and snapshot come with the next scan. */
  ack(id: string, by: string, now: MonoMs): Answer;
  /**
   * Resets a latched interlock, as a rising edge of its reset would; refused while the cause stands.
   * Takes effect in the next scan, which the caller should run at once.
   */
  reset(id: string, by: string, now: MonoMs): Answer;
  why(id: string): Explanation | undefined;
  /** All alarms that are not NORMAL. */
  alarms(): readonly AlarmSnapshot[];
  /** By rule id; signals have no state. */
  states(): ReadonlyMap<string, RuleState>;
  /** What must survive a restart. Plain JSON. */
  retained(): RetainedStates;
}

/** What the next engine takes over from an engine. */
const estates = new WeakMap<RuleEngine, Estate>();
const nothingTaken: Taken = { rules: new Set(), isUntold: false };

/** Makes a running engine of a program. Pure construction: nothing is evaluated yet. */
export function createEngine(program: RuleProgram, options: EngineOptions): RuleEngine {
  const { earlier, retained, retainedLost, ...world } = options;
  const lost = retainedLost === true && !earlier;
  const kept = lost ? undefined : { ...retained, ...earlier?.retained() };
  const { slots, plant, context, runners, memoryEnds } = build(program, world, { kept, lost });
  const before = earlier && estates.get(earlier);
  const own = { slots, runners, memoryEnds, isUntold: () => false };
  const taken = before ? takeOver(own, before) : nothingTaken;
  if (before) context.out.intentsChanged = true;
  const results = new Results(context.out, runners, isNews(program, kept, taken));
  const engine = engineOf(program, { slots, plant, runners, results });
  estates.set(engine, { ...own, isUntold: () => results.isUntold });
  return engine;
}

/** Rules that are new or written differently must be known to the next start. */
function isNews(program: RuleProgram, kept: RetainedStates | undefined, taken: Taken): boolean {
  return (
    taken.isUntold ||
    program.rules.some(
      ({ id, kind, hash }) =>
        (kind === 'interlock' || kind === 'alarm') &&
        !taken.rules.has(id) &&
        retainedOf(kept, id)?.hash !== hash,
    )
  );
}

interface Parts {
  readonly slots: Slots;
  readonly plant: Plant;
  readonly runners: readonly Runner[];
  readonly results: Results;
}

function engineOf(program: RuleProgram, { slots, plant, runners, results }: Parts): RuleEngine {
  const byId = new Map(runners.map((runner) => [runner.rule.id, runner]));

  const setTime = (now: MonoMs): void => {
    slots.clock.now = now;
  };
  const scan = (now: MonoMs): ScanResult => {
    setTime(now);
    slots.clock.due = Infinity;
    for (let i = 0; i < runners.length; i++) runners[i]?.run();
    run(plant.after);
    run(plant.store);
    return results.next(slots.clock.due);
  };

  return {
    scan,
    ack: (id, by, now) => {
      setTime(now);
      return byId.get(id)?.ack(by) ?? refused(`there is no rule ${id}`);
    },
    reset: (id, by, now) => {
      setTime(now);
      return byId.get(id)?.reset(by) ?? refused(`there is no rule ${id}`);
    },
    why: (id) => {
      const runner = byId.get(id);
      const about = program.describe(id);
      if (!runner || !about) return undefined;
      const { kind, hash, source } = about;
      return { rule: id, kind, state: runner.state(), ...runner.explain(), source, hash };
    },
    alarms: () => runners.map((runner) => runner.alarm()).filter((one) => one !== undefined),
    states: () => {
      const states = new Map<string, RuleState>();
      for (const runner of runners) {
        const state = runner.state();
        if (state !== undefined) states.set(runner.rule.id, state);
      }
      return states;
    },
    retained: () => {
      const states: Record<string, RetainedState> = {};
      for (const runner of runners) {
        const state = runner.retained();
        if (state) states[runner.rule.id] = state;
      }
      return states;
    },
  };
}

function run(steps: readonly Step[]): void {
  for (let i = 0; i < steps.length; i++) steps[i]?.();
}

/** All that an engine needs for as long as it runs: not what was before it. */
type World = Omit<EngineOptions, 'earlier' | 'retained' | 'retainedLost'>;

interface Before {
  readonly kept: RetainedStates | undefined;
  readonly lost: boolean;
}

interface Built extends Omit<Estate, 'isUntold'> {
  readonly plant: Plant;
  readonly context: Context;
}

function build(program: RuleProgram, options: World, before: Before): Built {
  const { image, signalIndex } = options;
  invariant(signalIndex.length === program.signals.length, 'a position for every signal');
  const slots: Slots = {
    v: new Float64Array(program.slots),
    q: new Uint8Array(program.slots).fill(0x87),
    since: new Float64Array(program.slots),
    memory: new Float64Array(0),
    taken: 0,
    clock: { now: 0, due: Infinity },
  };
  const positions = new Map(program.signals.map((one, at) => [one.name, signalIndex[at] ?? -1]));
  const trips = new Map<string, Runner>();
  const plant: Plant = {
    slots,
    image,
    positionOf: (ref) => (ref.tag >= 0 ? ref.tag : (positions.get(ref.name) ?? -1)),
    isTripped: (id) => {
      const state = trips.get(id)?.state();
      return state === 'TRIPPED' || state === 'TRIPPED_CLEAR';
    },
    after: [],
    store: [],
  };
  const out: Gathered = {
    events: [],
    alarms: [],
    changed: [],
    intentsChanged: false,
    retainedChanged: false,
  };
  const { positionOf } = plant;
  const wallOf = (at: number): WallMs => options.wallOf(at);
  const context: Context = {
    plant,
    witness: { slots, image, positionOf, wallOf },
    out,
    put: (index, value, quality, time) => options.put(index, value, quality, time),
    sources: sourcesOf(program),
    wallNow: () => options.wallOf(slots.clock.now),
  };
  const memoryEnds: number[] = [];
  const runners = program.rules.map((rule) => {
    const runner = createRunner(context, rule, options.signalIndex, before);
    if (rule.kind === 'interlock') trips.set(rule.id, runner);
    memoryEnds.push(slots.taken);
    return runner;
  });
  slots.memory = slots.memory.slice(0, slots.taken);
  return { slots, plant, context, runners, memoryEnds };
}

function createRunner(
  context: Context,
  rule: CompiledRule,
  signalIndex: readonly number[],
  { kept, lost }: Before,
): Runner {
  switch (rule.kind) {
    case 'interlock':
      return new InterlockRunner(context, rule, { kept: retainedOf(kept, rule.id), lost });
    case 'permissive':
      return new PermissiveRunner(context, rule);
    case 'alarm':
      return new AlarmRunner(context, rule, retainedOf(kept, rule.id));
    case 'signal':
      return new SignalRunner(context, rule, signalIndex[rule.signal] ?? -1);
  }
}

function rootsOf(rule: CompiledRule): readonly (Node | undefined)[] {
  switch (rule.kind) {
    case 'interlock':
      return [rule.cause, rule.arm];
    case 'permissive':
      return rule.conditions.map((condition) => condition.node);
    case 'alarm':
      return [rule.when, rule.arm];
    case 'signal':
      return [rule.value, rule.valid];
  }
}

/** Image positions of what is measured behind a rule: signals are followed to their own inputs. */
function sourcesOf(program: RuleProgram): (rule: string) => readonly number[] {
  const found = new Map<string, readonly number[]>();
  // In the order of evaluation the sources of a signal are known before those of its users.
  for (const rule of program.rules) {
    const positions = new Set<number>();
    for (const root of rootsOf(rule))
      for (const { ref } of root ? inputsOf(root) : [])
        if (ref.tag >= 0) positions.add(ref.tag);
        else for (const position of found.get(ref.name) ?? []) positions.add(position);
    found.set(rule.id, [...positions]);
  }
  return (id) => found.get(id) ?? [];
}

/** Turns what was gathered into the result; what did not change is the same array as before. */
class Results {
  readonly #out: Gathered;
  readonly #runners: readonly Runner[];
  readonly #result: { -readonly [K in keyof ScanResult]: ScanResult[K] } = {
    changed: none,
    events: none,
    alarms: none,
    intents: none,
    nextDue: undefined,
    retainedChanged: false,
  };
  #isUntold: boolean;

  constructor(out: Gathered, runners: readonly Runner[], isUntold: boolean) {
    this.#out = out;
    this.#runners = runners;
    this.#isUntold = isUntold;
  }

  /** Must the next result say that the states are to be stored, whatever happens in it? */
  get isUntold(): boolean {
    return this.#isUntold;
  }

  next(due: number): ScanResult {
    const out = this.#out;
    const result = this.#result;
    result.events = out.events.length === 0 ? none : out.events;
    result.alarms = out.alarms.length === 0 ? none : out.alarms;
    result.changed = out.changed.length === 0 ? none : out.changed;
    if (out.events.length > 0) out.events = [];
    if (out.alarms.length > 0) out.alarms = [];
    if (out.changed.length > 0) out.changed = [];
    if (out.intentsChanged) {
      const intents: WriteIntent[] = [];
      for (const runner of this.#runners) runner.intents(intents);
      result.intents = intents;
    }
    result.nextDue = due === Infinity ? undefined : mono(due);
    result.retainedChanged = out.retainedChanged || this.#isUntold;
    out.intentsChanged = false;
    out.retainedChanged = false;
    this.#isUntold = false;
    return result;
  }
}
const none: readonly never[] = [];
