import { Quality, type Bands, type RuleTag, type TagLookup } from '../../gateway/contract/index.js';
import type { TestRig } from '../../rules/proving/rig.js';
import type { Dim } from './ast.js';

/** What a value is worth; the classes of semantics.md §3, and two more for what is no matter of span. */
export type Band =
  | 'good'
  | 'reserve'
  /** Saturated: the true value is not below, not above what is shown. */
  | 'above'
  | 'below'
  | 'failed'
  /** Uncertain for another reason. */
  | 'doubtful'
  | 'bad';

export interface Input {
  readonly value: number;
  readonly band: Band;
}

export interface OracleTag {
  readonly name: string;
  readonly dim: Dim | 'bool';
  readonly span: readonly [number, number] | undefined;
  /** Has the bands of a 4-20 mA signal; without, everything outside the span is saturated. */
  readonly isCurrent: boolean;
  readonly isWritable: boolean;
  /** Never bad nor doubtful: for places where the language does not say what bad does. */
  readonly isSteady: boolean;
}

function bool(name: string, isSteady = false, isWritable = false): OracleTag {
  return { name, dim: 'bool', span: undefined, isCurrent: false, isWritable, isSteady };
}
function number(name: string, dim: Dim, isCurrent: boolean, isSteady = false): OracleTag {
  const span = dim === '' ? undefined : ([0, 100] as const);
  return { name, dim, span, isCurrent, isWritable: false, isSteady };
}

export const inputs: readonly OracleTag[] = [
  ...['B1', 'B2', 'B3', 'B4', 'B5', 'B6'].map((name) => bool(name)),
  ...['G1', 'G2'].map((name) => bool(name, true)),
  ...['R1', 'R2'].map((name) => bool(name)),
  ...['P1', 'P2', 'P3', 'P4'].map((name) => number(name, 'bar', true)),
  ...['F1', 'F2', 'F3'].map((name) => number(name, 'm3/h', false)),
  number('N1', '', false),
  number('N2', '', false),
];
export const buttons: readonly string[] = ['R1', 'R2'];

/** By semantics.md §3; NE 43 for signals of 4-20 mA. The value itself is good. */
export function bandOf(tag: OracleTag, value: number): Band {
  if (!tag.span) return 'good';
  const [low, high] = tag.span;
  const width = high - low;
  if (value >= low && value <= high) return 'good';
  const side = value > high ? 'above' : 'below';
  if (!tag.isCurrent) return side;
  const share = (value - low) / width;
  if (share >= -0.0125 && share <= 1.03125) return 'reserve';
  if (share <= -0.025 || share >= 1.0625) return 'failed';
  return side;
}

/** The same as the engine is told it: ends in engineering units. */
function bandsOf(span: readonly [number, number], isCurrent: boolean): Bands {
  if (!isCurrent) return { span, reserve: span, failure: [-Infinity, Infinity] };
  return { span, reserve: [-1.25, 103.125], failure: [-2.5, 106.25] };
}

export function outputOf(at: number): string {
  return `OUT${at + 1}`;
}

/** Inputs and one output for each of so many interlocks, as the rules see them. */
export function lookupOf(outputs: number): TagLookup {
  const all = [
    ...inputs,
    ...Array.from({ length: outputs }, (_, at) => bool(outputOf(at), true, true)),
  ];
  const tags = all.map((tag, index): RuleTag => ({
    name: tag.name,
    index,
    type: tag.dim === 'bool' ? 'bool' : 'float64',
    unit: tag.dim === 'bool' || tag.dim === '' ? undefined : tag.dim,
    enumeration: undefined,
    period: 1000,
    writable: tag.isWritable,
    ...(tag.span ? { bands: bandsOf(tag.span, tag.isCurrent), isSignalKnown: tag.isCurrent } : {}),
  }));
  const byName = new Map(tags.map((tag) => [tag.name, tag]));
  return { find: (name) => byName.get(name), names: () => [...byName.keys()] };
}

/**
 * A value comes to the engine as from the plant, which judges it by its bands; where the oracle judges
 * otherwise (a planted bug, a doubt of the device), with the quality byte of what it should be.
 */
export function arrive(rig: TestRig, index: number, name: string, input: Input): void {
  const { value, band } = input;
  const tag = inputs.find((one) => one.name === name);
  if (tag?.span && bandOf(tag, value) === band) rig.arrive(index, value);
  else rig.put(index, value, qualities[band]);
}

const qualities: Readonly<Record<Band, number>> = {
  good: Quality.good,
  reserve: Quality.inReserve,
  above: Quality.aboveRange,
  below: Quality.belowRange,
  failed: Quality.sensorFailure,
  doubtful: Quality.doubtful,
  bad: Quality.timeout,
};
