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
  | 'no-deadband'
  | 'energise-to-trip'
  | 'shadow';

/** What is known of a tag beside its type: the ends of its span, and its deadband. */
export interface TagFacts {
  readonly span: readonly [low: number, high: number] | undefined;
  readonly deadband: number | undefined;
}

/** How long one interlock takes at worst from the plant to the output, and of what that is made, ms. */
export interface Budget extends ResponseTime {
  readonly rule: string;
  /** Until the plant has shown that it followed; 0 where nothing is verified. In the sum. */
  readonly verify: number;
}

/** Looks for what a careful colleague would ask about. */
export function lintProgram(
  program: RuleProgram,
  facts: (tag: string) => TagFacts | undefined,
): readonly Lint[] {
  return program.rules.flatMap((rule) => lintRule(rule, facts));
}

function lintRule(rule: CompiledRule, facts: (tag: string) => TagFacts | undefined): Lint[] {
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
  if (rule.kind === 'alarm') lintAlarm(rule, say);
  if (rule.mode === 'shadow') say('shadow', 'it is on trial and sets no outputs');
  return found;
}

type Say = (code: LintCode, message: string) => void;
interface About {
  readonly rule: CompiledRule;
  readonly say: Say;
  readonly facts: (tag: string) => TagFacts | undefined;
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

/** The response budgets of all interlocks, slowest first. */
export function budgetsOf(program: RuleProgram): readonly Budget[] {
  const budgets = program.rules.filter(isTrip).map(budgetOf);
  return budgets.sort((a, b) => b.sum - a.sum);
}

function budgetOf(rule: CompiledInterlock): Budget {
  const response = responseOf(rule.cause.tree());
  const verify = Math.max(0, ...rule.effects.map((effect) => effect.verify?.within ?? 0));
  return {
    rule: rule.id,
    ...response,
    verify,
    sum: response.sum + verify,
  };
}
