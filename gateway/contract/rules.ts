import type { MonoMs, WallMs } from './time.js';
import type { TagType, Value } from './value.js';

/** What the rule language needs to know of a tag. */
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
  /** May rules write it (`writes:` with `allow: [rules]`)? */
  readonly writable: boolean;
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
}

/** One leaf that made a rule true: what stood where, against which limit, at what quality, when. */
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
}

export type RuleKind = 'interlock' | 'permissive' | 'alarm' | 'signal';
export type Priority = 'low' | 'medium' | 'high' | 'critical';
export type InterlockState = 'DISARMED' | 'NORMAL' | 'PENDING' | 'TRIPPED' | 'TRIPPED_CLEAR';
export type PermissiveState = 'PERMITTED' | 'DENIED';
/** ISA-18.2: normal, unacknowledged, acknowledged, returned to normal but unacknowledged. */
export type AlarmState = 'NORMAL' | 'UNACK' | 'ACKED' | 'RTN_UNACK';
export type RuleState = InterlockState | PermissiveState | AlarmState;

/** A change that operators and the cloud are told of, once. */
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
}

/** An alarm (or the alarm of an interlock) as it stands; kept retained until normal and acknowledged. */
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
  /** The device whose alarm it is; undefined for one of a rule. */
  readonly device?: string;
  /** As the device says it, 1..1000. */
  readonly severity?: number;
  /** Why it may stand otherwise by now: the device cannot say. */
  readonly doubt?: string;
}

/** The answer to `millrace why RULE`. */
export interface Explanation {
  readonly rule: string;
  readonly kind: RuleKind;
  readonly state: RuleState | undefined;
  readonly since: WallMs | undefined;
  /** The leaf that came first, as it stood at the trip. */
  readonly firstOut: Evidence | undefined;
  /** The leaves that make it true (or deny it) now. */
  readonly now: readonly Evidence[];
  /** Whole sentences, the most important first. */
  readonly text: readonly string[];
  /** The rule as written, and a hash of it. */
  readonly source: string;
  readonly hash: string;
}

/** What one evaluation gave. The arrays are new when they changed, the same object when not. */
export interface ScanResult {
  /** Positions of derived tags whose value or quality changed. */
  readonly changed: readonly number[];
  readonly events: readonly RuleEvent[];
  /** Alarms that changed in this scan. */
  readonly alarms: readonly AlarmSnapshot[];
  /** Every demand that stands now, not only the new ones. */
  readonly intents: readonly WriteIntent[];
  /** When the rules must run again though no input changes; undefined = no timer runs. */
  readonly nextDue: MonoMs | undefined;
  /** States that must survive a restart changed: store `retained()` at once. */
  readonly retainedChanged: boolean;
}
