import type {
  Demanded,
  Denial,
  Holding,
  IntentLevel,
  Order,
  OrderBook,
  OrderOutput,
  Orphan,
  PlainValue,
  Point,
  Value,
} from '../contract/index.js';
import { jsonValue } from '../contract/index.js';

/** What a configuration says of an output: where it is now, what would be written there, and whether rules may. */
export interface Place {
  /** Position in the image. */
  readonly tag: number;
  readonly point: Point;
  readonly mayWrite: boolean;
  /** It is written once: nobody reads it back. */
  readonly once: boolean;
  /** Undefined: the register cannot hold the value. */
  rawOf: (value: Value) => Value | undefined;
}

/** What orders are held against: the rules of a program, and the tags of a configuration. */
export interface Terms {
  holding: (rule: string) => Holding | undefined;
  isOff: (rule: string) => boolean;
  place: (tag: string) => Place | undefined;
  /** Ids of all rules that may come to hold something. */
  readonly rules: readonly string[];
  /** Roles of the configuration, by name. */
  hasRole: (role: string) => boolean;
}

/** What becomes of orders under a program. */
export interface Fate extends OrderBook {
  /** Orders that their rules go on with, with what of them goes on. */
  readonly kept: readonly Order[];
  /** Orders that had a rule until now, and would have none: what a reload must not do by itself. */
  readonly released: readonly string[];
  /** Rules that would demand another value than an order at its level: what a reload must not do at all. */
  readonly conflicts: readonly string[];
}

/** Who may let go of what no rule stands behind. */
const usualRole = 'engineer';

/**
 * What becomes of the orders that stand when this program comes. Pure; a start and a reload use it alike, and only what
 * they do with the answer differs: a reload refuses what a start must live with.
 */
export function whatBecomesOf(orders: readonly Order[], terms: Terms): Fate {
  const adopted = new Map<string, Map<string, OrderOutput>>();
  const kept: Order[] = [];
  const orphans: Orphan[] = [];
  const released: string[] = [];
  for (const order of orders) {
    const { goesOn, lost, why } = split(order, terms);
    if (goesOn) {
      kept.push(goesOn.order);
      const outputs = adopted.get(order.rule) ?? new Map<string, OrderOutput>();
      for (const [i, name] of goesOn.names.entries())
        outputs.set(name, goesOn.order.outputs[i] as OrderOutput);
      adopted.set(order.rule, outputs);
    }
    if (!lost) continue;
    if (order.orphan === undefined) released.push(releasedText(lost, why));
    orphans.push(orphanOf({ ...lost, orphan: order.orphan ?? why }, terms));
  }
  const { denied, conflicts } = conflictsOf(orphans, terms);
  return { adopted, kept, orphans, released, denied, conflicts };
}

interface Split {
  readonly goesOn: { readonly order: Order; readonly names: readonly string[] } | undefined;
  readonly lost: Order | undefined;
  readonly why: string;
}

function split(order: Order, terms: Terms): Split {
  const why = strangerTo(order, terms);
  const holding = terms.holding(order.rule);
  if (why !== undefined || !holding)
    return { goesOn: undefined, lost: order, why: why ?? 'its rule is gone' };
  const same = order.outputs.map((output) => sameOutput(output, holding.outputs, terms));
  const isWhole = same.every((name) => name !== undefined);
  // An order that has lost its rule is taken up as a whole, or not at all.
  if (order.orphan !== undefined && !isWhole)
    return { goesOn: undefined, lost: order, why: order.orphan };
  const part = (wanted: boolean): Order => {
    const outputs = order.outputs.filter((_, i) => (same[i] !== undefined) === wanted);
    return { ...order, outputs };
  };
  const names = same.filter((name) => name !== undefined);
  if (isWhole) {
    const { orphan, ...whole } = order;
    return { goesOn: { order: whole, names }, lost: undefined, why: orphan ?? '' };
  }
  const changed = 'its rule holds something else now';
  if (names.length === 0) return { goesOn: undefined, lost: order, why: changed };
  return { goesOn: { order: part(true), names }, lost: part(false), why: changed };
}

/** Why the rule of that name is not the one that gave the order; undefined: it is. */
function strangerTo({ rule, kind, latch }: Order, terms: Terms): string | undefined {
  const holding = terms.holding(rule);
  if (!holding) return terms.isOff(rule) ? 'its rule is off' : 'its rule is gone';
  if (holding.mode === 'shadow') return 'its rule is on trial';
  if (holding.kind !== kind) return `its rule is ${article(holding.kind)} now`;
  // What waits for a person must not come to release itself.
  return latch === 'manual' && holding.latch === 'auto'
    ? 'its rule releases itself now'
    : undefined;
}
function article(kind: string): string {
  return `${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind}`;
}

/** The output of the rule that is the same point, value and level, by its name of now. */
function sameOutput(
  { point, raw, value, level }: OrderOutput,
  outputs: readonly Demanded[],
  terms: Terms,
): string | undefined {
  for (const one of outputs) {
    const place = terms.place(one.name);
    if (!place?.mayWrite || one.level !== level || !samePoint(place.point, point)) continue;
    const now = plain(place.rawOf(one.value));
    if (now === raw && (raw !== null || plain(one.value) === value)) return one.name;
  }
  return undefined;
}

export function samePoint(a: Point, b: Point): boolean {
  return (
    a.driver === b.driver &&
    a.endpoint === b.endpoint &&
    a.address === b.address &&
    a.type === b.type &&
    a.scale === b.scale &&
    a.offset === b.offset
  );
}

function plain(value: Value | undefined): PlainValue {
  return value === undefined ? null : jsonValue(value);
}

/** An order without a rule under a configuration: where its outputs are, and who may reset it. */
function orphanOf(order: Order, terms: Terms): Orphan {
  const holding = terms.holding(order.rule);
  const state = holding
    ? holding.mode === 'shadow'
      ? ('SHADOW' as const)
      : undefined
    : terms.isOff(order.rule)
      ? ('OFF' as const)
      : ('ORPHAN' as const);
  const wanted = order.resetRole ?? usualRole;
  const role = terms.hasRole(wanted) ? wanted : usualRole;
  return {
    order,
    places: order.outputs.map((output) => placeOf(output, terms)),
    resetRole: terms.hasRole(role) ? role : undefined,
    state,
  };
}

/** Position in the image, or why nothing is written there. */
function placeOf({ tag, point, raw }: OrderOutput, terms: Terms): number | string {
  const place = terms.place(tag);
  if (!place) return `there is no tag ${tag} any more`;
  if (!samePoint(place.point, point)) return `${tag} is another point of the plant now`;
  if (!place.mayWrite) return `rules may not write ${tag} any more`;
  return raw === null ? 'its register cannot hold the value' : place.tag;
}

function releasedText({ rule, outputs }: Order, why: string): string {
  const list = outputs.map(({ tag, value }) => `${tag} = ${String(value)}`).join(', ');
  return `${rule} (${why}${list === '' ? '' : `; it holds ${list}`})`;
}

/** Rules that demand another value of an output than an order without a rule, at the same level. */
function conflictsOf(
  orphans: readonly Orphan[],
  terms: Terms,
): { readonly denied: ReadonlyMap<string, Denial>; readonly conflicts: readonly string[] } {
  const held = new Map<string, { readonly rule: string; readonly value: PlainValue }>();
  for (const { order, places } of orphans)
    for (const [i, { level, value }] of order.outputs.entries()) {
      const place = places[i];
      if (typeof place === 'number') held.set(keyOf(place, level), { rule: order.rule, value });
    }
  const denied = new Map<string, Denial>();
  if (held.size === 0) return { denied, conflicts: [] };
  for (const rule of terms.rules) {
    const holding = terms.holding(rule);
    if (holding?.mode !== 'armed') continue;
    for (const { tag, name, level, value } of holding.outputs) {
      const order = held.get(keyOf(tag, level));
      if (!order || order.value === plain(value)) continue;
      const text = `${name} = ${String(order.value)} is held by the order of ${order.rule}`;
      denied.set(rule, { text, by: order.rule });
    }
  }
  return { denied, conflicts: [...denied].map(([rule, { text }]) => `${rule}: ${text}`) };
}
function keyOf(tag: number, level: IntentLevel): string {
  return `${String(tag)} ${level}`;
}
