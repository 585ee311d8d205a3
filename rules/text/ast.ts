/** Position in the expression text: characters, from inclusive, to exclusive. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export type CompareOp = '<' | '<=' | '>' | '>=' | '==' | '!=';
export type ArithOp = '+' | '-' | '*' | '/';
export type TimedOp = 'for' | 'held';

export interface NumberAst extends Span {
  readonly kind: 'number';
  readonly value: number;
  readonly unit: string | undefined;
}
export interface VoteAst extends Span {
  readonly kind: 'vote';
  readonly need: number;
  readonly of: readonly Ast[];
  readonly degrade: { readonly need: number; readonly of: number } | undefined;
}
export interface CallAst extends Span {
  readonly kind: 'call';
  readonly name: string;
  readonly args: readonly Ast[];
  /** Values given by name: the 3 of `rule 3`. */
  readonly labelled: ReadonlyMap<string, Ast>;
}
/** All values of a call, those given by name after the others. */
export function valuesOf(ast: CallAst): readonly Ast[] {
  return ast.labelled.size === 0 ? ast.args : [...ast.args, ...ast.labelled.values()];
}
export interface CompareAst extends Span {
  readonly kind: 'compare';
  readonly op: CompareOp;
  readonly left: Ast;
  readonly right: Ast;
  readonly hyst: Ast | undefined;
}
export interface ArithAst extends Span {
  readonly kind: 'arith';
  readonly op: ArithOp;
  readonly left: Ast;
  readonly right: Ast;
}
export interface NameAst extends Span {
  readonly kind: 'name';
  readonly name: string;
}
export interface TimedAst extends Span {
  readonly kind: 'timed';
  readonly op: TimedOp;
  readonly of: Ast;
  /** Milliseconds. */
  readonly duration: number;
}
export interface LogicAst extends Span {
  readonly kind: 'logic';
  readonly op: 'and' | 'or';
  readonly of: readonly Ast[];
}
export interface IfAst extends Span {
  readonly kind: 'if';
  readonly when: Ast;
  readonly then: Ast;
  readonly otherwise: Ast;
}
/** An expression as parsed: names and units are not looked up yet. */
export type Ast =
  | NumberAst
  | (Span & { readonly kind: 'text'; readonly value: string })
  | (Span & { readonly kind: 'bool'; readonly value: boolean })
  | NameAst
  | CallAst
  | (Span & { readonly kind: 'not'; readonly of: Ast })
  | (Span & { readonly kind: 'neg'; readonly of: Ast })
  | LogicAst
  | ArithAst
  | CompareAst
  | TimedAst
  | VoteAst
  | IfAst;

/** The expressions that an expression is made of, as written. */
export function partsOf(ast: Ast): readonly Ast[] {
  switch (ast.kind) {
    case 'call':
      return valuesOf(ast);
    case 'not':
    case 'neg':
    case 'timed':
      return [ast.of];
    case 'logic':
    case 'vote':
      return ast.of;
    case 'arith':
      return [ast.left, ast.right];
    case 'compare':
      return ast.hyst ? [ast.left, ast.right, ast.hyst] : [ast.left, ast.right];
    case 'if':
      return [ast.when, ast.then, ast.otherwise];
    default:
      return [];
  }
}

/** A mistake in an expression; `offset` counts characters from its start. */
export interface ExpressionProblem {
  readonly message: string;
  readonly offset: number;
  readonly hint?: string;
}
