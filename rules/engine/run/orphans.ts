import {
  globMatcher,
  wall,
  type CommandResult,
  type Denial,
  type Evidence,
  type Explanation,
  type OrderBook,
  type OrderOutput,
  type OrderState,
  type Orphan,
  type Person,
  type Value,
  type WriteIntent,
} from '../../../gateway/contract/index.js';
import { plainText } from '../../read/terms.js';
import { AlarmMachine } from './alarm-state.js';
import { addEvent, done, mustSurvive, noEvidence, refused, type Context } from './context.js';
import { evidenceList, remark } from './evidence.js';

/** All orders that stand under one name. */
interface Group {
  readonly rule: string;
  orphans: readonly Orphan[];
  readonly machine: AlarmMachine;
}

/**
 * Orders without a rule: the rule was renamed, removed, switched off or rewritten while it was tripped. What it held is
 * held on under the old name, until a person resets it.
 */
export class Orphans {
  readonly #c: Context;
  readonly #groups: Group[];
  readonly #denied: ReadonlyMap<string, Denial>;
  readonly #deniedAlarms: readonly (readonly [AlarmMachine, Denial])[];

  constructor(c: Context, { orphans, denied }: OrderBook) {
    this.#c = c;
    const byRule = new Map<string, Orphan[]>();
    for (const one of orphans) {
      const list = byRule.get(one.order.rule);
      if (list) list.push(one);
      else byRule.set(one.order.rule, [one]);
    }
    this.#groups = [...byRule].map(([rule, list]) => {
      const machine = new AlarmMachine(c, alarmId(rule, list), plainText('critical'), null, true);
      return { rule, orphans: list, machine };
    });
    this.#denied = denied;
    this.#deniedAlarms = [...denied].map(([rule, denial]) => {
      return [new AlarmMachine(c, `${rule}-DENIED`, plainText('critical'), null, true), denial];
    });
    if (this.#groups.length > 0) c.out.intentsChanged = true;
  }

  get isAny(): boolean {
    return this.#groups.length > 0 || this.#deniedAlarms.length > 0;
  }
  get machines(): readonly AlarmMachine[] {
    return [
      ...this.#groups.map(({ machine }) => machine),
      ...this.#deniedAlarms.map(([one]) => one),
    ];
  }
  get all(): readonly Orphan[] {
    return this.#groups.flatMap(({ orphans }) => orphans);
  }

  /** Alarms that stood for the same orders of another engine stand on, acknowledged or not. */
  take(from: Orphans): void {
    for (const machine of this.machines) {
      const other = from.machines.find(({ id }) => id === machine.id);
      if (other) machine.take(other);
    }
  }

  /** Once a scan: alarms, and steps of load shedding whose longest time off is over. */
  scan(): void {
    for (const group of this.#groups) {
      this.#end(group);
      const { machine, orphans } = group;
      machine.flush();
      const stands = orphans.length > 0;
      machine.update(stands, machine.rises(stands) ? this.#evidence(orphans) : noEvidence);
    }
    for (const [machine, { text, by }] of this.#deniedAlarms) {
      machine.flush();
      const stands = this.has(by);
      const why = machine.rises(stands) ? [remark(text, this.#c.wallNow())] : noEvidence;
      machine.update(stands, why);
    }
  }

  #end(group: Group): void {
    const now = this.#c.wallNow();
    const isOver = ({ until }: OrderOutput): boolean => until !== undefined && now >= until;
    if (!group.orphans.some(({ order }) => order.outputs.some(isOver))) return;
    group.orphans = group.orphans.flatMap((one) => withoutEnded(one, isOver));
    this.#changed(group.rule, 'its longest time off is over');
  }

  intents(into: WriteIntent[]): void {
    for (const { order, places } of this.all)
      for (const [i, output] of order.outputs.entries()) {
        const tag = places[i];
        if (typeof tag !== 'number') continue;
        const { level, sent, once } = output;
        const demand = {
          tag,
          value: valueOf(output),
          level,
          source: order.rule,
          order: true as const,
        };
        into.push(once ? { ...demand, once, ...(sent ? { sent } : {}) } : demand);
      }
  }

  /** Does an order stand under a name of this pattern? */
  fits(pattern: string): boolean {
    const matches = globMatcher(pattern);
    return this.#groups.some(({ rule, orphans }) => orphans.length > 0 && matches(rule));
  }

  /** `ORPHAN (order holds)`, by the name of the rule; that of a living one stands beside its own. */
  states(): readonly (readonly [rule: string, state: OrderState])[] {
    return this.#groups.flatMap(({ rule, orphans }) => {
      const state = orphans[0]?.state;
      return state === undefined ? [] : [[rule, `${state} (order holds)`] as const];
    });
  }

  /** What stands against a rule beside its state. */
  remarks(rule: string): readonly string[] {
    const group = this.#of(rule);
    const denied = this.denied.get(rule);
    return [
      ...(denied ? [`DENIED by order: ${denied.text}`] : []),
      ...(group ? group.orphans.map((one) => `order holds: ${holdsText(one)}`) : []),
    ];
  }
  /** What rules are denied while the orders stand that deny it. */
  get denied(): ReadonlyMap<string, Denial> {
    return new Map([...this.#denied].filter(([, { by }]) => this.has(by)));
  }

  #of(id: string): Group | undefined {
    return this.#groups.find(
      ({ rule, machine, orphans }) => orphans.length > 0 && (rule === id || machine.id === id),
    );
  }
  has(id: string): boolean {
    return this.#of(id) !== undefined;
  }

  /** Lets go of all that is held under a name. No cause is asked: there is no rule that could say one. */
  reset(id: string, person: Person): CommandResult {
    const group = this.#of(id);
    if (!group) return refused(`there is no order ${id}`);
    for (const { resetRole } of group.orphans)
      if (resetRole !== undefined && !person.roles.includes(resetRole))
        return refused(`a reset of the order of ${group.rule} needs the role ${resetRole}`);
    group.orphans = [];
    this.#changed(group.rule, `order reset by ${person.name}`, person.name);
    return done;
  }

  #changed(rule: string, text: string, by?: string): void {
    const c = this.#c;
    c.out.intentsChanged = true;
    mustSurvive(c, rule);
    c.touchAll();
    addEvent(c, rule, 'interlock', 'TRIPPED', 'NORMAL', `${rule}: ${text}`, noEvidence, by);
  }

  #evidence(orphans: readonly Orphan[]): readonly Evidence[] {
    const time = this.#c.wallNow();
    return orphans.map((one) => remark(`${one.order.rule}: ${holdsText(one)}`, time));
  }

  explain(id: string): Explanation | undefined {
    const group = this.#of(id);
    const first = group?.orphans[0];
    if (!group || !first) return undefined;
    const { order, state } = first;
    const text = [`${order.rule} is ${state ?? 'ORPHAN'} (order holds)`];
    for (const one of group.orphans) text.push(...this.#lines(one));
    text.push(`a reset by command releases it: millrace reset ${group.machine.id}`);
    return {
      rule: order.rule,
      kind: order.kind,
      state: `${state ?? 'ORPHAN'} (order holds)`,
      since: wall(order.since),
      firstOut: order.firstOut ?? undefined,
      now: [],
      text,
      source: '',
      hash: '',
    };
  }

  #lines(orphan: Orphan): readonly string[] {
    const { order, places } = orphan;
    const lines = [`${order.orphan ?? 'its rule is gone'}; the order holds ${holdsText(orphan)}`];
    if (order.firstOut) lines.push(`came first: ${evidenceList([order.firstOut])}`);
    for (const [i, { tag }] of order.outputs.entries()) {
      const place = places[i];
      if (typeof place === 'string') lines.push(`UNHELD: ${tag} is not written: ${place}`);
      const reason = typeof place === 'number' ? this.#c.unheld.get(place) : undefined;
      if (reason !== undefined) lines.push(`NOT OBEYED (${reason}): ${tag}`);
    }
    return lines;
  }
}

/** The name of the rule, where no rule has its alarm; else a name of its own. */
function alarmId(rule: string, orphans: readonly Orphan[]): string {
  const state = orphans[0]?.state;
  return state === 'ORPHAN' || state === 'OFF' ? rule : `${rule}-ORDER`;
}

function withoutEnded(orphan: Orphan, isOver: (output: OrderOutput) => boolean): readonly Orphan[] {
  const { order, places } = orphan;
  const stays = order.outputs.map((output) => !isOver(output));
  const outputs = order.outputs.filter((_, i) => stays[i]);
  if (outputs.length === 0) return [];
  return [{ ...orphan, order: { ...order, outputs }, places: places.filter((_, i) => stays[i]) }];
}

/** `P.b = false (trip), P.a = true (trip, unheld)`. */
function holdsText({ order, places }: Orphan): string {
  if (order.outputs.length === 0) return 'no output';
  return order.outputs
    .map(({ tag, value, level }, i) => {
      const unheld = typeof places[i] === 'string' ? ', UNHELD' : '';
      return `${tag} = ${String(value)} (${level}${unheld})`;
    })
    .join(', ');
}

/** 64-bit integers above 2^53 are kept as texts. */
function valueOf({ value, point }: OrderOutput): Value {
  const isWide = typeof value === 'string' && point.type !== 'string';
  return isWide ? BigInt(value) : value;
}
