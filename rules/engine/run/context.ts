import type {
  AlarmSnapshot,
  CommandResult,
  Evidence,
  Explanation,
  Held,
  Person,
  RuleEvent,
  RuleKind,
  RuleState,
  WallMs,
  WriteIntent,
} from '../../../gateway/contract/index.js';
import type { CompiledRule } from '../../program/program.js';
import type { AlarmMachine } from './alarm-state.js';
import type { BypassRequest } from './bypass.js';
import type { ExplainContext } from './evidence.js';
import type { StepContext } from './instantiate.js';
import type { RetainedState } from './retained.js';

/** What one scan gathers. The lists are replaced, never emptied: the caller may keep them. */
export interface Gathered {
  events: RuleEvent[];
  alarms: AlarmSnapshot[];
  changed: number[];
  intentsChanged: boolean;
  doubtsChanged: boolean;
  retainedChanged: boolean;
  /** Rules whose state must survive a kill in this moment. */
  urgent: string[];
  /** A rule has an alarm that it did not have before. */
  machinesChanged: boolean;
}

/** What every rule has while it runs. */
export interface Context {
  readonly basis: StepContext;
  readonly explaining: ExplainContext;
  readonly out: Gathered;
  put: (index: number, value: number, quality: number, time: number) => void;
  /** Wall time of this scan. */
  wallNow: () => WallMs;
  /** Outputs that interlocks demand and the plant does not follow: by `RULE: output`, the position of the output. */
  readonly disobeyed: Map<string, number>;
  /** Outputs that could not be written as demanded, by their positions: why. */
  readonly unheld: Map<number, string>;
  /** Interlocks that others trip because their outputs are not obeyed: by rule, then by who does it. */
  readonly escalations: Map<string, Map<string, Evidence>>;
  /** Does the rule only tell, and set nothing? */
  isShadow: (rule: string) => boolean;
  /** Name of an output by its position. */
  nameOf: (tag: number) => string;
  /** The rule must run in this scan, or in the next one if its turn is over. */
  touch: (rule: string) => void;
  /** All rules must run in the next scan. */
  touchAll: () => void;
}

export const done: CommandResult = { ok: true };
export function refused(reason: string): CommandResult {
  return { ok: false, reason };
}

/** Why, where there is no reason to give. */
export const noEvidence: readonly Evidence[] = [];
/** Of rules that have no alarm. */
export const noMachines: readonly AlarmMachine[] = [];

export type Explained = Pick<Explanation, 'since' | 'firstOut' | 'now' | 'text' | 'diagnosis'>;

/** One rule while it runs. */
export interface Runner {
  readonly rule: CompiledRule;
  /**
   * Goes on where the same rule of another engine stands: takes over all that it remembers beside the
   * memory of its steps.
   */
  take: (from: Runner) => void;
  /** Called once a scan, in the order of the program. */
  run: () => void;
  state: () => RuleState | undefined;
  /** Adds the demands that stand now. */
  intents: (into: WriteIntent[]) => void;
  /** Adds the positions of the tags that it doubts now. */
  doubted?: (into: number[]) => void;
  /** A figure of the rule as a number; NaN: not known. */
  figure?: (name: string) => number;
  explain: () => Explained;
  retained: () => RetainedState | undefined;
  /** What it holds now; nothing for kinds that hold nothing. */
  held?: () => Held | undefined;
  /** What stands against it beside its state: `NOT OBEYED (device-refused): P.b = false`. */
  remarks?: () => readonly string[];
  /** Its alarms, whatever their state. */
  readonly machines: readonly AlarmMachine[];
  reset: (person: Person) => CommandResult;
  bypass?: (request: BypassRequest, person: Person) => CommandResult;
  endBypass?: (input: string | undefined, person: Person) => CommandResult;
}

/** The state of a rule that sets outputs changed: it must survive a restart, and a kill in this moment. */
export function mustSurvive(c: Context, rule: string): void {
  c.out.retainedChanged = true;
  c.out.urgent.push(rule);
}

export function addEvent(
  c: Context,
  rule: string,
  kind: RuleKind,
  from: RuleState,
  to: RuleState,
  text: string,
  evidence: readonly Evidence[],
  by?: string,
): void {
  const event = { rule, kind, from, to, time: c.wallNow(), text, evidence };
  const shadow = c.isShadow(rule) ? ({ shadow: true } as const) : {};
  c.out.events.push(by === undefined ? { ...event, ...shadow } : { ...event, ...shadow, by });
}
