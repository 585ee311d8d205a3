import {
  invariant,
  Quality,
  type EngineOptions,
  type OrderBook,
  type RetainedStates,
  type WallMs,
  type Steps,
} from '../../gateway/contract/index.js';
import { isTrip, ruleOf, type CompiledRule, type CompiledProgram } from '../program/program.js';
import { sourceSteps } from '../program/sources.js';
import { Code } from './blocks/code.js';
import type { Slots } from './blocks/slots.js';
import type { CarriedState } from './handover.js';
import { AlarmRunner } from './run/alarm.js';
import type { Context, Gathered, Runner } from './run/context.js';
import { DiagnosisRunner } from './run/diagnosis.js';
import { HeartbeatRunner } from './run/heartbeat.js';
import type { StepContext } from './run/instantiate.js';
import { InterlockRunner } from './run/interlock.js';
import { Orphans } from './run/orphans.js';
import { PermissiveRunner } from './run/permissive.js';
import { retainedOf } from './run/retained.js';
import { ShedRunner } from './run/shed.js';
import { SignalRunner } from './run/signal.js';
import { Schedule } from './schedule.js';
import type { Checks } from './engine.js';

/** All that an engine needs for as long as it runs: not what was before it. */
export type EngineEnvironment = Omit<
  EngineOptions & Checks,
  'earlier' | 'retained' | 'lost' | 'orders'
>;

export interface EarlierState {
  readonly kept: RetainedStates | undefined;
  /** Rules of which nothing is known that should be. */
  readonly lost: ReadonlySet<string>;
  /** Undefined: nobody keeps orders. */
  readonly orders: OrderBook | undefined;
}

const noOrders: OrderBook = { adopted: new Map(), orphans: [], denied: new Map() };

export interface Built extends Omit<CarriedState, 'isUntold' | 'storedAt'> {
  readonly basis: StepContext;
  readonly context: Context;
  /** Where what is kept of the memory of each rule ends. */
  readonly keptEnds: readonly number[];
}

/** Makes the parts of an engine, a rule a step. */
export function* buildEngine(
  program: CompiledProgram,
  options: EngineEnvironment,
  before: EarlierState,
): Steps<Built> {
  const { image, signalIndex } = options;
  invariant(signalIndex.length === program.signals.length, 'a position for every signal');
  const slots = emptySlots(program.slots);
  const positions = new Map(program.signals.map((one, at) => [one.name, signalIndex[at] ?? -1]));
  const { rules, places } = program;
  const code = new Code(slots, image);
  const basis: StepContext = {
    slots,
    code,
    image,
    positionOf: (ref) => (ref.tag >= 0 ? ref.tag : (positions.get(ref.name) ?? -1)),
    wallOf: (at) => options.wallOf(at),
    isOrdered: (pattern) => orphans.fits(pattern),
    isTripped: (id) => {
      const runner = runners[places.get(id) ?? -1];
      // A rule on trial has tripped nothing, for those who ask.
      if (runner?.rule.mode !== 'armed' || !isTrip(runner.rule)) return false;
      const state = runner.state();
      return state === 'TRIPPED' || state === 'TRIPPED_CLEAR';
    },
    building: 0,
    touch: (rule) => {
      schedule.dirty[rule] = 1;
    },
    after: [],
    store: [],
  };
  const sources = yield* sourceSteps(rules);
  const schedule = yield* Schedule.make(program, image, basis.positionOf, sources);
  const context = contextOf(program, options, { basis, schedule });
  code.askedBefore = (tag) => schedule.askedBefore(tag);
  const orphans = new Orphans(context, before.orders ?? noOrders);
  const memoryEnds: number[] = [];
  const keptEnds: number[] = [];
  const runners: Runner[] = [];
  for (const [at, rule] of rules.entries()) {
    basis.building = at;
    const world = { signalIndex, sources: sources(rule.id) };
    runners.push(createRunner(context, rule, world, before));
    memoryEnds.push(slots.taken);
    keptEnds.push(slots.kept.length);
    yield;
  }
  slots.memory = slots.memory.slice(0, slots.taken);
  code.close();
  return { slots, basis, context, runners, orphans, memoryEnds, keptEnds, schedule };
}

function emptySlots(count: number): Slots {
  return {
    v: new Float64Array(count),
    q: new Uint8Array(count).fill(Quality.waiting),
    remembered: new Int32Array(count).fill(-1),
    memory: new Float64Array(0),
    taken: 0,
    kept: [],
    unsaved: { isAny: false, latched: 0 },
    clock: { now: 0, due: Infinity, again: false },
  };
}

interface Parts {
  readonly basis: StepContext;
  readonly schedule: Schedule;
}

/** What rules have around them while they run. */
function contextOf(
  program: CompiledProgram,
  options: EngineEnvironment,
  { basis, schedule }: Parts,
): Context {
  const { places } = program;
  const out: Gathered = {
    events: [],
    alarms: [],
    changed: [],
    intentsChanged: false,
    doubtsChanged: false,
    retainedChanged: false,
    urgent: [],
    machinesChanged: false,
  };
  const { positionOf } = basis;
  const wallOf = (at: number): WallMs => options.wallOf(at);
  return {
    basis,
    explaining: { slots: basis.slots, image: basis.image, positionOf, wallOf },
    out,
    put: (index, value, quality, time) => {
      options.put(index, value, quality, time);
      schedule.written(index);
    },
    wallNow: () => options.wallOf(basis.slots.clock.now),
    escalations: new Map(),
    disobeyed: new Map(),
    unheld: new Map(),
    nameOf: (tag) => nameOfOutput(program, tag),
    isShadow: (id) => ruleOf(program, id)?.mode === 'shadow',
    touch: (id) => basis.touch(places.get(id) ?? 0),
    touchAll: () => {
      schedule.dirty.fill(1);
    },
  };
}

/** Name of an output that some rule sets. */
function nameOfOutput({ rules }: CompiledProgram, tag: number): string {
  for (const rule of rules) {
    const found =
      rule.kind === 'heartbeat'
        ? [rule]
        : isTrip(rule)
          ? rule.effects
          : rule.kind === 'shed'
            ? rule.steps
            : [];
    for (const one of found) if (one.tag === tag) return one.name;
  }
  return `output ${String(tag)}`;
}

/** Where a rule stands in the image. */
interface RulePlace {
  readonly signalIndex: readonly number[];
  /** Positions of the tags behind it, through signals down to what is measured. */
  readonly sources: readonly number[];
}

function createRunner(
  context: Context,
  rule: CompiledRule,
  { signalIndex, sources }: RulePlace,
  { kept, lost, orders }: EarlierState,
): Runner {
  switch (rule.kind) {
    case 'interlock':
    case 'group':
      return new InterlockRunner(context, rule, {
        kept: retainedOf(kept, rule.id),
        lost: lost.has(rule.id),
        order: orders && (orders.adopted.get(rule.id) ?? null),
        sources,
      });
    case 'permissive':
      return new PermissiveRunner(context, rule);
    case 'alarm':
      return new AlarmRunner(context, rule, retainedOf(kept, rule.id));
    case 'shed':
      return new ShedRunner(context, rule, retainedOf(kept, rule.id), {
        adopted: orders && (orders.adopted.get(rule.id) ?? null),
      });
    case 'diagnosis':
      return new DiagnosisRunner(context, rule, retainedOf(kept, rule.id));
    case 'heartbeat':
      return new HeartbeatRunner(context, rule);
    case 'signal':
      return new SignalRunner(context, rule, signalIndex[rule.signal] ?? -1, sources);
  }
}
