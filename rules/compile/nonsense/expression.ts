import type { Bands } from '../../../gateway/contract/index.js';
import {
  childrenOf,
  inputsOf,
  type CompareNode,
  type Node,
  type VoteNode,
} from '../../check/ir.js';
import { keyOf } from '../../check/proof/key.js';
import { boundOf, verdictOf } from '../../check/proof/prove.js';
import type { Expr } from '../../read/fields.js';
import type { Sink } from '../../read/problems.js';

/** What the value of a tag can be; undefined: it has no span. */
export type Spans = (tag: string) => Bands | undefined;

/** Refuses what can be shown to be nonsense in one expression, whatever kind of rule it is in. */
export function refuseNonsense(sink: Sink, expr: Expr, root: Node, spans: Spans): void {
  const placeOf = (node: Node): number | undefined => {
    const at = expr.text.indexOf(node.source);
    return at < 0 ? undefined : at;
  };
  const refuse: Refuse = (node, message, hint) => {
    sink.refuse(expr.path, message, hint, placeOf(node));
  };
  const walk = (node: Node): void => {
    if (node.kind === 'timed' && node.duration === 0)
      sink.warn(expr.path, `${node.source} delays nothing`, undefined, placeOf(node));
    if (node.kind === 'timed' && node.op === 'for' && node.duration > 0 && isMoment(node.of))
      refuse(node, `${node.source} is never true: an edge is true for one scan only`);
    if (node.kind === 'vote') refuseTwins(node, refuse);
    if (node.kind === 'compare') refuseHysteresis(node, spans, refuse);
    for (const child of childrenOf(node)) walk(child);
  };
  walk(root);
  if (root.type.kind === 'bool') refuseFixed(root, refuse);
}
type Refuse = (node: Node, message: string, hint?: string) => void;

/** Is it true for one scan at most? */
function isMoment(node: Node): boolean {
  if (node.kind === 'edge') return true;
  return (
    node.kind === 'logic' && (node.op === 'and' ? node.of.some(isMoment) : node.of.every(isMoment))
  );
}

/** A channel that votes twice has two voices: `2 of` them trips on one transmitter. */
function refuseTwins({ of }: VoteNode, refuse: Refuse): void {
  const seen = new Set<string>();
  for (const channel of of) {
    const key = keyOf(channel);
    if (seen.has(key))
      refuse(
        channel,
        `${channel.source} votes twice`,
        'every channel needs an instrument of its own',
      );
    seen.add(key);
  }
}

/** `A > 3 bar hyst 5 bar` on a span from 0 would need -2 bar to become false again. */
function refuseHysteresis(node: CompareNode, spans: Spans, refuse: Refuse): void {
  const bound = boundOf(node);
  if (!bound || bound.hyst === 0 || bound.subject.kind !== 'input') return;
  const { ref } = bound.subject.input;
  const bands = spans(ref.name);
  if (!bands) return;
  const isAbove = bound.op === '>' || bound.op === '>=';
  const back = isAbove ? bound.limit - bound.hyst : bound.limit + bound.hyst;
  const { span, reserve } = bands;
  if (isAbove ? back >= reserve[0] : back <= reserve[1]) return;
  const unit = ref.type.kind === 'number' ? ref.type.unit.text : '';
  const shown = (value: number): string => `${Number(value.toPrecision(6))} ${unit}`.trimEnd();
  refuse(
    node,
    `${node.source} never becomes false again: ${ref.name} would have to be ${isAbove ? 'at or below' : 'at or above'} ` +
      `${shown(back)}, its span is ${span[0]} to ${shown(span[1])}`,
    'make the hysteresis smaller',
  );
}

/** A condition that is one thing for every value: what it says cannot be what was meant. */
function refuseFixed(root: Node, refuse: Refuse): void {
  // A literal says what it is.
  if (inputsOf(root).length === 0) return;
  const verdict = verdictOf(root);
  if (verdict === 'open') return;
  const culprit = culpritIn(root);
  const which = culprit === root ? '' : `, for ${culprit.source} is`;
  refuse(
    culprit,
    `${root.source} is ${verdict} true${which === '' ? '' : `${which} ${verdictOf(culprit)}`}`,
    culprit.kind === 'logic'
      ? `should ${culprit.op} be ${culprit.op === 'or' ? 'and' : 'or'}?`
      : undefined,
  );
}

/** The smallest part that is always or never true. */
function culpritIn(node: Node): Node {
  const parts = childrenOf(node).filter((child) => child.type.kind === 'bool');
  const fixed = parts.find((part) => inputsOf(part).length > 0 && verdictOf(part) !== 'open');
  return fixed ? culpritIn(fixed) : node;
}
