import type { RuleKind, RuleMode, RuleProgram, Value } from '../../gateway/contract/index.js';
import type { AlarmText, BadPolicy, BypassTerms, OnLost } from '../read/terms.js';
import type { Conversion } from '../text/units.js';
import type { Larder, Packed } from './packed.js';

/** What follows when an output was not obeyed: an alarm (named after the rule, if it has no name), or a trip. */
export type OnFail =
  | { readonly kind: 'alarm'; readonly id: string | undefined }
  | { readonly kind: 'trip'; readonly rule: string };

/** How a rule can tell that an effect has happened in the plant. */
export interface Verify {
  readonly expect: Packed;
  /** Milliseconds. */
  readonly within: number;
  readonly retry: number;
  readonly onFail: OnFail;
}

export interface Effect {
  /** Id of the interlock. */
  readonly rule: string;
  /** Position of the output in the image. */
  readonly tag: number;
  readonly name: string;
  readonly to: Value;
  readonly level: 'trip' | 'interlock';
  readonly verify: Verify | undefined;
}

interface Compiled {
  readonly id: string;
  readonly hash: string;
  /** The rule as written. */
  readonly source: string;
  readonly strict: boolean;
  readonly mode: RuleMode;
  /** Figures of the rule that are tags, with their positions among the signals. */
  readonly published: readonly { readonly figure: string; readonly signal: number }[];
  /** Its slots: from inclusive, to exclusive. */
  readonly slotsStart: number;
  readonly slotsEnd: number;
}
export interface CompiledInterlock extends Compiled {
  readonly kind: 'interlock' | 'group';
  readonly cause: Packed;
  /** Of a group: its causes by name. */
  readonly causes: readonly { readonly name: string; readonly node: Packed }[];
  /** Names of the tags in cause and arm, which can be bypassed. */
  readonly inputs: readonly string[];
  readonly arm: Packed | undefined;
  readonly reset: Packed | undefined;
  /** By the name of the tag. */
  readonly policies: ReadonlyMap<string, BadPolicy>;
  readonly latch: 'manual' | 'auto';
  readonly hold: number;
  readonly effects: readonly Effect[];
  readonly alarm: AlarmText | undefined;
  readonly init: 'normal' | 'tripped';
  readonly bypass: BypassTerms | undefined;
  /** What the engineer promised for it, ms. */
  readonly maxResponse: number | undefined;
  /** Who may reset; undefined: whoever may give commands. */
  readonly resetRole: string | undefined;
  readonly onLost: OnLost;
  /** There is a vote in its cause whose good channels may decide alone. */
  readonly degrades: boolean;
}
export interface CompiledPermissive extends Compiled {
  readonly kind: 'permissive';
  readonly output: { readonly tag: number; readonly name: string } | undefined;
  readonly conditions: readonly { readonly name: string; readonly node: Packed }[];
}
export interface CompiledAlarm extends Compiled {
  readonly kind: 'alarm';
  readonly when: Packed;
  readonly arm: Packed | undefined;
  readonly suppress: Packed | undefined;
  readonly onDelay: number;
  readonly offDelay: number;
  readonly alarm: AlarmText;
  /** Positions of the tags that are doubted while it stands. */
  readonly doubts: readonly number[];
}
export interface CompiledShed extends Compiled {
  readonly kind: 'shed';
  readonly start: Packed;
  readonly restore: Packed;
  /** First to last. */
  readonly steps: readonly ShedStep[];
  /** Between two steps, ms. */
  readonly interval: number;
}
export interface ShedStep {
  readonly tag: number;
  readonly name: string;
  readonly to: Value;
  /** Milliseconds; `maxOff` may be Infinity. */
  readonly minOff: number;
  readonly maxOff: number;
}
export interface CompiledHeartbeat extends Compiled {
  readonly kind: 'heartbeat';
  readonly tag: number;
  readonly name: string;
  /** Between two beats, ms. */
  readonly every: number;
  readonly condition: Packed | undefined;
  /** Positions of the outputs that must be obeyed while they are demanded. */
  readonly covers: readonly number[];
}
export interface CompiledDiagnosis extends Compiled {
  readonly kind: 'diagnosis';
  readonly context: Packed | undefined;
  readonly symptoms: readonly { readonly name: string; readonly node: Packed }[];
  readonly hypotheses: readonly Hypothesis[];
  /** Probability of each symptom where nothing is wrong. */
  readonly background: number;
  readonly report: Report | undefined;
  /** Where the report finds what it judges. */
  readonly figures: Figures;
}
export interface Hypothesis {
  readonly name: string;
  readonly prior: number;
  /** Probability of each symptom under it, in the order of the symptoms. */
  readonly shows: readonly number[];
  /** Ids of alarms that it explains. */
  readonly explains: readonly string[];
}
export interface Report {
  readonly when: Packed;
  readonly delay: number;
  readonly alarm: AlarmText | undefined;
}
/** Slots of the figures of a diagnosis. */
export interface Figures {
  readonly top: number;
  readonly lead: number;
  readonly coverage: number;
}
export interface CompiledSignal extends Compiled {
  readonly kind: 'signal';
  /** Position among the signals of the program. */
  readonly signal: number;
  readonly value: Packed;
  readonly valid: Packed | undefined;
  /** To the declared unit. */
  readonly convert: Conversion;
}
export type CompiledRule =
  | CompiledInterlock
  | CompiledPermissive
  | CompiledAlarm
  | CompiledSignal
  | CompiledShed
  | CompiledDiagnosis
  | CompiledHeartbeat;

/** Interlocks and groups, as written or compiled: what trips outputs. */
export function isTrip<T extends { readonly kind: RuleKind }>(
  rule: T,
): rule is Extract<T, { readonly kind: 'interlock' | 'group' }> {
  return rule.kind === 'interlock' || rule.kind === 'group';
}

export function placesOf(rules: readonly { readonly id: string }[]): ReadonlyMap<string, number> {
  return new Map(rules.map(({ id }, at) => [id, at]));
}

/** The rule of that id; undefined: there is none. */
export function ruleOf(
  { rules, places }: Pick<CompiledProgram, 'rules' | 'places'>,
  id: string,
): CompiledRule | undefined {
  return rules[places.get(id) ?? -1];
}

/** A program with what the engine runs; the gateway knows the rest. */
export interface CompiledProgram extends RuleProgram {
  readonly effects: readonly Effect[];
  readonly rules: readonly CompiledRule[];
  /** By id: position in `rules`. */
  readonly places: ReadonlyMap<string, number>;
  /** What the expressions of all rules are made of. */
  readonly larder: Larder;
  /** How many positions for values the engine needs. */
  readonly slots: number;
}

/** Is it a program that `compile` made, or one of a part of its rules? */
export function isCompiled(program: RuleProgram): program is CompiledProgram {
  const { rules, places, slots } = program as Partial<CompiledProgram>;
  return Array.isArray(rules) && places instanceof Map && typeof slots === 'number';
}
