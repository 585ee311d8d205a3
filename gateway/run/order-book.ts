import {
  own,
  jsonValue,
  type Demanded,
  type Held,
  type Holding,
  type Order,
  type OrderOutput,
  type PlainValue,
  type RetainedStates,
  type RuleEngine,
  type Value,
} from '../contract/index.js';
import type { Terms } from '../write/orders.js';
import type { OrdersByRule } from './memory/snapshot.js';

/** Has this rule had what it writes there once? */
export type WasSent = (tag: string, rule: string) => boolean;

/**
 * The orders that stand now, by rule: of these rules, or of all. A rule that was asked for and has none is there with an
 * empty list.
 */
export function ordersNow(
  engine: RuleEngine,
  terms: Terms,
  wasSent: WasSent,
  of?: readonly string[],
): OrdersByRule {
  const found = new Map<string, Order[]>();
  for (const rule of of ?? []) found.set(rule, []);
  const add = (order: Order): void => {
    const list = found.get(order.rule);
    if (list) list.push(order);
    else if (!of) found.set(order.rule, [order]);
  };
  for (const held of engine.held(of)) add(orderOf(held, terms, wasSent));
  for (const { order } of engine.orphans()) add(withSent(order, wasSent));
  return Object.fromEntries(found);
}

function orderOf(held: Held, terms: Terms, wasSent: WasSent): Order {
  const { rule, kind, latch, since, firstOut, evidence, resetRole } = held;
  const outputs = held.outputs.flatMap((one) => outputOf(one, rule, terms, wasSent) ?? []);
  return {
    rule,
    kind,
    latch,
    since,
    firstOut: firstOut ?? null,
    evidence,
    resetRole: resetRole ?? null,
    outputs,
  };
}

function outputOf(
  { name, value, level, until }: Demanded,
  rule: string,
  terms: Terms,
  wasSent: WasSent,
): OrderOutput | undefined {
  const place = terms.place(name);
  if (!place) return undefined;
  return {
    tag: name,
    point: place.point,
    value: jsonValue(value),
    raw: plain(place.rawOf(value)),
    level,
    once: place.once,
    sent: place.once && wasSent(name, rule),
    ...(until === undefined ? {} : { until }),
  };
}
function plain(value: Value | undefined): PlainValue {
  return value === undefined ? null : jsonValue(value);
}

function withSent(order: Order, wasSent: WasSent): Order {
  const outputs = order.outputs.map((output) =>
    output.once && !output.sent && wasSent(output.tag, order.rule)
      ? { ...output, sent: true }
      : output,
  );
  return { ...order, outputs };
}

/** What orders had written once and for good before this start. */
export function sentOnce(orders: readonly Order[]): readonly (readonly [string, string])[] {
  return orders.flatMap(({ rule, outputs }) =>
    outputs.filter(({ once, sent }) => once && sent).map(({ tag }) => [tag, rule] as const),
  );
}

/** Tags on which an order stands and is not held: nobody else writes them. By tag, the rule. */
export function reservedBy(engine: RuleEngine): ReadonlyMap<string, string> {
  return new Map(
    engine
      .orphans()
      .flatMap(({ order, places }) =>
        order.outputs
          .filter((_, i) => typeof places[i] === 'string')
          .map(({ tag }) => [tag, order.rule] as const),
      ),
  );
}

/** The parts of a state that the first version kept which say that its rule was tripped, or had switched something off. */
interface Before {
  readonly kind: Order['kind'];
  readonly state: string;
  readonly since: number;
  readonly firstOut: Order['firstOut'];
  readonly evidence: Order['evidence'];
  readonly off?: Readonly<Record<string, number>>;
}

/** Orders of a version that kept only states: what the rules of now hold when they are as they were. */
export function inheritedOrders(states: RetainedStates, terms: Terms): readonly Order[] {
  return Object.entries(states).flatMap(([rule, state]) => {
    if (typeof state !== 'object' || state === null) return [];
    const before = state as Before;
    const isTripped = before.state === 'TRIPPED' || before.state === 'TRIPPED_CLEAR';
    if (!isTripped && before.state !== 'SHEDDING') return [];
    const holding = terms.holding(rule);
    const outputs = (holding?.outputs ?? []).filter(
      ({ name }) => isTripped || own(before.off, name) !== undefined,
    );
    const held = { ...holding, outputs };
    return [inherited(rule, before, held, terms)];
  });
}

function inherited(
  rule: string,
  { kind, since, firstOut, evidence }: Before,
  { latch, resetRole, outputs }: Partial<Holding> & Pick<Holding, 'outputs'>,
  terms: Terms,
): Order {
  return {
    rule,
    kind,
    latch: latch ?? 'manual',
    since,
    firstOut,
    evidence: Array.isArray(evidence) ? evidence : [],
    resetRole: resetRole ?? null,
    outputs: outputs.flatMap((one) => outputOf(one, rule, terms, () => false) ?? []),
  };
}
