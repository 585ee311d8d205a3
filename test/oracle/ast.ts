/** Expressions as the generator builds them; printed for the engine, computed by the oracle. */

/** Physical kind of a number; values are in its base unit: bar, m3/h, none. */
export type Dim = 'bar' | 'm3/h' | '';
export type Comparator = '<' | '<=' | '>' | '>=' | '==' | '!=';

export type Num =
  /** `text` is what stands in the rule, perhaps in another unit than `value`. */
  | { readonly kind: 'constant'; readonly value: number; readonly text: string; readonly dim: Dim }
  /** A tag or a signal. */
  | { readonly kind: 'number'; readonly name: string; readonly dim: Dim }
  | {
      readonly kind: '+' | '-' | '*' | '/' | 'min' | 'max' | 'fallback';
      readonly a: Num;
      readonly b: Num;
      readonly dim: Dim;
    }
  | { readonly kind: 'abs' | 'negated'; readonly a: Num; readonly dim: Dim }
  | {
      readonly kind: 'limit';
      readonly low: Num;
      readonly a: Num;
      readonly high: Num;
      readonly dim: Dim;
    }
  | {
      readonly kind: 'choice';
      readonly c: Bool;
      readonly a: Num;
      readonly b: Num;
      readonly dim: Dim;
    };

export interface Comparison {
  readonly kind: 'compare';
  readonly op: Comparator;
  readonly a: Num;
  readonly b: Num;
  readonly hyst: (Num & { readonly kind: 'constant' }) | undefined;
}

export interface Vote {
  readonly kind: 'vote';
  readonly least: number;
  readonly of: readonly Bool[];
  /** With bad channels: so many of the good ones, `1oo2`. */
  readonly degrade: '1oo2' | '2oo2' | undefined;
}

export type Bool =
  | { readonly kind: 'bool'; readonly name: string }
  | Comparison
  | Vote
  | { readonly kind: 'and' | 'or'; readonly of: readonly Bool[] }
  | { readonly kind: 'not'; readonly x: Bool }
  | { readonly kind: 'for' | 'held' | 'pulse'; readonly x: Bool; readonly time: number }
  | { readonly kind: 'rising' | 'falling'; readonly x: Bool }
  | { readonly kind: 'latch' | 'latch_r'; readonly set: Bool; readonly reset: Bool }
  | { readonly kind: 'ctu'; readonly x: Bool; readonly reset: Bool; readonly count: number }
  | { readonly kind: 'if'; readonly c: Bool; readonly a: Bool; readonly b: Bool }
  | { readonly kind: 'good' | 'bad'; readonly name: string };

export type Node = Bool | Num;

export function childrenOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'compare':
    case '+':
    case '-':
    case '*':
    case '/':
    case 'min':
    case 'max':
    case 'fallback':
      return [node.a, node.b];
    case 'abs':
    case 'negated':
      return [node.a];
    case 'limit':
      return [node.low, node.a, node.high];
    case 'choice':
    case 'if':
      return [node.c, node.a, node.b];
    case 'and':
    case 'or':
    case 'vote':
      return node.of;
    case 'not':
    case 'for':
    case 'held':
    case 'pulse':
    case 'rising':
    case 'falling':
      return [node.x];
    case 'latch':
    case 'latch_r':
      return [node.set, node.reset];
    case 'ctu':
      return [node.x, node.reset];
    default:
      return [];
  }
}

/** Tags and signals that an expression names, once each. */
export function namesIn(node: Node, into: Set<string> = new Set<string>()): Set<string> {
  if (node.kind === 'number' || node.kind === 'bool') into.add(node.name);
  if (node.kind === 'good' || node.kind === 'bad') into.add(node.name);
  for (const child of childrenOf(node)) namesIn(child, into);
  return into;
}

export function holds(node: Node, test: (node: Node) => boolean): boolean {
  return test(node) || childrenOf(node).some((child) => holds(child, test));
}

/** As the delays of rules are written: `300ms`, `2s`. */
export function duration(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}
