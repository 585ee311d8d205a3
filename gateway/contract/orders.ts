import type { Evidence, IntentLevel, RuleKind } from './rules.js';
import type { TagType } from './value.js';

/** The place of an output in the plant, and the conversion to it: an order is written only if all of it is the same. */
export interface Point {
  readonly driver: string;
  readonly endpoint: string;
  /** Device and address as the driver reads them, canonical JSON. */
  readonly address: string;
  readonly type: TagType;
  readonly scale: number;
  readonly offset: number;
}

/** A value in JSON: integers above 2^53 as texts. */
export type PlainValue = string | number | boolean | null;

/** One output that an order holds. */
export interface OrderOutput {
  /** Name of the tag when the order was given. */
  readonly tag: string;
  readonly point: Point;
  /** In engineering units, and as the device has it; null: the register cannot hold the value. */
  readonly value: PlainValue;
  readonly raw: PlainValue;
  readonly level: IntentLevel;
  /** It is written only once: a pulse, or an output that cannot be read back. */
  readonly once: boolean;
  /** It has been written. */
  readonly sent: boolean;
  /** Wall ms at which it ends automatically: the maximum time off of a step of a shed. */
  readonly until?: number;
}

/**
 * The outputs that a tripped rule holds, independent of the fate of the rule. Plain data, kept in the memory of the
 * gateway until an authorised reset.
 */
export interface Order {
  readonly rule: string;
  readonly kind: RuleKind;
  readonly latch: 'manual' | 'auto';
  /** Wall ms. */
  readonly since: number;
  readonly firstOut: Evidence | null;
  readonly evidence: readonly Evidence[];
  /** Role that may reset it; null: anyone who may give commands. */
  readonly resetRole: string | null;
  readonly outputs: readonly OrderOutput[];
  /** Reason why it has no rule any more; absent: it has one. */
  readonly orphan?: string;
}

/** An output as a rule demands it while it is tripped, or a step of a shed while it is off. */
export interface Demanded {
  /** Position in the image. */
  readonly tag: number;
  readonly name: string;
  readonly value: boolean | number | bigint | string | null;
  readonly level: IntentLevel;
  /** Wall ms at which it ends automatically. */
  readonly until?: number;
}

/** Outputs that a rule may hold, according to its text. */
export interface Holding {
  readonly kind: RuleKind;
  readonly mode: 'armed' | 'shadow';
  readonly latch: 'manual' | 'auto';
  readonly resetRole: string | undefined;
  readonly outputs: readonly Demanded[];
}

/** Outputs that a rule holds now. */
export interface Held extends Omit<Holding, 'mode'> {
  readonly rule: string;
  readonly since: number;
  readonly firstOut: Evidence | undefined;
  readonly evidence: readonly Evidence[];
}

/** Outputs that a rule continues to hold, by their current names. */
export type Adopted = ReadonlyMap<string, OrderOutput>;

/** Orders as an engine takes them up: those of existing rules, and those without a rule. */
export interface OrderBook {
  /**
   * By rule: the outputs that it continues to hold, by their current names. Its other demands wait for its own
   * cause.
   */
  readonly adopted: ReadonlyMap<string, Adopted>;
  readonly orphans: readonly Orphan[];
  /** Rules that demand another value of an output than an order at the same level. */
  readonly denied: ReadonlyMap<string, Denial>;
}

/** An output that a rule is denied, and the rule whose order denies it. */
export interface Denial {
  readonly text: string;
  readonly by: string;
}

/** An order without a rule, with where its outputs are now. */
export interface Orphan {
  readonly order: Order;
  /** By output, in its order: the position in the image, or why it is not written. */
  readonly places: readonly (number | string)[];
  /** Role that a reset requires now; undefined: anyone who may give commands. */
  readonly resetRole: string | undefined;
  /** The state of the rule of that name: `ORPHAN` (gone), `OFF`, `SHADOW`; undefined: it is armed. */
  readonly state: 'ORPHAN' | 'OFF' | 'SHADOW' | undefined;
}
