import type { Value } from '../../../gateway/contract/index.js';
import type { CompareOp } from '../../text/ast.js';
import type { CompareNode, Node, TimedNode } from '../ir.js';
import {
  and,
  count,
  decide,
  flag,
  holds,
  no,
  not,
  or,
  yes,
  type Formula,
  type Verdict,
} from './formula.js';
import { keyOf } from './key.js';

/** Tags that have a value for certain, such as outputs while they are held. */
export type Given = ReadonlyMap<string, Value>;
const nothing: Given = new Map();

/** Is a condition always true, or never, for good values? */
export function verdictOf(node: Node, given: Given = nothing): Verdict {
  return decide(formulaOf(node, given));
}
/** Is one never true while the other is? */
export function areExclusive(a: Node, b: Node): boolean {
  return decide(and(formulaOf(a), formulaOf(b))) === 'never';
}
/** Is the second true whenever the first is? */
export function implies(a: Node, b: Node): boolean {
  return decide(and(formulaOf(a), not(formulaOf(b)))) === 'never';
}
/** The formula of a condition: what depends on time or quality may be either. */
export function formulaOf(node: Node, given: Given = nothing): Formula {
  const of = (one: Node): Formula => formulaOf(one, given);
  switch (node.kind) {
    case 'const':
      return node.value === 1 ? yes : no;
    case 'input': {
      const value = given.get(node.input.ref.name);
      return typeof value === 'boolean' ? (value ? yes : no) : flag(keyOf(node));
    }
    case 'not':
      return not(of(node.of));
    case 'logic':
      return node.op === 'and' ? and(...node.of.map(of)) : or(...node.of.map(of));
    case 'vote':
      return count(node.need, node.of.map(of));
    case 'if':
      return or(and(of(node.when), of(node.then)), and(not(of(node.when)), of(node.otherwise)));
    case 'compare':
      return comparison(node, given);
    case 'timed':
      return delayed(node, of(node.of));
    case 'edge':
      return edge(node.edge, node.of, of, keyOf(node));
    case 'latch': {
      const [set, reset] = [of(node.set), of(node.reset)];
      const kept = and(not(reset), flag(keyOf(node)));
      return node.dominant === 'set' ? or(set, kept) : and(not(reset), or(set, kept));
    }
    case 'text':
      return node.equal ? flag(textKey(node)) : not(flag(textKey(node)));
    default:
      return flag(keyOf(node));
  }
}

function textKey({ input, other, literal }: Extract<Node, { kind: 'text' }>): string {
  return `${input.ref.name} is ${other ? other.ref.name : JSON.stringify(literal)}`;
}

/** True only after a time, or true for a time longer; what never changes stays what it is. */
function delayed(node: TimedNode, of: Formula): Formula {
  const own = flag(keyOf(node));
  if (node.op === 'pulse' || node.op === 'changing') return own;
  const verdict = decide(of);
  if (verdict !== 'open') return verdict === 'always' ? yes : no;
  if (node.duration === 0) return of;
  return node.op === 'for' ? and(of, own) : or(of, own);
}

function edge(
  kind: 'rising' | 'falling' | 'changed',
  node: Node,
  of: (node: Node) => Formula,
  key: string,
): Formula {
  if (kind === 'changed') return flag(key);
  const now = kind === 'rising' ? of(node) : not(of(node));
  // What never changes never rises.
  return decide(now) === 'open' ? and(now, flag(key)) : no;
}

/** `A > 5 bar`, in whatever unit and order. */
export interface Bound {
  /** What is compared, and its key. */
  readonly subject: Node;
  readonly key: string;
  readonly op: CompareOp;
  /** In the unit of the subject. */
  readonly limit: number;
  /** In the same unit; 0: none. */
  readonly hyst: number;
}

/** What the operator is when the sides change places. */
export const flippedOps: Readonly<Record<CompareOp, CompareOp>> = {
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
  '==': '==',
  '!=': '!=',
};

/** A number against a constant; undefined: it is something else. */
export function boundOf(node: Node, given: Given = nothing): Bound | undefined {
  if (node.kind !== 'compare' || node.left.type.kind !== 'number') return undefined;
  const { left, right, op, convert } = node;
  const [a, b] = [constantOf(left, given), constantOf(right, given)];
  const hyst = node.hyst ? constantOf(node.hyst, given) : 0;
  if (hyst === undefined || (a === undefined) === (b === undefined)) return undefined;
  const { k, c } = convert;
  if (b !== undefined)
    return {
      subject: left,
      key: keyOf(left),
      op,
      limit: b * k + c,
      hyst: Math.abs(hyst) * node.hystFactor,
    };
  // The left side is the limit: it is taken to the unit of the right one.
  const limit = ((a ?? NaN) - c) / k;
  const band = (Math.abs(hyst) * node.hystFactor) / k;
  return { subject: right, key: keyOf(right), op: flippedOps[op], limit, hyst: band };
}

function comparison(node: CompareNode, given: Given): Formula {
  const { left, right, op } = node;
  if (left.type.kind === 'bool') {
    const [a, b] = [formulaOf(left, given), formulaOf(right, given)];
    const same = or(and(a, b), and(not(a), not(b)));
    return op === '==' ? same : not(same);
  }
  const bound = boundOf(node, given);
  if (bound && Number.isFinite(bound.limit)) {
    const { key: subject, limit, hyst } = bound;
    const now: Formula = { is: 'bound', subject, op: bound.op, limit };
    if (hyst === 0) return now;
    const back = bound.op === '>' || bound.op === '>=' ? limit - hyst : limit + hyst;
    const band: Formula = { is: 'bound', subject, op: bound.op, limit: back };
    return or(now, and(band, flag(keyOf(node))));
  }
  const [a, b] = [constantOf(left, given), constantOf(right, given)];
  if (a === undefined || b === undefined) return flag(keyOf(node));
  return holds(op, a, b * node.convert.k + node.convert.c) ? yes : no;
}

/** The value of a number that is the same at all times; undefined: it is not, or not known. */
export function constantOf(node: Node, given: Given = nothing): number | undefined {
  if (node.kind === 'const') return node.quality === undefined ? node.value : undefined;
  if (node.kind === 'input') {
    const value = given.get(node.input.ref.name);
    return typeof value === 'number' ? value : undefined;
  }
  if (node.kind === 'neg') {
    const of = constantOf(node.of, given);
    return of === undefined ? undefined : -of;
  }
  if (node.kind !== 'arith') return undefined;
  const [a, b] = [constantOf(node.left, given), constantOf(node.right, given)];
  if (a === undefined || b === undefined) return undefined;
  const { k, c } = node.convert;
  if (node.op === '+') return a + (b * k + c);
  if (node.op === '-') return a - (b * k + c);
  return (node.op === '*' ? a * b : a / b) * k;
}
