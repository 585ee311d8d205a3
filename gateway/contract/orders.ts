import type { Evidence, IntentLevel, RuleKind } from './rules.js';
import type { TagType } from './value.js';

/** Where an output lies in the plant, and how a value gets there: what must be the same for an order to be written. */
export interface Point {
  readonly driver: string;
  readonly endpoint: string;
  /** Device and address as the driver reads them, canonical JSON. */
  readonly address: string;
  readonly type: TagType;
  readonly scale: number;
  readonly offset: number;
}

/** A value as JSON keeps it: integers above 2^53 as texts. */
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
  /** It is written once, for good: a pulse, or an output that nobody can read back. */
  readonly once: boolean;
  /** It has been written. */
  readonly sent: boolean;
  /** Wall ms at which it ends by itself: the longest time off of a step of a shed. */
  readonly until?: number;
}

/**
 * What a tripped rule holds: it stands for itself, whatever becomes of the rule. Plain data, kept in the memory of the
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
  /** Who may reset it; null: whoever may give commands. */
  readonly resetRole: string | null;
  readonly outputs: readonly OrderOutput[];
  /** Why no rule stands behind it any more; absent: its rule does. */
  readonly orphan?: string;
}

/** An output as a rule demands it while it is tripped, or a step of a shed while it is off. */
export interface Demanded {
  /** Position in the image. */
  readonly tag: number;
  readonly name: string;
  readonly value: boolean | number | bigint | string | null;
  readonly level: IntentLevel;
  /** Wall ms at which it ends by itself. */
  readonly until?: number;
}

/** What a rule may come to hold, as its text says. */
export interface Holding {
  readonly kind: RuleKind;
  readonly mode: 'armed' | 'shadow';
  readonly latch: 'manual' | 'auto';
  readonly resetRole: string | undefined;
  readonly outputs: readonly Demanded[];
}

/** What a rule holds now. */
export interface Held extends Omit<Holding, 'mode'> {
  readonly rule: string;
  readonly since: number;
  readonly firstOut: Evidence | undefined;
  readonly evidence: readonly Evidence[];
}

/** What a rule goes on holding, by the names of its outputs now. */
export type Adopted = ReadonlyMap<string, OrderOutput>;

/** Orders as an engine takes them up: those of living rules, and those that no rule stands behind. */
export interface OrderBook {
  /**
   * By rule: the outputs that it goes on holding, by their names of now. What it demands beside them waits for its own
   * cause.
   */
  readonly adopted: ReadonlyMap<string, Adopted>;
  readonly orphans: readonly Orphan[];
  /** Rules that demand another value of an output than an order at the same level. */
  readonly denied: ReadonlyMap<string, Denial>;
}

/** What a rule is denied, and the rule whose order denies it. */
export interface Denial {
  readonly text: string;
  readonly by: string;
}

/** An order without a rule, with where its outputs are now. */
export interface Orphan {
  readonly order: Order;
  /** By output, in its order: the position in the image, or why it is not written. */
  readonly places: readonly (number | string)[];
  /** Role that a reset needs now; undefined: whoever may give commands. */
  readonly resetRole: string | undefined;
  /** The state of the rule of that name: `ORPHAN` (gone), `OFF`, `SHADOW`; undefined: it is armed. */
  readonly state: 'ORPHAN' | 'OFF' | 'SHADOW' | undefined;
}
