import type { Bands } from './bands.js';
import type { Conversion } from './conversion.js';
import type { MonoMs, WallMs } from './time.js';
import type { TagType, Value } from './value.js';

/** The facts about a tag that the rule language requires. */
export interface RuleTag {
  readonly name: string;
  /** Position in the tag image. */
  readonly index: number;
  readonly type: TagType;
  /** Unit of measure as typed, such as `m3/h`; undefined = none. */
  readonly unit: string | undefined;
  /** Texts of an enumeration by their numbers. */
  readonly enumeration: ReadonlyMap<number, string> | undefined;
  /** Scan period in ms, for response budgets; undefined for derived tags. */
  readonly period: number | undefined;
  /** Its device pushes changes within a period. */
  readonly told?: true;
  /** May rules write it (`writes:` with `allow: [rules]`)? */
  readonly writable: boolean;
  /** Its device; undefined for constants and derived tags. */
  readonly device?: string;
  /** Conversion between raw value and value; undefined: there is no raw value. */
  readonly conversion?: Conversion;
  /** Permitted values for writes, in engineering units, inclusive. */
  readonly range?: readonly [low: number, high: number];
  /** Bands of its value; undefined: it has no span. */
  readonly bands?: Bands;
  /** Does the configuration declare its signal? */
  readonly isSignalKnown?: boolean;
}

/** Levels of a demand on an output, strongest first: the strongest wins. */
export const intentLevels = ['trip', 'interlock', 'shed', 'operator', 'auto'] as const;
export type IntentLevel = (typeof intentLevels)[number];

/** A value that an output must hold for as long as the rule demands it. */
export interface WriteIntent {
  readonly tag: number;
  readonly value: Value;
  readonly level: IntentLevel;
  /** Id of the rule. */
  readonly source: string;
  /** Increments when the output must be written again although the demand is the same. */
  readonly attempt?: number;
  /** It changes all the time: only failures are reported and audited. */
  readonly quiet?: true;
  /** An order without a rule: at the same level it overrides a rule. */
  readonly order?: true;
  /** It is written only once; `sent`: it has been. */
  readonly once?: boolean;
  readonly sent?: boolean;
}

/** One leaf that made a rule true: tag, value, limit, quality and time. */
export interface Evidence {
  /** The comparison as written: `FT101 < 5 m3/h`. */
  readonly expression: string;
  readonly tag: string | undefined;
  readonly value: Value;
  readonly unit: string | undefined;
  /** The other side of the comparison, in the same unit; undefined for a plain bool. */
  readonly limit: number | undefined;
  /** As {@link qualityText} gives it. */
  readonly quality: string;
  readonly time: WallMs;
  /** The cause of a group that it belongs to. */
  readonly cause?: string;
  /** It may have come first as well: both came within one scan period. */
  readonly tie?: true;
}

/** The key that names a rule. */
export const ruleKinds = [
  'interlock',
  'group',
  'permissive',
  'alarm',
  'signal',
  'diagnosis',
  'shed',
  'heartbeat',
] as const;
export type RuleKind = (typeof ruleKinds)[number];
export const priorities = ['low', 'medium', 'high', 'critical'] as const;
export type Priority = (typeof priorities)[number];
export type InterlockState =
  'DISARMED' | 'NORMAL' | 'PENDING' | 'TRIPPED' | 'TRIPPED_CLEAR' | 'BYPASSED';
/** SHEDDING: at least one step is off. */
export type ShedState = 'NORMAL' | 'SHEDDING';
export type HeartbeatState = 'BEATING' | 'STOPPED';
/** OFF: out of its context; CLEAR: nothing to report; FOUND: a fault is reported. */
export type DiagnosisState = 'OFF' | 'CLEAR' | 'FOUND';
export type PermissiveState = 'PERMITTED' | 'DENIED';
/** ISA-18.2: normal, unacknowledged, acknowledged, returned to normal but unacknowledged. */
export type AlarmState =
  | 'NORMAL'
  | 'UNACK'
  | 'ACKED'
  | 'RTN_UNACK'
  /** The cause has gone, the alarm waits for a reset. */
  | 'LATCHED_UNACK'
  | 'LATCHED_ACKED'
  | 'SHELVED'
  | 'SUPPRESSED'
  | 'OUT_OF_SERVICE';
/** State of a rule that is gone, off or in shadow mode while its order holds. */
export type OrderState = `${'ORPHAN' | 'OFF' | 'SHADOW'} (order holds)`;
export type RuleState =
  | InterlockState
  | PermissiveState
  | AlarmState
  | ShedState
  | DiagnosisState
  | HeartbeatState
  | OrderState;

/** A change that is reported to operators and sinks, once. */
export interface RuleEvent {
  readonly rule: string;
  readonly kind: RuleKind;
  readonly from: RuleState;
  readonly to: RuleState;
  readonly time: WallMs;
  /** One line for people. */
  readonly text: string;
  readonly evidence: readonly Evidence[];
  readonly by?: string;
  /** The rule is in shadow mode: it sets no outputs. */
  readonly shadow?: true;
}

/** The current state of an alarm (or of the alarm of an interlock); retained until normal and acknowledged. */
export interface AlarmSnapshot {
  readonly id: string;
  readonly state: AlarmState;
  readonly priority: Priority;
  readonly since: WallMs;
  readonly text: string;
  readonly evidence: readonly Evidence[];
  readonly consequence: string | undefined;
  readonly response: string | undefined;
  readonly responseTime: string | undefined;
  readonly ackedBy: string | undefined;
  /** Trouble of an instrument in the words of NAMUR NE 107. */
  readonly ne107?: 'failure' | 'function-check' | 'out-of-specification' | 'maintenance';
  /** Class, as the plant sorts its alarms. */
  readonly class?: string;
  readonly shelvedUntil?: WallMs;
  /** Who shelved it or took it out of service, and why. */
  readonly by?: string;
  readonly reason?: string;
  /** The diagnosis and the fault from which it follows, while that is reported. */
  readonly explainedBy?: string;
  /** The device whose alarm it is; undefined for one of a rule. */
  readonly device?: string;
  /** As reported by the device, 1..1000. */
  readonly severity?: number;
  /** Why the state may have changed: the device cannot report it. */
  readonly doubt?: string;
}

/** The answer to `millrace why RULE`. */
export interface Explanation {
  readonly rule: string;
  readonly kind: RuleKind;
  readonly state: RuleState | undefined;
  readonly since: WallMs | undefined;
  /** The leaf that came first, with its values at the trip. */
  readonly firstOut: Evidence | undefined;
  /** The leaves that make it true (or deny it) now. */
  readonly now: readonly Evidence[];
  /** Whole sentences, the most important first. */
  readonly text: readonly string[];
  /** The rule as written, and a hash of it. */
  readonly source: string;
  readonly hash: string;
  /** Of a diagnosis. */
  readonly diagnosis?: Ranking;
}

/** Symptoms and conclusions of a diagnosis. */
export interface Ranking {
  /** `unknown`: an input of it is bad. */
  readonly symptoms: Readonly<Record<string, 'seen' | 'not seen' | 'unknown'>>;
  /** Likeliest first; probabilities add up to less than 1, the rest is that nothing is wrong. */
  readonly faults: readonly { readonly name: string; readonly probability: number }[];
}

/** The person who gives a command, with the roles from the configuration. */
export interface Person {
  readonly name: string;
  readonly roles: readonly string[];
}

/** The commands of a person to a rule or an alarm. */
export type RuleCommand =
  | { readonly kind: 'ack' }
  /** Like a rising reset edge; refused while the cause is present; the reason names the evidence. */
  | { readonly kind: 'reset' }
  /** `input`: a tag of the rule; undefined = the whole rule. `duration` in ms. */
  | {
      readonly kind: 'bypass';
      readonly input: string | undefined;
      readonly duration: number;
      readonly reason: string;
    }
  | { readonly kind: 'unbypass'; readonly input: string | undefined }
  | {
      readonly kind: 'shelve';
      readonly duration: number;
      readonly reason: string;
      /** Shelving also ends when the cause has gone once. */
      readonly oneShot: boolean;
    }
  | { readonly kind: 'unshelve' }
  | { readonly kind: 'out-of-service'; readonly reason: string }
  | { readonly kind: 'in-service' };

/** Result of one evaluation. Arrays are new objects if they changed, otherwise the same ones. */
export interface ScanResult {
  /** Positions of derived tags whose value or quality changed. */
  readonly changed: readonly number[];
  readonly events: readonly RuleEvent[];
  /** Alarms that changed in this scan. */
  readonly alarms: readonly AlarmSnapshot[];
  /** Every current demand, not only the new ones. */
  readonly intents: readonly WriteIntent[];
  /** Positions of the tags whose values rules doubt now. */
  readonly doubted: readonly number[];
  /** When the rules must run again even if no input changes; undefined = no timer is running. */
  readonly nextDue: MonoMs | undefined;
  /** States that must survive a restart changed: store `retained()` at once. */
  readonly retainedChanged: boolean;
  /**
   * Rules that set outputs, or latched something, and whose state changed: theirs must survive a kill in
   * this very moment, so note `retained(urgent)` before a write is handed over.
   */
  readonly urgent: readonly string[];
}
