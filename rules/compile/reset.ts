import { inputsOf, type Node } from '../check/ir.js';
import { isButton, resetTerms } from '../check/reset-terms.js';
import type { Effect } from '../program/program.js';
import type { Path, Sink } from '../read/problems.js';

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
