import { childrenOf, type Node } from '../check/ir.js';
import { expressionsOf } from '../program/expressions.js';
import { isTrip, type CompiledRule, type CompiledProgram } from '../program/program.js';
import { lintCompare } from './compare.js';
import type { Facts, Lint, LintCode } from './kinds.js';
import { lintPart, lintVote } from './logic.js';
import {
  lintAlarm,
  lintLate,
  lintPermissive,
  lintShed,
  tripLimitsOf,
  type TripLimit,
} from './others.js';
import { budgetsOf, lintResponse, type Budget } from './response.js';
import { lintRole, lintRoles, lintTrip } from './trip.js';

export type { Lint, LintCode, TagTiming } from './kinds.js';
export { budgetsOf, type Budget } from './response.js';

/** What one rule is seen against. */
interface LintContext {
  readonly facts: Facts;
  readonly roles: ReadonlySet<string> | undefined;
  readonly budget: Budget | undefined;
  readonly trips: ReadonlyMap<string, readonly TripLimit[]>;
}

/** Looks for what a careful colleague would ask about. `roles`: those that somebody has, if that is known. */
export function lintProgram(
  program: CompiledProgram,
  facts: Facts,
  roles?: ReadonlySet<string>,
): readonly Lint[] {
  const budgets = new Map(budgetsOf(program, facts).map((budget) => [budget.rule, budget]));
  const trips = tripLimitsOf(program.rules);
  return program.rules.flatMap((rule) =>
    lintRule(rule, { facts, roles, budget: budgets.get(rule.id), trips }),
  );
}

function lintRule(rule: CompiledRule, { facts, roles, budget, trips }: LintContext): Lint[] {
  const found: Lint[] = [];
  const say = (code: LintCode, message: string): void => {
    const isKnown = found.some((one) => one.code === code && one.message === message);
    if (!isKnown) found.push({ rule: rule.id, code, message });
  };
  const walk = (node: Node, isDelayed: boolean): void => {
    if (node.kind === 'compare') lintCompare(node, { rule, say, facts, isDelayed });
    if (node.kind === 'vote') lintVote(node, say);
    const delayed = isDelayed || node.kind === 'timed';
    for (const child of childrenOf(node)) if (lintPart(child, say)) walk(child, delayed);
  };
  for (const node of expressionsOf(rule)) walk(node, false);
  if (isTrip(rule)) lintTrip(rule, say);
  if (isTrip(rule)) lintRoles(rule, roles, say);
  if (budget) lintResponse(budget, say);
  if (rule.kind === 'alarm') {
    lintAlarm(rule, say);
    lintLate(rule, trips, say);
    if (rule.alarm.shelve) lintRole('shelve', rule.alarm.shelve.role, roles, say);
  }
  if (rule.kind === 'permissive') lintPermissive(rule, say);
  if (rule.kind === 'shed') lintShed(rule, say);
  if (rule.mode === 'shadow') say('shadow', 'it is on trial and sets no outputs');
  return found;
}
