import type { ConfigDiff, RunningConfig } from '../config/model.js';
import { GatewayError, type Person, type RuleProblem } from '../contract/index.js';
import type { Fate } from '../write/orders.js';

/** Problems in the rules of a configuration; the caller knows where they stand. */
export class RulesRefused extends GatewayError {
  readonly problems: readonly RuleProblem[];
  constructor(problems: readonly RuleProblem[]) {
    super('config-invalid', `${String(problems.length)} problem(s) in the rules`);
    this.problems = problems;
  }
}

/** Who asks for a reload, and whether trips whose rules change are to be held on without them. */
export interface ReloadBy {
  readonly who: Person;
  readonly keepTrips: boolean;
}

/** What only a new process can take over. */
export function refuseRestart({ restart }: ConfigDiff): void {
  if (restart.length > 0)
    throw new GatewayError('config-invalid', `these keys need a restart: ${restart.join(', ')}`);
}

/**
 * A reload is no reset: what a tripped rule holds is held on. Where its rule would be gone, or hold something else, a
 * person must say so; where another rule would write the opposite, nobody can.
 */
export function refuseUntripping(
  { released, conflicts }: Pick<Fate, 'released' | 'conflicts'>,
  { who, keepTrips }: ReloadBy,
  { roles }: Pick<RunningConfig, 'roles'>,
): void {
  if (conflicts.length > 0)
    throw new GatewayError(
      'config-invalid',
      `rules would write against a trip that stands: ${conflicts.join('; ')}; reset it first`,
    );
  if (released.length === 0) return;
  if (!keepTrips)
    throw new GatewayError(
      'config-invalid',
      `tripped rules would lose what they hold: ${released.join('; ')}; ` +
        'reset them first, or reload --keep-trips to hold it on without them',
    );
  if (roles.has('engineer') && !who.roles.includes('engineer'))
    throw new GatewayError('not-permitted', '--keep-trips needs the role engineer');
}

/** Does the change bear on links, rules or writes? Else the field half is left alone. */
export function touchesField(diff: ConfigDiff): boolean {
  const links = diff.linksAdded.length + diff.linksRemoved.length + diff.linksChanged.length;
  return links > 0 || diff.rulesChanged || diff.writesChanged;
}

/** What changed, for people. */
export function describe(diff: ConfigDiff): string {
  const parts = [
    ...diff.linksAdded.map((name) => `link ${name} added`),
    ...diff.linksRemoved.map((name) => `link ${name} removed`),
    ...diff.linksChanged.map((name) => `link ${name} changed`),
    ...diff.sinksAdded.map((name) => `sink ${name} added`),
    ...diff.sinksRemoved.map((name) => `sink ${name} removed`),
    ...diff.sinksChanged.map((name) => `sink ${name} changed`),
    ...(diff.rulesChanged ? ['rules changed'] : []),
    ...(diff.writesChanged ? ['writes changed'] : []),
  ];
  return parts.length > 0 ? parts.join(', ') : 'nothing changed';
}
