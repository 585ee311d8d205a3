import type { RuleKind, TagType, Value } from '../gateway/contract/index.js';
import type { BadPolicy } from './blocks/inputs.js';
import type { AlarmText } from './drafts.js';
import type { Node } from './ir.js';
import type { RuleProblem } from './problems.js';
import type { Conversion } from './units.js';

/** A derived tag that a signal makes; the runtime adds it to the image. */
export interface SignalDef {
  readonly name: string;
  /** `bool` or `float64`. */
  readonly type: TagType;
  readonly unit: string | undefined;
  /** Id of the rule; a signal has the name of its rule. */
  readonly rule: string;
}

/** How the runtime can tell that an effect has happened. Checked here, acted upon elsewhere. */
export interface Verify {
  /** The condition as written. */
  readonly expect: string;
  /** Milliseconds. */
  readonly within: number;
  readonly retry: number;
  readonly onFail: string | undefined;
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
  /** Its slots end here; they begin where those of the rule before it end. */
  readonly slotsEnd: number;
}
export interface CompiledInterlock extends Compiled {
  readonly kind: 'interlock';
  readonly cause: Node;
  readonly arm: Node | undefined;
  readonly reset: Node | undefined;
  /** By the name of the tag. */
  readonly policies: ReadonlyMap<string, BadPolicy>;
  readonly latch: 'manual' | 'auto';
  readonly hold: number;
  readonly effects: readonly Effect[];
  readonly alarm: AlarmText | undefined;
  readonly init: 'normal' | 'tripped';
}
export interface CompiledPermissive extends Compiled {
  readonly kind: 'permissive';
  readonly output: { readonly tag: number; readonly name: string } | undefined;
  readonly conditions: readonly { readonly name: string; readonly node: Node }[];
}
export interface CompiledAlarm extends Compiled {
  readonly kind: 'alarm';
  readonly when: Node;
  readonly arm: Node | undefined;
  readonly onDelay: number;
  readonly offDelay: number;
  readonly alarm: AlarmText;
}
export interface CompiledSignal extends Compiled {
  readonly kind: 'signal';
  /** Position among the signals of the program. */
  readonly signal: number;
  readonly value: Node;
  readonly valid: Node | undefined;
  /** To the declared unit. */
  readonly convert: Conversion;
}
export type CompiledRule = CompiledInterlock | CompiledPermissive | CompiledAlarm | CompiledSignal;

/** Rules that passed every check. Immutable; any number of engines may run it. */
export interface RuleProgram {
  readonly signals: readonly SignalDef[];
  /** Ids of all rules in the order of evaluation. */
  readonly ids: readonly string[];
  describe(id: string): RuleDescription | undefined;
  /** Positions of the outputs that rules set, with the ids of those rules. */
  readonly outputs: ReadonlyMap<number, readonly string[]>;
  readonly effects: readonly Effect[];
  readonly warnings: readonly RuleProblem[];
  /** For `createEngine`. */
  readonly rules: readonly CompiledRule[];
  /** How many positions for values the engine needs. */
  readonly slots: number;
}
export interface RuleDescription {
  readonly kind: RuleKind;
  readonly hash: string;
  readonly source: string;
}
