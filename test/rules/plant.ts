import {
  mono,
  Quality,
  spanOnly,
  wall,
  type EngineOptions,
  type ImageView,
  type Person,
  type RetainedStates,
  type RuleEngine,
  type RuleEvent,
  type RuleProblem,
  type RuleState,
  type RuleTag,
  type ScanResult,
  type TagLookup,
  type TagType,
} from '../../gateway/contract/index.js';
import {
  compileRules,
  createEngine,
  prepareEngine,
  type Checks,
  type CompiledProgram,
} from '../../rules/index.js';

/** `FT101: 'm3/h'`: a float with a unit; `''`: none; `bool`, `string`; or a whole description. */
export type TagSpec =
  | string
  | {
      type?: TagType;
      unit?: string;
      writable?: boolean;
      period?: number;
      span?: readonly [number, number];
      enumeration?: Record<number, string>;
    };
export type TagSpecs = Record<string, TagSpec>;

export function lookupOf(specs: TagSpecs): TagLookup & { tags: RuleTag[] } {
  const tags = Object.entries(specs).map(([name, spec], index): RuleTag => {
    const full =
      typeof spec !== 'string'
        ? spec
        : spec === 'bool' || spec === 'string'
          ? { type: spec as TagType }
          : { unit: spec };
    const texts = full.enumeration;
    return {
      name,
      index,
      type: full.type ?? 'float64',
      unit: full.unit === undefined || full.unit === '' ? undefined : full.unit,
      enumeration:
        texts && new Map(Object.entries(texts).map(([number, text]) => [Number(number), text])),
      period: full.period ?? 1000,
      ...(full.span ? { bands: spanOnly(full.span) } : {}),
      writable: full.writable ?? false,
    };
  });
  const byName = new Map(tags.map((tag) => [tag.name, tag]));
  return { tags, find: (name) => byName.get(name), names: () => [...byName.keys()] };
}

/** Somebody without a role. */
export function person(name: string, ...roles: string[]): Person {
  return { name, roles };
}

export function compiled(rules: readonly unknown[], specs: TagSpecs): CompiledProgram {
  return runnable(rules, specs, false);
}

/** `old`: also what only the checks of this version refuse, as a start does. */
function runnable(rules: readonly unknown[], specs: TagSpecs, old: boolean): CompiledProgram {
  const sources = rules.map((rule, index) => ({ file: 'rules.yaml', index, rule }));
  const result = compileRules(sources, lookupOf(specs), { atStart: old });
  if (!result.ok)
    throw new TypeError(
      result.problems.map((one) => `${one.path.join('.')}: ${one.message}`).join(),
    );
  return result.program;
}

export function problemsOf(rules: readonly unknown[], specs: TagSpecs): readonly RuleProblem[] {
  const sources = rules.map((rule, index) => ({ file: 'rules.yaml', index, rule }));
  const result = compileRules(sources, lookupOf(specs));
  return result.ok ? [] : result.problems;
}

/** Wall time of monotonic zero in the tests. */
export const epoch = 1_700_000_000_000;

/** A plant on a bench: tags are set by hand, time goes only when told to. */
export interface Plant {
  engine: RuleEngine;
  program: CompiledProgram;
  image: ImageView;
  events: RuleEvent[];
  result: ScanResult;
  now: number;
  /** Sets good values now; no scan. */
  set(values: Record<string, number | boolean | string>): void;
  quality(name: string, quality: number): void;
  /** Goes to `seconds`, scanning at every due timer on the way and at the end. */
  to(seconds: number): ScanResult;
  scan(): ScanResult;
  state(id: string): RuleState | undefined;
  value(name: string): number;
  qualityOf(name: string): number;
  /** All tags and signals. */
  names: readonly string[];
  index(name: string): number;
  /** The value that the rules demand of an output, the strongest of them. */
  demanded(name: string): unknown;
  /** Of one that was prepared: its engine runs from here on; false: it does not stand. */
  finish(): boolean;
}

export function plant(
  rules: readonly unknown[],
  specs: TagSpecs,
  retained?: RetainedStates,
  before: Partial<
    Pick<EngineOptions & Checks, 'earlier' | 'lost' | 'orders' | 'full' | 'wallOf'>
  > & {
    readonly program?: CompiledProgram;
    /** The engine is made beside `earlier`, and runs when it is finished. */
    readonly isPrepared?: boolean;
  } = {},
): Plant {
  const program = before.program ?? runnable(rules, specs, true);
  const lookup = lookupOf(specs);
  const at = new Map<string, number>(lookup.tags.map((tag) => [tag.name, tag.index]));
  const derived = program.signals.map((signal, n) => {
    at.set(signal.name, lookup.tags.length + n);
    return lookup.tags.length + n;
  });
  const size = lookup.tags.length + derived.length;
  const numbers = new Float64Array(size);
  const qualities = new Uint8Array(size).fill(Quality.waiting);
  const times = new Float64Array(size);
  const wide: (string | bigint | undefined)[] = [];
  const image: ImageView = { size, numbers, qualities, wide, times };
  const index = (name: string): number => {
    const found = at.get(name);
    if (found === undefined) throw new TypeError(`no tag ${name}`);
    return found;
  };
  const options: EngineOptions & Checks = {
    image,
    signalIndex: derived,
    put: (position, value, quality, time) => {
      numbers[position] = value;
      qualities[position] = quality;
      times[position] = time;
    },
    wallOf: (ms) => wall(epoch + ms),
    ...(retained ? { retained } : {}),
    ...before,
  };
  const preparation = before.isPrepared === true ? prepareEngine(program, options) : undefined;
  while (preparation?.step() === true);
  let engine: RuleEngine =
    preparation && before.earlier ? before.earlier : createEngine(program, options);
  let isFresh = false;
  const nothing: ScanResult = {
    changed: [],
    events: [],
    alarms: [],
    intents: [],
    nextDue: undefined,
    doubted: [],
    retainedChanged: false,
    urgent: [],
  };
  const self: Plant = {
    engine,
    program,
    image,
    events: [],
    result: nothing,
    now: 0,
    set: (values) => {
      for (const [name, value] of Object.entries(values)) {
        const position = index(name);
        if (typeof value === 'string') wide[position] = value;
        else numbers[position] = Number(value);
        qualities[position] = Quality.good;
        times[position] = self.now;
      }
      isFresh = true;
    },
    quality: (name, quality) => {
      qualities[index(name)] = quality;
      times[index(name)] = self.now;
      isFresh = true;
    },
    scan: () => {
      isFresh = false;
      self.result = engine.scan(mono(self.now));
      self.events.push(...self.result.events);
      return self.result;
    },
    to: (seconds) => {
      const end = seconds * 1000;
      if (isFresh) self.scan();
      for (let guard = 0; guard < 10_000; guard++) {
        const due = self.result.nextDue;
        if (due === undefined || due >= end || due <= self.now) break;
        self.now = due;
        self.scan();
      }
      self.now = end;
      return self.scan();
    },
    finish: () => {
      const made = preparation?.finish();
      if (!made) return false;
      engine = made;
      self.engine = made;
      return true;
    },
    state: (id) => engine.states().get(id),
    names: [...at.keys()],
    index,
    value: (name) => numbers[index(name)] ?? NaN,
    qualityOf: (name) => qualities[index(name)] ?? NaN,
    demanded: (name) => {
      const position = at.get(name);
      const order = ['trip', 'interlock', 'shed', 'operator', 'auto'];
      return [...self.result.intents]
        .filter((intent) => intent.tag === position)
        .sort((a, b) => order.indexOf(a.level) - order.indexOf(b.level))[0]?.value;
    },
  };
  return self;
}

/** Other rules on other tags, as a reload makes them: same values, same time, the engine takes over. */
export function reloaded(
  from: Plant,
  rules: readonly unknown[],
  specs: TagSpecs,
  retained?: RetainedStates,
): Plant {
  const next = plant(rules, specs, retained, { earlier: from.engine });
  adopt(next, from);
  return next;
}

/** As {@link reloaded}, of an engine that was prepared for it beside the one that runs. */
export function prepared(from: Plant, rules: readonly unknown[], specs: TagSpecs): Plant {
  return plant(rules, specs, undefined, { earlier: from.engine, isPrepared: true });
}

/** It takes the place of the other one; false: it does not stand. */
export function takesOver(next: Plant, from: Plant): boolean {
  adopt(next, from);
  return next.finish();
}

function adopt(next: Plant, from: Plant): void {
  next.now = from.now;
  for (const name of from.names) {
    const [at, to] = [from.index(name), next.names.includes(name) ? next.index(name) : -1];
    if (to < 0) continue;
    next.image.numbers[to] = from.image.numbers[at] ?? NaN;
    next.image.qualities[to] = from.image.qualities[at] ?? 0;
    next.image.times[to] = from.image.times[at] ?? NaN;
    (next.image.wide as unknown[])[to] = from.image.wide[at];
  }
}
