import { inputsOf, type Node } from '../check/ir.js';
import { areExclusive, boundOf, type Bound } from '../check/proof/prove.js';
import {
  isTrip,
  type CompiledAlarm,
  type CompiledPermissive,
  type CompiledRule,
  type CompiledShed,
} from '../program/program.js';
import type { Say } from './kinds.js';
import { senseOf } from './logic.js';

export function lintAlarm({ alarm }: CompiledAlarm, say: Say): void {
  const { response, consequence, responseTime } = alarm;
  const missing = [
    ...(consequence === undefined ? ['consequence'] : []),
    ...(response === undefined ? ['response'] : []),
    ...(responseTime === undefined ? ['response_time'] : []),
  ];
  if (missing.length > 0) say('no-response', `the operator is not told: ${missing.join(', ')}`);
}

export function lintPermissive({ output, conditions }: CompiledPermissive, say: Say): void {
  if (!output) return;
  for (const { name, node } of conditions)
    if (inputsOf(node.tree()).some(({ ref }) => ref.name === output.name))
      say('own-output', `${name} reads ${output.name}, which the permissive itself holds`);
}

/** Between the two limits it does neither: what was meant as a gap is an overlap. */
export function lintShed({ start, restore }: CompiledShed, say: Say): void {
  const [shed, back] = [start.tree(), restore.tree()];
  const [a, b] = [boundUnder(shed), boundUnder(back)];
  if (a && b && a.key === b.key && !areExclusive(shed, back))
    say(
      'overlap',
      `${start.source} and ${restore.source} overlap: where both are true it does neither`,
    );
}

/** A comparison, perhaps delayed. */
function boundUnder(node: Node): Bound | undefined {
  return node.kind === 'timed' ? boundUnder(node.of) : boundOf(node);
}

/** A limit whose crossing alone trips a rule. */
export interface TripLimit extends Bound {
  readonly rule: string;
  readonly source: string;
}

/** The limits that trip by themselves, by what they are of; where a rule is not always armed it may not. */
export function tripLimitsOf(rules: readonly CompiledRule[]): ReadonlyMap<string, TripLimit[]> {
  const found = new Map<string, TripLimit[]>();
  const walk = (rule: string, node: Node): void => {
    const bound = boundUnder(node);
    if (bound) {
      const { source } = node;
      found.set(bound.key, [...(found.get(bound.key) ?? []), { ...bound, rule, source }]);
    } else if ((node.kind === 'logic' && node.op === 'or') || node.kind === 'vote')
      for (const one of node.of) walk(rule, one);
    else if (node.kind === 'timed' && node.op === 'for') walk(rule, node.of);
  };
  for (const rule of rules)
    if (isTrip(rule) && !rule.arm && rule.mode === 'armed') walk(rule.id, rule.cause.tree());
  return found;
}

/** An alarm beyond the trip says nothing that the trip has not said. */
export function lintLate(
  { when }: CompiledAlarm,
  trips: ReadonlyMap<string, readonly TripLimit[]>,
  say: Say,
): void {
  const bound = boundUnder(when.tree());
  if (!bound) return;
  const sense = senseOf(bound);
  for (const trip of trips.get(bound.key) ?? []) {
    if (senseOf(trip) !== sense) continue;
    const isLate = sense === '>' ? bound.limit > trip.limit : bound.limit < trip.limit;
    if (isLate && (sense === '>' || sense === '<'))
      say('late-alarm', `${when.source} comes after ${trip.rule}, which trips at ${trip.source}`);
  }
}
