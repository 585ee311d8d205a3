import { duration, namesIn } from './ast.js';
import { Oracle } from './oracle.js';
import {
  readsSignals,
  rulesOf,
  type AlarmRule,
  type PermissiveRule,
  type InterlockRule,
  type Rule,
  type RuleSet,
} from './rules.js';
import type { Subject } from './subject.js';
import { stepMs, type Moment, type Order, type TimeLine } from './timeline.js';
import { inputs } from './world.js';

export interface Disagreement {
  readonly rule: Rule;
  readonly at: number;
  readonly expected: string;
  readonly actual: string;
  /** What people told the rule before. */
  readonly orders: readonly { readonly at: number; readonly text: string }[];
}

export interface Outcome {
  comparisons: number;
  /** Rules of which the specification did not say what came, by what it does not say. */
  readonly open: Map<string, number>;
  readonly failures: Disagreement[];
}

/** How far a rule can be compared in one time-line. */
type Manner = 'exactly' | 'not later' | 'not at all';

/** Both go through a time-line side by side, and are compared after each moment of it. */
export class Comparison {
  readonly outcome: Outcome = { comparisons: 0, open: new Map(), failures: [] };
  readonly #set: RuleSet;
  readonly #line: TimeLine;
  readonly #oracle: Oracle;
  readonly #subject: Subject;
  readonly #manners = new Map<string, Manner>();
  readonly #told = new Map<string, { at: number; text: string }[]>();
  readonly #everTripped = new Set<string>();
  readonly #done = new Set<string>();
  #now = 0;

  constructor(set: RuleSet, line: TimeLine, subject: Subject) {
    this.#set = set;
    this.#line = line;
    this.#subject = subject;
    this.#oracle = new Oracle(set);
    for (const rule of rulesOf(set)) if (subject.skips?.(rule)) this.#done.add(rule.id);
    for (const rule of set.interlocks) this.#manners.set(rule.id, this.#mannerOf(rule));
    for (const rule of set.permissives) {
      const manner = this.#mannerOf(rule);
      this.#manners.set(rule.id, manner === 'exactly' ? manner : 'not at all');
    }
  }

  async run(): Promise<Outcome> {
    for (const moment of this.#line.moments) await this.#play(moment);
    await this.#subject.end?.();
    return this.outcome;
  }

  #mannerOf(rule: InterlockRule | PermissiveRule): Manner {
    const signals = readsSignals(rule, this.#set.signals);
    if (signals.length === 0) return 'exactly';
    if (!this.#line.isDoubtful) return 'exactly';
    // What `on_bad` says of a signal has no counterpart without it.
    const onBad = rule.kind === 'permissive' ? undefined : rule.onBad;
    const isCovered = signals.some(({ id }) => onBad?.has(id)) || onBad?.has('*');
    return isCovered ? 'not at all' : 'not later';
  }

  async #play({ at, arrivals, orders }: Moment): Promise<void> {
    for (let time = this.#now + stepMs; time < at; time += stepMs) this.#oracle.look(time);
    await this.#subject.advance(at);
    this.#now = at;
    for (const { tag, ...input } of arrivals) {
      this.#oracle.set(tag, input);
      this.#subject.arrive(tag, input);
    }
    await this.#look(orders.length > 0);
    for (const order of orders) await this.#order(order);
    if (orders.length > 0) await this.#look(false);
  }

  async #look(ordersFollow: boolean): Promise<void> {
    this.#oracle.look(this.#now);
    await this.#subject.scan(ordersFollow);
    if (ordersFollow && this.#subject.isSlow) return;
    for (const rule of this.#set.signals) {
      if (this.#isComparable(rule)) this.#compareSignal(rule);
    }
    for (const rule of this.#set.permissives) {
      if (this.#manners.get(rule.id) === 'exactly' && this.#isComparable(rule))
        this.#compareState(rule);
    }
    for (const rule of this.#set.alarms) {
      if (this.#isComparable(rule)) this.#compareState(rule);
    }
    for (const rule of this.#set.interlocks) this.#compareInterlock(rule);
  }

  #isComparable(rule: Rule): boolean {
    if (this.#done.has(rule.id)) return false;
    const question = this.#oracle.openQuestion(rule.id);
    if (question === undefined) return true;
    this.#done.add(rule.id);
    this.outcome.open.set(question, (this.outcome.open.get(question) ?? 0) + 1);
    return false;
  }

  #compareSignal(rule: Rule): void {
    const expected = this.#oracle.signal(rule.id);
    const actual = this.#subject.signal(rule.id, expected);
    const isSame =
      expected === undefined || actual === undefined
        ? expected === actual
        : Math.abs(expected - actual) <= 1e-9 * Math.max(1, Math.abs(expected));
    this.#judge(rule, isSame, String(expected ?? 'bad'), String(actual ?? 'bad'));
  }

  #compareState(rule: Rule): void {
    const expected = this.#oracle.state(rule.id);
    const actual = this.#subject.state(rule.id, expected);
    const isSame = expected === (actual === 'PENDING' ? 'NORMAL' : actual);
    this.#judge(rule, isSame, String(expected), String(actual));
  }

  #compareInterlock(rule: InterlockRule): void {
    const manner = this.#manners.get(rule.id);
    const isTripped = this.#oracle.isTripped(rule.id);
    const state = this.#subject.state(rule.id, this.#oracle.state(rule.id));
    const isActual = /^TRIPPED/.test(state ?? '');
    if (isActual) this.#everTripped.add(rule.id);
    if (manner === 'not at all' || !this.#isComparable(rule)) return;
    if (manner === 'not later') {
      if (!isTripped) return;
      this.#judge(rule, this.#everTripped.has(rule.id), 'TRIPPED by now', 'not tripped yet');
      // After its first trip it may have been reset at another time.
      this.#done.add(rule.id);
      return;
    }
    this.#compareState(rule);
    const isDemanded = this.#subject.isDemanded(rule.output, isTripped);
    if (isActual === isTripped)
      this.#judge(rule, isDemanded === isTripped, `demand: ${isTripped}`, `demand: ${isDemanded}`);
  }

  #judge(rule: Rule, isSame: boolean, expected: string, actual: string): void {
    this.outcome.comparisons++;
    if (isSame || this.#done.has(rule.id)) return;
    this.#done.add(rule.id);
    const orders = this.#told.get(rule.id) ?? [];
    this.outcome.failures.push({ rule, at: this.#now, expected, actual, orders });
  }

  async #order(order: Order): Promise<void> {
    const { kind, whom, time } = order;
    const rule = this.#concerned(kind, whom);
    // Two orders for one rule in one moment: only the first one is given.
    if (!rule || this.#told.get(rule.id)?.at(-1)?.at === this.#now) return;
    const input =
      kind === 'bypass' && rule.kind !== 'alarm' ? inputToBypass(rule, whom) : undefined;
    const what = input === undefined ? kind : `${kind} ${input}`;
    const text = kind === 'bypass' ? `${what} for ${duration(time)}` : what;
    this.#told.set(rule.id, [...(this.#told.get(rule.id) ?? []), { at: this.#now, text }]);
    const isAccepted = await this.#subject.order(rule.id, order, input);
    if (kind === 'ack') this.#oracle.ack(rule.id);
    if (rule.kind === 'alarm') {
      if (kind === 'reset') this.#oracle.reset(rule.id, this.#now);
      return;
    }
    const isRight =
      kind === 'reset'
        ? this.#oracle.reset(rule.id, this.#now)
        : this.#oracle.bypass(rule.id, this.#now, time, input);
    if (this.#manners.get(rule.id) !== 'exactly' || !this.#isComparable(rule)) return;
    const answer = (isYes: boolean): string => `${kind}: ${isYes ? 'accepted' : 'refused'}`;
    this.#judge(rule, isRight === isAccepted, answer(isRight), answer(isAccepted));
  }

  #concerned(kind: Order['kind'], whom: number): InterlockRule | AlarmRule | undefined {
    const tripped = this.#set.interlocks.filter(
      ({ id, latch }) => latch === 'manual' && this.#oracle.isTripped(id),
    );
    const raised = this.#set.alarms.filter(({ id }) => this.#oracle.state(id) !== 'NORMAL');
    const latched = raised.filter(({ id }) => /^LATCHED/.test(this.#oracle.state(id) ?? ''));
    const of: readonly (InterlockRule | AlarmRule)[] =
      kind === 'ack'
        ? raised
        : kind === 'bypass'
          ? this.#set.interlocks.filter(({ id }) => this.#canBypass(id))
          : [...tripped, ...latched];
    return of[Math.floor(whom * of.length)];
  }

  #canBypass(id: string): boolean {
    return !this.#oracle.isTripped(id) && this.#oracle.state(id) !== 'BYPASSED';
  }
}

/** One of the tags of its causes; undefined: the whole rule. */
function inputToBypass(rule: InterlockRule, whom: number): string | undefined {
  const names = rule.causes.flatMap((cause) => [...namesIn(cause)]);
  const tags = names.filter((name) => inputs.some((tag) => tag.name === name));
  // Digits of the random number that did not choose the rule.
  const at = Math.floor(((whom * 1_000_003) % 1) * tags.length);
  return rule.isPerInput ? tags[at] : undefined;
}
