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

/** One item of a rule file, as parsed from YAML. */
export interface RuleSource {
  readonly file: string;
  /** Position in the list of the file. */
  readonly index: number;
  readonly rule: unknown;
}

/** A problem in a rule; `path` leads to the key, `offset` into its expression. */
export interface RuleProblem {
  readonly file: string;
  readonly index: number;
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly hint?: string;
  readonly offset?: number;
  /** Version that added the check (2); absent: the first. A rule that ran before must not prevent a start. */
  readonly since?: number;
}

/** How rules find tags; `FT101` means the device's primary tag. */
export interface TagLookup {
  readonly find: (name: string) => RuleTag | undefined;
  readonly names: () => readonly string[];
}

/** A derived tag that the runtime adds to the image. */
export interface SignalDef {
  readonly name: string;
  readonly type: TagType;
  readonly unit: string | undefined;
  readonly rule: string;
}

/** `shadow`: the rule runs and reports, but sets no outputs. */
export type RuleMode = 'armed' | 'shadow' | 'off';

export interface RuleDescription {
  readonly kind: RuleKind;
  readonly hash: string;
  /** The rule as written. */
  readonly source: string;
  readonly mode: RuleMode;
}

/** Rules that passed every check. Immutable; any number of engines may run it. */
export interface RuleProgram {
  readonly signals: readonly SignalDef[];
  /** Ids of all rules in the order of evaluation. */
  readonly ids: readonly string[];
  readonly describe: (id: string) => RuleDescription | undefined;
  /** The outputs that the rule may hold; undefined for kinds that hold nothing. */
  readonly holding: (id: string) => Holding | undefined;
  /** Rules with `mode: off`: checked, and left out. */
  readonly off: ReadonlySet<string>;
  /** Positions of the tags that an interlock reads (through signals) or sets; none for other kinds. */
  readonly watched: (id: string) => readonly number[];
  /** Outputs by tag index, and the rules that drive each. */
  readonly outputs: ReadonlyMap<number, readonly string[]>;
  readonly warnings: readonly RuleProblem[];
  /** Problems from new checks only: at a start, these rules run nevertheless. */
  readonly tolerated: readonly RuleProblem[];
}

export interface CompileOptions {
  /** Tolerate rules that only new checks refuse: an earlier version ran them. */
  readonly atStart: boolean;
}

/** Rule states that survive a restart, by rule id; plain JSON. Their form `S` is known to the rules only. */
export type RetainedStates<S = unknown> = Readonly<Record<string, S>>;

export type CommandResult = { readonly ok: true } | { readonly ok: false; readonly reason: string };

export interface EngineOptions {
  readonly image: ImageView;
  /** Positions of `program.signals` in the image, in the same order. */
  readonly signalIndex: readonly number[];
  /** Writes a derived tag into the image. */
  readonly put: (index: number, value: number, quality: number, time: number) => void;
  /** Result of `retained()` before the restart; for rules that `earlier` knows, its states take precedence. */
  readonly retained?: RetainedStates;
  /**
   * The engine that ran until now: unchanged rules continue in their current state. Their tags may have other
   * positions in the new image, which must hold their values before the first scan. From any other engine (a wrapper), only the
   * result of `retained()` is used.
   */
  readonly earlier?: RuleEngine;
  /**
   * Rules whose memory is lost: a latching rule may have been tripped, and starts tripped unless
   * the rule says otherwise (`on_lost`). Used only without `earlier`.
   */
  readonly lost?: ReadonlySet<string>;
  /** The current orders, as this program takes them up; absent: orders are not kept. */
  readonly orders?: OrderBook;
  readonly wallOf: (mono: number) => WallMs;
}

/** The running rules. Not reentrant: called by the tick only. */
export interface RuleEngine<S = unknown> {
  /** One evaluation on the frozen image. */
  readonly scan: (now: MonoMs) => ScanResult;
  /** `id`: a rule, or an alarm of one. Takes effect at the next scan, which should follow at once. */
  readonly command: (
    id: string,
    command: RuleCommand,
    person: Person,
    now: MonoMs,
  ) => CommandResult;
  readonly why: (id: string) => Explanation | undefined;
  /** All alarms that are not normal. */
  readonly alarms: () => readonly AlarmSnapshot[];
  readonly states: () => ReadonlyMap<string, RuleState>;
  /** `of`: only of these rules, or of the rules of these alarms. */
  readonly retained: (of?: readonly string[]) => RetainedStates<S>;
  /** Outputs held by rules now. `of`: only by these rules, or by the rules of these alarms. */
  readonly held: (of?: readonly string[]) => readonly Held[];
  /** Orders without a rule. */
  readonly orphans: () => readonly Orphan[];
  /** Remarks on rules besides their states: `NOT OBEYED (…)`, `DENIED by order`, an order that holds. */
  readonly remarks: () => ReadonlyMap<string, readonly string[]>;
  /** Rules that are tripped because their memory was lost. */
  readonly lost: () => readonly string[];
  /** Reason why a demanded output is not obeyed; undefined: it is obeyed, or not demanded. */
  readonly obeyed: (output: number, reason: string | undefined) => void;
}

/** Programs on their way to another process: pieces of plain data, which only the rule language looks into. */
export interface ProgramCarrier {
  readonly parts: (program: RuleProgram) => Iterable<unknown>;
  readonly reader: () => ProgramReader;
}

/** Puts a program together again. */
export interface ProgramReader {
  /** The next piece, in the order of {@link ProgramCarrier.parts}. */
  readonly take: (part: unknown) => void;
  /** After the last piece; undefined: nothing came. */
  readonly program: () => RuleProgram | undefined;
}

/** The rule language as the runtime uses it; implemented by `rules/`. */
export interface RuleLanguage {
  readonly compile: (
    sources: readonly RuleSource[],
    tags: TagLookup,
    options?: CompileOptions,
  ) =>
    | { readonly ok: true; readonly program: RuleProgram }
    | { readonly ok: false; readonly problems: readonly RuleProblem[] };
  readonly start: (program: RuleProgram, options: EngineOptions) => RuleEngine;
  /** As `start`, beside the engine that runs; without it, the gateway stops for as long as `start` takes. */
  readonly prepare?: (program: RuleProgram, options: EngineOptions) => EnginePreparation;
}

/** An engine that is made while another one runs. */
export interface EnginePreparation {
  /** Does a little of it, less than 1 ms; returns whether something is left. */
  readonly step: () => boolean;
  /** Is it complete, and what it was made from as it was? If not, prepare another one. */
  readonly stands: () => boolean;
  /** The engine, with what the running one is at this instant; undefined if it is not so. */
  readonly finish: () => RuleEngine | undefined;
}
