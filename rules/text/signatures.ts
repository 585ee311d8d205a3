/** How a function is called. */
export interface Signature {
  /** As a person would write it: `avg(x, w, min_valid …)`. */
  readonly text: string;
  /** Values by position, at least and at most. */
  readonly minValues: number;
  readonly maxValues: number;
  /** Names of the values that are given by name. */
  readonly labels: ReadonlySet<string>;
}

/** The functions that expressions can call, by name. */
export type Signatures = ReadonlyMap<string, Signature>;

/** For texts that call nothing, such as numbers with units. */
export const noFunctions: Signatures = new Map();

/** Curves of equipment are called by their names, which end like this. */
export const curveEnding = '_curve';

/** How the function of that name is called; undefined: there is none. */
export function signatureOf(name: string, functions: Signatures): Signature | undefined {
  const known = functions.get(name);
  if (known || !name.endsWith(curveEnding)) return known;
  return { text: `${name}(equipment, x)`, minValues: 2, maxValues: 2, labels: new Set() };
}
