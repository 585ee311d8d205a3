import type { Node } from '../../check/ir.js';
import { resetTerms } from '../../check/reset-terms.js';
import type { Packed } from '../../program/packed.js';
import { truth } from '../blocks/slots.js';
import type { ExplainContext } from './evidence.js';

/**
 * A person who resets by command stands in for the button, that is for the edges in the reset expression; what else
 * it demands must hold. Gives the conditions that do not, as written.
 */
export function conditionsOfReset(w: ExplainContext, reset: Packed): readonly string[] {
  return resetTerms(reset.tree()).conditions.flatMap((one) => open(w, one));
}

function open(w: ExplainContext, node: Node): readonly string[] {
  return truth(w.slots, node.slot) === 1 ? [] : [node.source];
}
