import type { Slots, Step } from '../blocks/slots.js';

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

/** The value that most functions look at, and the time over which they do. */
export const aNumber: Operand & { readonly kind: 'number' } = {
  name: 'x',
  kind: 'number',
  unit: 'any',
};
export const aWindow: Setting = { name: 'w', kind: 'duration' };

export function isSetting(param: Param): param is Setting {
  return param.kind !== 'number' && param.kind !== 'bool' && param.kind !== 'value';
}

/**
 * Type of the result: `rate` and `total` are the first unit per second and times second, `aggregate` what
 * the choice `agg` makes of it.
 */
export type ResultRule =
  'bool' | 'like' | 'step' | 'rate' | 'total' | 'aggregate' | { readonly is: string };

/** What a step of a function works on. */
export interface Wiring {
  /** Slot of the result; further slots of the function follow it. */
  readonly to: number;
  readonly of: readonly Operands[];
  /** Settings by name; absent ones are missing. */
  readonly settings: Readonly<Record<string, number>>;
  /** A number that is another one whenever the first operand was observed anew. */
  readonly beat: () => number;
  /** Wall time of a monotonic time, ms. */
  readonly wallOf: (mono: number) => number;
}
/** One operand in the unit that the function wants: `value × k + c`. */
export interface Operands {
  readonly slot: number;
  readonly k: number;
  readonly c: number;
}

/** A function of the rule language that is described by its signature. */
export interface BuiltIn {
  readonly name: string;
  readonly params: readonly Param[];
  readonly result: ResultRule;
  /** Slots that it needs after that of its result. */
  readonly extra?: number;
  /** Looks at single observations: its first operand must be a tag, a signal or sample(). */
  readonly observes?: true;
  /** A scale with a zero of its own has no meaning here (a sum of temperatures). */
  readonly amounts?: true;
  step(s: Slots, w: Wiring): Step;
}

/** Does it matter to the function that a value was observed anew, though it is the same? */
export function countsObservations(spec: BuiltIn): boolean {
  return spec.observes === true || spec.result === 'aggregate';
}
