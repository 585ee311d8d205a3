import type { Library } from '../read/library.js';
import type { Ast, ExpressionProblem, Span } from '../text/ast.js';
import type { Unit } from '../text/units.js';
import type { FunctionTable } from './function-spec.js';
import type { ExprType, Input, Node, Ref } from './ir.js';

/** Hands out positions for values and qualities; one counter for a whole program. */
export interface SlotAllocator {
  count: number;
}

/** What an expression can refer to, and where its problems go. */
export interface Scope {
  readonly text: string;
  readonly slots: SlotAllocator;
  /** One per tag that the rule reads; shared by the expressions of a rule. */
  readonly inputs: Map<string, Input>;
  /** The tag or signal, or the reason why it cannot be used (empty: reported already, elsewhere). */
  find: (name: string) => Ref | { readonly unusable: string; readonly hint?: string } | undefined;
  suggest: (name: string) => string | undefined;
  /** A figure of the rule itself. */
  local: (name: string) => Node | undefined;
  readonly functions: FunctionTable;
  /** What rules know besides tags: constants, curves, baselines, models. */
  readonly library: Library;
  /** Ids of interlocks that fit a pattern with `*`. */
  interlocks: (pattern: string) => readonly string[];
  /** Units that engineers gave to tags, beside those of the table. */
  tagUnit: (text: string) => Unit | undefined;
  /** Does `on_bad` say `vote` for this tag? */
  votes: (ref: Ref) => boolean;
  /** For votes: good channels needed, and for how long fewer are borne (ms). */
  readonly minGood: number;
  readonly grace: number;
  report: (problem: ExpressionProblem) => void;
  warn: (problem: ExpressionProblem) => void;
}

/** One walk over one expression. A part with a problem is undefined; the rest is still checked. */
export interface Checker {
  readonly scope: Scope;
  check: (ast: Ast) => Node | undefined;
  /** Checks and demands a truth value. */
  bool: (ast: Ast) => Node | undefined;
  /** Checks and demands a number. */
  number: (ast: Ast) => NumberNode | undefined;
  report: (at: Span, message: string, hint?: string) => void;
  warn: (at: Span, message: string, hint?: string) => void;
  slot: () => number;
  source: (at: Span) => string;
  /** The same walk with another set of inputs: what `prev` looks at is read after the scan. */
  apart: () => Checker;
}

export type NumberNode = Node & { readonly type: Extract<ExprType, { kind: 'number' }> };

export const boolType: ExprType = { kind: 'bool' };
export function isNumber(node: Node): node is NumberNode {
  return node.type.kind === 'number';
}
/** One object for one unit: thousands of nodes have the same few types. */
export function numberType(unit: Unit, bare = false): NumberNode['type'] {
  const types = bare ? bareTypes : unitTypes;
  const known = types.get(unit);
  if (known) return known;
  const type = { kind: 'number', unit, bare } as const;
  types.set(unit, type);
  return type;
}
const unitTypes = new WeakMap<Unit, NumberNode['type']>();
const bareTypes = new WeakMap<Unit, NumberNode['type']>();
/** `a number in bar`, `a truth value`, `a text`: for messages. */
export function typeText(type: ExprType): string {
  if (type.kind === 'bool') return 'true or false';
  if (type.kind === 'text') return 'a text';
  return type.unit.text === '' ? 'a plain number' : `a number in ${type.unit.text}`;
}
