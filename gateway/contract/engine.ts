import type { ImageView } from './image.js';
import type { Held, Holding, OrderBook, Orphan } from './orders.js';
import type {
  AlarmSnapshot,
  Explanation,
  Person,
  RuleCommand,
  RuleKind,
  RuleState,
  RuleTag,
  ScanResult,
} from './rules.js';
import type { MonoMs, WallMs } from './time.js';
import type { TagType } from './value.js';

/** One element of a rule file, as YAML gave it. */
export interface RuleSource {
  readonly file: string;
  /** Position in the list of the file. */
  readonly index: number;
  readonly rule: unknown;
}

/** A problem in a rule; `path` leads to the key, `offset` into the expression that stands there. */
export interface RuleProblem {
  readonly file: string;
  readonly index: number;
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly hint?: string;
  readonly offset?: number;
  /** Of a check that the first version did not have (2): a rule that ran before must not stop a start. */
  readonly since?: number;
}

/** How rules find tags; `FT101` gives the device's primary tag. */
export interface TagLookup {
  find(name: string): RuleTag | undefined;
  names(): readonly string[];
}

/** A derived tag that the runtime adds to the image. */
export interface SignalDef {
  readonly name: string;
  readonly type: TagType;
  readonly unit: string | undefined;
  readonly rule: string;
}

export interface RuleProgram {
  readonly signals: readonly SignalDef[];
  readonly ids: readonly string[];
  describe(
    id: string,
  ): { kind: RuleKind; hash: string; source: string; mode: 'armed' | 'shadow' | 'off' } | undefined;
  /** What the rule may come to hold; undefined for kinds that hold nothing. */
  holding(id: string): Holding | undefined;
  /** Rules with `mode: off`: checked, and left out. */
  readonly off: ReadonlySet<string>;
  /** Positions of the tags that an interlock reads (through signals) or sets; none for other kinds. */
  watched(id: string): readonly number[];
  /** Outputs by tag index, and the rules that drive each. */
  readonly outputs: ReadonlyMap<number, readonly string[]>;
  readonly warnings: readonly RuleProblem[];
  /** What is refused by checks of today and runs all the same, at a start. */
  readonly tolerated: readonly RuleProblem[];
}

export interface CompileOptions {
  /** What only checks of today refuse is tolerated: an earlier version ran it. */
  readonly atStart: boolean;
}

/** Rule states that survive a restart, by rule id; plain JSON. */
export type RetainedStates = Readonly<Record<string, unknown>>;

export type CommandResult = { readonly ok: true } | { readonly ok: false; readonly reason: string };

export interface EngineOptions {
  readonly image: ImageView;
  /** Positions of `program.signals` in the image, in the same order. */
  readonly signalIndex: readonly number[];
  /** Writes a derived tag into the image. */
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
   * Rules of which something should be known, and nothing is: what latches may have been tripped, and starts so unless
   * the rule says otherwise (`on_lost`). Counts only without `earlier`.
   */
  readonly lost?: ReadonlySet<string>;
  /** The orders that stand, as this program takes them up; absent: nobody keeps orders. */
  readonly orders?: OrderBook;
  wallOf(mono: number): WallMs;
}

/** The running rules. Not reentrant: called by the tick only. */
export interface RuleEngine {
  /** One evaluation on the frozen image. */
  scan(now: MonoMs): ScanResult;
  /** `id`: a rule, or an alarm of one. Takes effect with the next scan, which should follow at once. */
  command(id: string, command: RuleCommand, person: Person, now: MonoMs): CommandResult;
  why(id: string): Explanation | undefined;
  /** All alarms that are not normal. */
  alarms(): readonly AlarmSnapshot[];
  states(): ReadonlyMap<string, RuleState>;
  /** `of`: of these rules, or those of these alarms, only. */
  retained(of?: readonly string[]): RetainedStates;
  /** What rules hold now. `of`: these rules, or those of these alarms, only. */
  held(of?: readonly string[]): readonly Held[];
  /** Orders without a rule. */
  orphans(): readonly Orphan[];
  /** What stands against rules beside their states: `NOT OBEYED (…)`, `DENIED by order`, an order that holds. */
  remarks(): ReadonlyMap<string, readonly string[]>;
  /** Rules that are tripped because their memory was lost. */
  lost(): readonly string[];
  /** What became of an output that is demanded: why it is not obeyed; undefined: it is, or nobody demands it. */
  obeyed(output: number, reason: string | undefined): void;
}

/** The rule language as the runtime uses it; implemented by `rules/`. */
export interface RuleLanguage {
  compile(
    sources: readonly RuleSource[],
    tags: TagLookup,
    options?: CompileOptions,
  ):
    | { readonly ok: true; readonly program: RuleProgram }
    | { readonly ok: false; readonly problems: readonly RuleProblem[] };
  start(program: RuleProgram, options: EngineOptions): RuleEngine;
}
