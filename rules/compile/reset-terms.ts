import { inputsOf, type EdgeNode, type Node } from '../check/ir.js';
import type { Path, Sink } from '../read/problems.js';
import type { Effect } from '../program/program.js';

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
function isButton(node: Node): boolean {
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

/** What is said of a reset without one, behind its text. */
export const noButtonEdge = 'has no edge of a button';

interface About {
  readonly path: Path;
  readonly sink: Sink;
  readonly effects: readonly Effect[];
}

/**
 * A reset is an act of a person: a button that is pressed, not a value that comes back by itself, nor what the rule
 * brings about when it trips. @returns whether the expression can reset
 */
export function checkReset(node: Node, { path, sink, effects }: About): boolean {
  const { edges } = resetTerms(node);
  if (edges.length === 0) {
    sink.refuse(
      path,
      `${node.source} ${noButtonEdge}: what stays true, or becomes true by itself, would reset the trip`,
      isButton(node) && node.type.kind === 'bool'
        ? `rising(${node.source})`
        : 'rising(BUTTON) and …; until then only a command resets',
    );
    return false;
  }
  const own = new Set(effects.map(({ tag }) => tag));
  const echoes = new Set(
    effects.flatMap(({ verify }) =>
      verify ? inputsOf(verify.expect.tree()).map(({ ref }) => ref.tag) : [],
    ),
  );
  for (const edge of edges)
    for (const { ref } of inputsOf(edge)) {
      if (ref.tag < 0 || !(own.has(ref.tag) || echoes.has(ref.tag))) continue;
      const why = own.has(ref.tag) ? 'is set by this rule' : 'shows what this rule sets';
      sink.refuse(
        path,
        `${ref.name} ${why}: the trip would reset itself`,
        'take a button of its own',
      );
      return false;
    }
  return true;
}
