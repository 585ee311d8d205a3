import { formatDuration } from '../../gateway/contract/index.js';
import { responseOf, type ResponseTime } from '../check/response-time.js';
import { isTrip, type CompiledInterlock, type CompiledProgram } from '../program/program.js';
import type { Facts, Say } from './kinds.js';
import { staleResponseOf, type StaleResponse } from './stale-response.js';

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

/**
 * `max_response` is refused where the way from the plant to the demand is too long for it. What a tag that falls
 * silent and the plant itself may add is no reason to refuse a rule, and one to know of.
 */
export function lintResponse({ wanted, demand, silent, verify, sum }: Budget, say: Say): void {
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
export function budgetsOf(program: CompiledProgram, facts: Facts): readonly Budget[] {
  const responseTo = staleResponseOf(program, (tag) => facts(tag)?.stale ?? 0);
  const budgets = program.rules.filter(isTrip).map((rule) => budgetOf(rule, responseTo(rule)));
  const isOpen = ({ unbounded }: Budget): number => (unbounded.length > 0 ? 1 : 0);
  return budgets.sort((a, b) => isOpen(b) - isOpen(a) || b.sum - a.sum);
}

function budgetOf(rule: CompiledInterlock, { trips, never }: StaleResponse): Budget {
  const response = responseOf(rule.cause.tree());
  const { sum: demand } = response;
  const times = rule.effects.map(({ verify: v }) => (v ? (v.retry + 1) * v.within : 0));
  const verify = Math.max(0, ...times);
  const silent = trips === 0 ? 0 : trips + response.gateway;
  const sum = Math.max(demand, silent) + verify;
  const { id, maxResponse: wanted } = rule;
  return { rule: id, wanted, ...response, demand, silent, never, verify, sum };
}
