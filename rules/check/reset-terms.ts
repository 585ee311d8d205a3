import type { EdgeNode, Node } from './ir.js';

/** A reset taken apart: what must happen, and what must be so when it happens. */
export interface ResetTerms {
  readonly edges: readonly EdgeNode[];
  readonly conditions: readonly Node[];
}

/** The terms that must all be true. An edge below `or` or `not` is a condition like any other. */
export function resetTerms(node: Node): ResetTerms {
  const terms = andTerms(node);
  return {
    edges: terms.filter(isButtonEdge),
    conditions: terms.filter((one) => !isButtonEdge(one)),
  };
}

/** An edge of one tag that is no measurement: a button, a switch position, a code. */
function isButtonEdge(node: Node): node is EdgeNode {
  return node.kind === 'edge' && isButton(node.of);
}
/** A switch, a code, a truth value: what a person can set, as opposed to a measurement. */
export function isButton(node: Node): boolean {
  switch (node.kind) {
    case 'input':
      return !node.input.ref.dataType.startsWith('float');
    case 'not':
      return isButton(node.of);
    case 'text':
      return node.other === undefined;
    case 'compare':
      return (
        (node.op === '==' || node.op === '!=') && isButton(node.left) && node.right.kind === 'const'
      );
    default:
      return false;
  }
}

function andTerms(node: Node): readonly Node[] {
  return node.kind === 'logic' && node.op === 'and' ? node.of.flatMap(andTerms) : [node];
}
