import { childrenOf, type Node } from '../../check/ir.js';
import type { Packed } from '../../program/packed.js';
import { isOrder, passesBounds } from '../blocks/bounds.js';
import type { BadSink } from '../blocks/inputs.js';

/**
 * In which way a condition counts towards what trips: as it stands (1), turned round (-1), or in a way of which nothing
 * follows from a bound (0: `==` of two truths, the condition of a choice).
 */
export type Sense = 1 | -1 | 0;

/** In which sense a part of a condition counts, where the whole counts so. */
export function senseOf(child: Node, node: Node, sense: Sense): Sense {
  switch (node.kind) {
    case 'if':
      return child === node.when ? 0 : sense;
    case 'not':
      return sense === 1 ? -1 : sense === -1 ? 1 : 0;
    case 'logic':
    case 'vote':
    case 'timed':
    case 'edge':
    case 'latch':
    case 'call':
      return sense;
    default:
      return 0;
  }
}

/** Notes which tags with a policy are looked at by something other than a comparison that a bound can decide. */
export function markOpaque(
  roots: readonly (Packed | undefined)[],
  names: readonly string[],
  { opaque }: BadSink,
): void {
  const walk = (node: Node, isOpen: boolean, sense: Sense): void => {
    if (node.kind === 'input') {
      const position = names.indexOf(node.input.ref.name);
      if (position >= 0 && !isOpen) opaque[position] = 1;
    } else if (node.kind !== 'quality') {
      const decides = node.kind === 'compare' && isOrder(node) && sense === 1;
      const opens = decides || (isOpen && passesBounds(node));
      for (const child of childrenOf(node)) walk(child, opens, senseOf(child, node, sense));
    }
  };
  for (const root of roots) if (root) walk(root.tree(), false, 1);
}
