import { formatDuration } from '../gateway/contract/index.js';
import { responseOf, type ResponseTime } from './budget.js';
import { childrenOf, type CompareNode, type Node } from './ir.js';
import {
  isTrip,
  type CompiledAlarm,
  type CompiledInterlock,
  type CompiledRule,
  type RuleProgram,
} from './program.js';
import { expressionsOf } from './schedule.js';
import { silenceOf, type Silence } from './silence.js';

/** Something that is permitted and probably not meant. */
export interface Lint {
  readonly rule: string;
  /** Short name, for those who want to look it up or leave it out. */
  readonly code: LintCode;
  readonly message: string;
}
export type LintCode =
  | 'always'
  | 'no-hysteresis'
  | 'no-reset'
  | 'no-response'
  | 'not-verified'
  | 'slow-response'
  | 'no-deadband'
  | 'energise-to-trip'
  | 'shadow';

/** What is known of a tag beside its type: the ends of its span, its deadband, and when it is stale (ms). */
export interface TagFacts {
  readonly span: readonly [low: number, high: number] | undefined;
  readonly deadband: number | undefined;
  readonly stale: number;
}
type Facts = (tag: string) => TagFacts | undefined;

/** How long one interlock takes at worst from the plant to the output, and of what that is made, ms. */
export interface Budget extends ResponseTime {
  readonly rule: string;
  /** What was promised for it: `max_response`. */
  readonly wanted: number | undefined;
  /** From a new value to the write; the parts of it stand beside it. */
  readonly demand: number;
  /**
   * The longest that a tag which falls silent takes until that is a trip: stale time, what `on_bad` bears, delays if they
   * apply, gateway; 0: none is. In the sum, where it is longer than the way of a value.
   */
  readonly silent: number;
  /** Tags whose silence never trips it, by `on_bad`. */
  readonly never: readonly string[];
  /** Until the plant has shown that it followed, with all repetitions; 0 where nothing is verified. In the sum. */
  readonly verify: number;
}

/** Looks for what a careful colleague would ask about. */
export function lintProgram(program: RuleProgram, facts: Facts): readonly Lint[] {
  const budgets = new Map(budgetsOf(program, facts).map((budget) => [budget.rule, budget]));
  return program.rules.flatMap((rule) => lintRule(rule, facts, budgets.get(rule.id)));
}

function lintRule(rule: CompiledRule, facts: Facts, budget: Budget | undefined): Lint[] {
  const found: Lint[] = [];
  const say = (code: LintCode, message: string): void => {
    const isKnown = found.some((one) => one.code === code && one.message === message);
    if (!isKnown) found.push({ rule: rule.id, code, message });
  };
  const walk = (node: Node, isDelayed: boolean): void => {
    if (node.kind === 'compare') lintCompare(node, { rule, say, facts, isDelayed });
    const delayed = isDelayed || node.kind === 'timed';
    for (const child of childrenOf(node)) walk(child, delayed);
  };
  for (const node of expressionsOf(rule)) walk(node, false);
  if (isTrip(rule)) lintTrip(rule, say);
  if (budget) lintResponse(budget, say);
  if (rule.kind === 'alarm') lintAlarm(rule, say);
  if (rule.mode === 'shadow') say('shadow', 'it is on trial and sets no outputs');
  return found;
}

type Say = (code: LintCode, message: string) => void;
interface About {
  readonly rule: CompiledRule;
  readonly say: Say;
  readonly facts: Facts;
  readonly isDelayed: boolean;
}

/** A limit beyond the span is never or always reached; one without hysteresis or delay plays about. */
function lintCompare(node: CompareNode, { rule, say, facts, isDelayed }: About): void {
  const { left, right, op, convert } = node;
  if (left.kind !== 'input' || right.kind !== 'const' || op === '==' || op === '!=') return;
  const name = left.input.ref.name;
  const limit = right.value * convert.k + convert.c;
  const known = facts(name);
  const isAbove = op === '>' || op === '>=';
  if (known?.span) {
    const [low, high] = known.span;
    if (limit > high || limit < low) {
      const is = limit > high === isAbove ? 'never' : 'always';
      say('always', `${node.source} is ${is} true: the span of ${name} is ${low} to ${high}`);
      return;
    }
  }
  const isWatched = rule.kind === 'alarm' || isTrip(rule);
  const isReal = left.input.ref.dataType.startsWith('float');
  if (!isWatched || !isReal) return;
  if (!node.hyst && !isDelayed)
    say(
      'no-hysteresis',
      `${node.source} has neither hyst nor for: noise about the limit makes it play`,
    );
  if (known?.deadband === 0)
    say('no-deadband', `${name} has a deadband of 0: every jitter of it is recorded and sent`);
}

function lintTrip(rule: CompiledInterlock, say: Say): void {
  if (rule.latch === 'manual' && !rule.reset)
    say('no-reset', 'it latches and has no reset: only a command resets it');
  for (const { name, to, verify } of rule.effects) {
    if (!verify) say('not-verified', `nobody looks whether ${name} = ${String(to)} happened`);
    if (to === true)
      say('energise-to-trip', `${name} = true must be written to trip: a dead gateway cannot`);
  }
}

function lintAlarm(rule: CompiledAlarm, say: Say): void {
  const { response, consequence, responseTime } = rule.alarm;
  const missing = [
    ...(consequence === undefined ? ['consequence'] : []),
    ...(response === undefined ? ['response'] : []),
    ...(responseTime === undefined ? ['response_time'] : []),
  ];
  if (missing.length > 0) say('no-response', `the operator is not told: ${missing.join(', ')}`);
}

/**
 * `max_response` is refused where the way from the plant to the demand is too long for it. What a tag that falls
 * silent and the plant itself may add is no reason to refuse a rule, and one to know of.
 */
function lintResponse({ wanted, demand, silent, verify, sum }: Budget, say: Say): void {
  if (wanted === undefined || sum <= wanted) return;
  const parts = [
    ...(silent > demand ? [`a tag that falls silent may take ${formatDuration(silent)}`] : []),
    ...(verify > 0 ? [`the plant has ${formatDuration(verify)} to follow`] : []),
  ];
  const all = `${formatDuration(sum)} in all, max_response is ${formatDuration(wanted)}`;
  const first = `the demand comes within ${formatDuration(demand)}`;
  say('slow-response', `${first}, but ${parts.join(', and ')}: ${all}`);
}

/** The response budgets of all interlocks, slowest first. */
export function budgetsOf(program: RuleProgram, facts: Facts): readonly Budget[] {
  const silence = silenceOf(program, (tag) => facts(tag)?.stale ?? 0);
  const budgets = program.rules.filter(isTrip).map((rule) => budgetOf(rule, silence(rule)));
  const isOpen = ({ unbounded }: Budget): number => (unbounded.length > 0 ? 1 : 0);
  return budgets.sort((a, b) => isOpen(b) - isOpen(a) || b.sum - a.sum);
}

function budgetOf(rule: CompiledInterlock, { trips, never }: Silence): Budget {
  const response = responseOf(rule.cause.tree());
  const { sum: demand } = response;
  const times = rule.effects.map(({ verify: v }) => (v ? (v.retry + 1) * v.within : 0));
  const verify = Math.max(0, ...times);
  const silent = trips === 0 ? 0 : trips + response.gateway;
  const sum = Math.max(demand, silent) + verify;
  const { id, maxResponse: wanted } = rule;
  return { rule: id, wanted, ...response, demand, silent, never, verify, sum };
}
