import type { CompareOp } from '../../text/ast.js';

/** A condition without time and quality: what it is for good values. */
export type Formula =
  | { readonly is: 'const'; readonly value: boolean }
  /** A number, whatever it is made of, against a limit. */
  | {
      readonly is: 'bound';
      readonly subject: string;
      readonly op: CompareOp;
      readonly limit: number;
    }
  /** Something that may be either; what is written alike is alike. */
  | { readonly is: 'flag'; readonly name: string }
  | { readonly is: 'not'; readonly of: Formula }
  | { readonly is: 'count'; readonly need: number; readonly of: readonly Formula[] };

export const yes: Formula = { is: 'const', value: true };
export const no: Formula = { is: 'const', value: false };

export function flag(name: string): Formula {
  return { is: 'flag', name };
}
export function not(of: Formula): Formula {
  return { is: 'not', of };
}
export function and(...of: readonly Formula[]): Formula {
  return { is: 'count', need: of.length, of };
}
export function or(...of: readonly Formula[]): Formula {
  return { is: 'count', need: 1, of };
}
/** So many of them, or more. */
export function count(need: number, of: readonly Formula[]): Formula {
  return { is: 'count', need, of };
}

export function holds(op: CompareOp, a: number, b: number): boolean {
  switch (op) {
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
    case '==':
      return a === b;
    case '!=':
      return a !== b;
  }
}

/** What is known of a formula. `open`: it may be either, or it is too large to be sure. */
export type Verdict = 'always' | 'never' | 'open';

/** Most combinations that are looked at: a rule of the usual size has a few dozen. */
const most = 4096;

/**
 * Tries every case: of a number it matters only between which of its limits it is, or on which of them. Two
 * different subjects are taken for independent, so a verdict is true and `open` may be too careful.
 */
export function decide(formula: Formula): Verdict {
  const found: Subjects = { limits: new Map(), uses: 0, hasConst: false };
  collect(formula, found);
  // Each subject once, and nothing fixed: it may be either.
  if (found.uses === found.limits.size && !found.hasConst) return 'open';
  const names = [...found.limits.keys()];
  const cases = [...found.limits.values()].map(casesOf);
  if (cases.reduce((product, { length }) => product * length, 1) > most) return 'open';
  const values = new Map<string, number>();
  const seen = { yes: false, no: false };
  const tryAll = (depth: number): boolean => {
    const name = names[depth];
    if (name === undefined) {
      seen[evaluate(formula, values) ? 'yes' : 'no'] = true;
      return seen.yes && seen.no;
    }
    return (cases[depth] ?? []).some((value) => {
      values.set(name, value);
      return tryAll(depth + 1);
    });
  };
  if (tryAll(0)) return 'open';
  return seen.yes ? 'always' : 'never';
}

interface Subjects {
  /** Limits of each number; a flag is one with the limit ½. */
  readonly limits: Map<string, number[]>;
  uses: number;
  hasConst: boolean;
}

function collect(formula: Formula, into: Subjects): void {
  if (formula.is === 'const') into.hasConst = true;
  else if (formula.is === 'not') collect(formula.of, into);
  else if (formula.is === 'count') {
    // `0 of` and `3 of` two are as good as fixed.
    if (formula.need < 1 || formula.need > formula.of.length) into.hasConst = true;
    for (const one of formula.of) collect(one, into);
  } else {
    const [name, limit] =
      formula.is === 'flag' ? [formula.name, 0.5] : [formula.subject, formula.limit];
    const list = into.limits.get(name) ?? [];
    if (!list.some((other) => isAlike(other, limit))) list.push(limit);
    into.limits.set(name, list);
    into.uses++;
  }
}

/** Limits that went through a conversion of units differ in their last digits. */
function isAlike(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));
}

/** One value below, on, between and above the limits. */
function casesOf(limits: readonly number[]): readonly number[] {
  const sorted = [...limits].sort((a, b) => a - b);
  const first = sorted[0] ?? 0;
  const last = sorted.at(-1) ?? 0;
  const between = sorted.slice(1).map((limit, at) => (limit + (sorted[at] ?? limit)) / 2);
  return [below(first), ...sorted, ...between, -below(-last)];
}
function below(limit: number): number {
  return limit - Math.max(1, Math.abs(limit));
}

function evaluate(formula: Formula, values: ReadonlyMap<string, number>): boolean {
  switch (formula.is) {
    case 'const':
      return formula.value;
    case 'not':
      return !evaluate(formula.of, values);
    case 'count': {
      let rest = formula.need;
      for (const one of formula.of) if (rest > 0 && evaluate(one, values)) rest--;
      return rest <= 0;
    }
    case 'flag':
      return (values.get(formula.name) ?? 0) > 0.5;
    case 'bound': {
      const value = values.get(formula.subject) ?? 0;
      const { limit, op } = formula;
      return holds(op, isAlike(value, limit) ? limit : value, limit);
    }
  }
}
