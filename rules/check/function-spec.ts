import type { Signatures } from '../text/signatures.js';

/**
 * The unit that a number must have. `any`: its own, and it becomes that of the function; `like`: that of
 * the first number; `step`: that of a difference of two of those; `band`: the same, or a share of the
 * value (`3 %`); `plain`: none; else the unit named.
 */
export type UnitRule = 'any' | 'like' | 'step' | 'band' | 'plain' | { readonly is: string };

interface Named {
  /** As in the reference. */
  readonly name: string;
  /** Given by its name, in any place: `min_valid 75 %`. */
  readonly label?: true;
  readonly optional?: true;
}
/** A value that is computed anew in every scan. */
export type Operand = Named &
  (
    | {
        readonly kind: 'number';
        readonly unit: UnitRule;
        readonly many?: readonly [number, number];
      }
    | { readonly kind: 'bool' }
    | { readonly kind: 'value' }
  );
/** A literal, known when the rule is read. */
export type Setting = Named &
  (
    | { readonly kind: 'duration' }
    | { readonly kind: 'whole'; readonly from: number; readonly to: number }
    | { readonly kind: 'share' }
    | { readonly kind: 'choice'; readonly of: readonly string[] }
  );
export type Param = Operand | Setting;

/** Is it a literal, and no value that changes? */
export function isSetting(param: Param): param is Setting {
  return param.kind !== 'number' && param.kind !== 'bool' && param.kind !== 'value';
}

/** What a block of time can be summed up to: the choices of `agg`. */
export const aggregates = ['avg', 'min', 'max', 'stddev', 'sum'] as const;

/** Share of a window that must hold usable values, unless the rule says otherwise (OPC UA Part 13). */
export const usualShare = 0.75;

/**
 * Type of the result: `rate` and `total` are the first unit per second and times second, `aggregate` what
 * the choice `agg` makes of it.
 */
export type ResultRule =
  'bool' | 'like' | 'step' | 'rate' | 'total' | 'aggregate' | { readonly is: string };

/** A function of the rule language, described by its signature. What it computes is the affair of the engine. */
export interface FunctionSpec {
  readonly name: string;
  readonly params: readonly Param[];
  readonly result: ResultRule;
  /** Slots that it needs after that of its result. */
  readonly extra?: number;
  /** Looks at single observations: its first operand must be a tag, a signal or sample(). */
  readonly observes?: true;
  /** A scale with a zero of its own has no meaning here (a sum of temperatures). */
  readonly amounts?: true;
}

/** Does it matter to the function that a value was observed again, though it is the same? */
export function countsObservations(spec: FunctionSpec): boolean {
  return spec.observes === true || spec.result === 'aggregate';
}

/** All functions, as reading and checking need them. */
export interface FunctionTable {
  /** How each is called. */
  readonly signatures: Signatures;
  /** Those that are described by a signature, by name. */
  readonly specs: ReadonlyMap<string, FunctionSpec>;
  /** `min` and `max` over a window, which share their names with those of several values. */
  readonly overWindow: Readonly<Record<'min' | 'max', FunctionSpec>>;
}
