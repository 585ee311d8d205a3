import { inputsOf, type Node } from '../../check/ir.js';
import { areExclusive, implies, verdictOf } from '../../check/proof/prove.js';
import type { Draft } from '../../read/rule.js';

/** An alarm that can never be heard. */
export function refuseAlarm(
  { sink }: Pick<Draft, 'sink'>,
  when: Node,
  arm: Node | undefined,
  suppress: Node | undefined,
): void {
  if (arm && areExclusive(when, arm))
    sink.refuse(['arm'], `it never comes up: while ${arm.source} its condition is never true`);
  if (suppress && implies(when, suppress))
    sink.refuse(
      ['suppress'],
      `it never comes up: whenever ${when.source} it is suppressed`,
      'suppress it by what makes it meaningless, not by what it is about',
    );
}

/** A permissive that needs its own output never gives it: denied, it holds the output false. */
export function refuseCondition(
  { sink }: Pick<Draft, 'sink'>,
  output: string | undefined,
  name: string,
  node: Node,
): void {
  if (output === undefined || !inputsOf(node).some(({ ref }) => ref.name === output)) return;
  if (verdictOf(node, new Map([[output, false]])) === 'never')
    sink.refuse(
      ['all_of', name],
      `it is never permitted: ${node.source} needs ${output}, which it holds at false until then`,
    );
}

/** Whoever restores whenever he sheds never sheds: of both at once neither is done. */
export function refuseShed({ sink }: Pick<Draft, 'sink'>, start: Node, restore: Node): void {
  if (implies(start, restore))
    sink.refuse(
      ['restore'],
      `it never sheds: whenever ${start.source} it restores as well`,
      'restore: the other way round, with a gap to start',
    );
}
