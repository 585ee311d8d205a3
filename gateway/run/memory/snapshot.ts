import { isMap, type Order, type RetainedStates } from '../../contract/index.js';

/** Version of what is kept; software finds what is newer unreadable, and leaves it alone. */
export const memoryVersion = 1;

/** The orders that stand, by the name of their rule. */
export type OrdersByRule = Readonly<Record<string, readonly Order[]>>;

/** All that must survive of rules, in one piece. Plain data; kept twice. */
export interface Snapshot {
  readonly v: typeof memoryVersion;
  /** Of the installation: of another one it is none of ours. */
  readonly id: string;
  /** The last note that is in it. */
  readonly note: number;
  readonly epoch: number;
  /** Rules that must have a state in it. */
  readonly roster: readonly string[];
  readonly states: RetainedStates;
  readonly orders: OrdersByRule;
}

/** How far memory must reach, kept apart from it. */
export interface Anchor {
  readonly v: typeof memoryVersion;
  readonly id: string;
  /** The highest note that was ever kept. */
  readonly note: number;
  readonly epoch: number;
  /** The gateway ended in good order. */
  readonly clean: boolean;
}

/** What changed since a snapshot: of these rules the states and orders are these. */
export interface Note {
  readonly id: string;
  readonly note: number;
  readonly states: RetainedStates;
  /** Absent: of a version that kept none. */
  readonly orders?: OrdersByRule;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** What was kept by a version that this one understands; `newer`: by one that it does not. */
export type Read<T> = T | 'bad' | 'newer';

function versionOf(value: unknown): 'known' | 'bad' | 'newer' {
  if (!isMap(value) || !isCount(value['v'])) return 'bad';
  return value['v'] === memoryVersion ? 'known' : value['v'] > memoryVersion ? 'newer' : 'bad';
}

export function readSnapshot(value: unknown): Read<Snapshot> {
  const version = versionOf(value);
  if (version !== 'known') return version;
  const found = value as Partial<Snapshot>;
  const isWhole =
    typeof found.id === 'string' &&
    isCount(found.note) &&
    isCount(found.epoch) &&
    Array.isArray(found.roster) &&
    found.roster.every((rule) => typeof rule === 'string') &&
    isMap(found.states) &&
    isMap(found.orders);
  return isWhole ? { ...(found as Snapshot), orders: usableOrders(found.orders) } : 'bad';
}

export function readAnchor(value: unknown): Read<Anchor> {
  const version = versionOf(value);
  if (version !== 'known') return version;
  const { id, note, epoch, clean } = value as Partial<Anchor>;
  const isWhole = typeof id === 'string' && isCount(note) && isCount(epoch);
  return isWhole && typeof clean === 'boolean' ? (value as Anchor) : 'bad';
}

export function readNote(value: unknown): Note | undefined {
  if (!isMap(value)) return undefined;
  const { id, note, states } = value as Partial<Note>;
  if (typeof id !== 'string' || !isCount(note) || !isMap(states)) return undefined;
  const { orders } = value as Partial<Note>;
  return { id, note, states, ...(isMap(orders) ? { orders: usableOrders(orders) } : {}) };
}

/** Own properties only, and lists only: a rule may have any name. */
function usableOrders(orders: unknown): OrdersByRule {
  const found = Object.entries(isMap(orders) ? orders : {}).filter(([, list]) =>
    Array.isArray(list),
  );
  return Object.fromEntries(found) as OrdersByRule;
}

/** A snapshot with what was noted after it, the last word on each rule. */
export function withNotes(snapshot: Snapshot, notes: readonly Note[]): Snapshot {
  const states = new Map(Object.entries(snapshot.states));
  const orders = new Map(Object.entries(snapshot.orders));
  let { note } = snapshot;
  for (const one of notes) {
    for (const [rule, state] of Object.entries(one.states)) states.set(rule, state);
    for (const [rule, list] of Object.entries(one.orders ?? {})) orders.set(rule, list);
    note = one.note;
  }
  return {
    ...snapshot,
    note,
    states: Object.fromEntries(states),
    orders: Object.fromEntries([...orders].filter(([, list]) => list.length > 0)),
  };
}
