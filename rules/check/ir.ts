import type { RuleTag, TagType } from '../../gateway/contract/index.js';
import type { Curve, Model } from '../read/library.js';
import type { ArithOp, CompareOp, TimedOp } from '../text/ast.js';
import type { Conversion, Unit } from '../text/units.js';
import type { Lag } from './lag.js';

export type ExprType =
  | { readonly kind: 'bool' }
  /** `bare`: a number as typed, without a unit. */
  | { readonly kind: 'number'; readonly unit: Unit; readonly bare: boolean }
  | { readonly kind: 'text' };

/** A tag or a signal as an expression sees it. */
export interface Ref {
  readonly name: string;
  /** Position in the image; -1 for a signal, whose position the engine is told. */
  readonly tag: number;
  /** Position among the signals of the program; -1 for a tag. */
  readonly signal: number;
  readonly type: ExprType;
  readonly dataType: TagType;
  readonly enumeration: RuleTag['enumeration'];
  /** Its device tells of changes by itself, within a period. */
  readonly told?: true;
  /** Scan period in ms, of a signal that of its slowest tag; undefined if there is none. */
  readonly period: number | undefined;
  /** What a signal takes until it shows what happened; nothing for a tag. */
  readonly lag: Lag;
}

/** One tag as one rule reads it: every use of it in the rule sees the same value. */
export interface Input {
  readonly ref: Ref;
  readonly slot: number;
}

interface Base {
  /** Where value and quality of the node are kept. */
  readonly slot: number;
  readonly type: ExprType;
  /** As written. */
  readonly source: string;
}

export interface CompareNode extends Base {
  readonly kind: 'compare';
  readonly op: CompareOp;
  readonly left: Node;
  readonly right: Node;
  /** Takes the right side to the unit of the left. */
  readonly convert: Conversion;
  readonly hyst: Node | undefined;
  readonly hystFactor: number;
}
export interface TextNode extends Base {
  readonly kind: 'text';
  readonly input: Input;
  readonly other: Input | undefined;
  readonly literal: string;
  readonly equal: boolean;
}
export interface ArithNode extends Base {
  readonly kind: 'arith';
  readonly op: ArithOp;
  readonly left: Node;
  readonly right: Node;
  /** Sums: takes the right side to the unit of the result. Products: a factor on the result. */
  readonly convert: Conversion;
}
export interface VoteNode extends Base {
  readonly kind: 'vote';
  readonly need: number;
  readonly of: readonly Node[];
  readonly degrade: { readonly need: number; readonly of: number } | undefined;
  /** Of each channel the slots of tags with `vote` under `on_bad`: while one of them is bad, a bad channel counts as true. */
  readonly voters: readonly (readonly number[])[];
  readonly minGood: number;
  readonly grace: number;
}
export interface PickNode extends Base {
  readonly kind: 'pick';
  readonly pick: 'min' | 'max' | 'limit' | 'abs';
  readonly of: readonly Node[];
  readonly convert: readonly Conversion[];
}
export interface IfNode extends Base {
  readonly kind: 'if';
  readonly when: Node;
  readonly then: Node;
  readonly otherwise: Node;
  readonly convert: Conversion;
}
export type QualityTest = 'good' | 'bad' | 'uncertain' | 'stale' | 'missing';
export interface QualityNode extends Base {
  readonly kind: 'quality';
  readonly test: QualityTest;
  readonly of: Node;
}
export interface TimedNode extends Base {
  readonly kind: 'timed';
  readonly op: TimedOp | 'pulse' | 'changing';
  readonly of: Node;
  readonly duration: number;
}
export interface EdgeNode extends Base {
  readonly kind: 'edge';
  readonly edge: 'rising' | 'falling' | 'changed';
  readonly of: Node;
}

/** A function that its signature describes; the step comes from its {@link BuiltIn}. */
export interface CallNode extends Base {
  readonly kind: 'call';
  readonly name: string;
  readonly of: readonly Node[];
  /** Takes each operand to the unit that the function wants. */
  readonly convert: readonly Conversion[];
  readonly settings: Readonly<Record<string, number>>;
}
/** A curve of a piece of equipment at `of`; `convert` takes that to the unit of the abscissa. */
export interface CurveNode extends Base {
  readonly kind: 'curve';
  readonly of: Node;
  readonly convert: Conversion;
  readonly curve: Curve;
}
/** A statistic of a multivariate model over its variables. */
export const modelStatistics = ['t2', 'spe', 'contrib'] as const;
export type ModelStatistic = (typeof modelStatistics)[number];
export interface ModelNode extends Base {
  readonly kind: 'model';
  readonly statistic: ModelStatistic;
  readonly model: Model;
  readonly of: readonly Node[];
  readonly convert: readonly Conversion[];
  /** For `contrib`: the position of the variable. */
  readonly variable: number;
}

/** A checked expression: names are positions, units are factors, every node has its slot. */
export type Node =
  /** `quality`: of one that nobody has given a value yet; else it is good. */
  | (Base & { readonly kind: 'const'; readonly value: number; readonly quality?: number })
  /** A figure that the rule itself puts into the slot. */
  | (Base & { readonly kind: 'local' })
  /** The running block of a block of time, as it will come to. */
  | (Base & { readonly kind: 'projected'; readonly of: CallNode })
  | (Base & { readonly kind: 'input'; readonly input: Input })
  | (Base & { readonly kind: 'not' | 'neg' | 'prev'; readonly of: Node })
  | (Base & { readonly kind: 'logic'; readonly op: 'and' | 'or'; readonly of: readonly Node[] })
  | (Base & { readonly kind: 'fallback'; readonly of: Node; readonly other: Node } & {
      readonly convert: Conversion;
    })
  | (Base & { readonly kind: 'tripped'; readonly rules: readonly string[] } & {
      /** Orders without a rule are found by their names as they stand. */
      readonly pattern: string;
    })
  | (Base & { readonly kind: 'age'; readonly input: Input })
  | (Base & {
      readonly kind: 'latch';
      readonly dominant: 'set' | 'reset';
      readonly set: Node;
      readonly reset: Node;
    })
  | CompareNode
  | TextNode
  | ArithNode
  | VoteNode
  | PickNode
  | IfNode
  | QualityNode
  | TimedNode
  | EdgeNode
  | CallNode
  | CurveNode
  | ModelNode;

/** The nodes that a node is made of, in the order in which they are evaluated. */
export function childrenOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'const':
    case 'input':
    case 'text':
    case 'tripped':
    case 'age':
    case 'local':
      return [];
    case 'compare':
      return node.hyst ? [node.left, node.right, node.hyst] : [node.left, node.right];
    case 'arith':
      return [node.left, node.right];
    case 'if':
      return [node.when, node.then, node.otherwise];
    case 'fallback':
      return [node.of, node.other];
    case 'latch':
      return [node.set, node.reset];
    case 'logic':
    case 'vote':
    case 'pick':
    case 'call':
    case 'model':
      return node.of;
    default:
      return [node.of];
  }
}

/** Every tag and signal that a node reads, each once, in the order of the text. */
export function inputsOf(node: Node): readonly Input[] {
  const found = new Map<string, Input>();
  const walk = (at: Node): void => {
    if (at.kind === 'input' || at.kind === 'age' || at.kind === 'text')
      found.set(at.input.ref.name, at.input);
    if (at.kind === 'text' && at.other) found.set(at.other.ref.name, at.other);
    for (const child of childrenOf(at)) walk(child);
  };
  walk(node);
  return [...found.values()];
}
