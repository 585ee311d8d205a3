import type { Unit } from '../text/units.js';

/** A number that is known by name. */
export interface Constant {
  readonly name: string;
  readonly value: number;
  readonly unit: Unit;
}

/** A characteristic of a machine as a table, straight between its points. */
export interface Curve {
  readonly name: string;
  /** Ascending. */
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly xUnit: Unit;
  readonly yUnit: Unit;
}

/** A principal-component model: what was normal, and how far from it is too far. */
export interface Model {
  readonly name: string;
  readonly variables: readonly ModelVariable[];
  /** One row a component, one number a variable; orthonormal. */
  readonly loadings: readonly (readonly number[])[];
  /** Variance of each component. */
  readonly variances: readonly number[];
}
export interface ModelVariable {
  readonly tag: string;
  readonly unit: Unit;
  readonly mean: number;
  readonly sigma: number;
}

/** What rules know besides tags and signals. */
export interface Library {
  constant: (name: string) => Constant | undefined;
  baseline: (name: string) => Constant | undefined;
  curve: (equipment: string, name: string) => Curve | undefined;
  model: (name: string) => Model | undefined;
  /** For suggestions. */
  readonly names: readonly string[];
  readonly curves: readonly string[];
  readonly models: readonly string[];
}
