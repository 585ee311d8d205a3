import { truth } from '../blocks/slots.js';
import type { Witness } from '../explain.js';
import { childrenOf, type Node } from '../ir.js';
import type { Packed } from '../packed.js';

function hasEdge(node: Node): boolean {
  return (node.kind === 'edge' && node.edge === 'rising') || childrenOf(node).some(hasEdge);
}

/**
 * A person who resets by command stands in for the button, that is for the rising() in the reset
 * expression; what else it demands must hold. Gives the conditions that do not, as written.
 * An expression without rising() is the button itself.
 */
export function conditionsOfReset(w: Witness, reset: Packed): readonly string[] {
  const node = reset.tree();
  return hasEdge(node) ? open(w, node) : [];
}

function open(w: Witness, node: Node): readonly string[] {
  if (node.kind === 'edge' && node.edge === 'rising') return [];
  if (node.kind === 'logic' && node.op === 'and') return node.of.flatMap((one) => open(w, one));
  if (node.kind === 'logic' && node.of.some((one) => open(w, one).length === 0)) return [];
  return truth(w.slots, node.slot) === 1 ? [] : [node.source];
}
