import type { Ast } from './ast.js';
import { parse } from './parse.js';
import { noFunctions } from './signatures.js';
import { isDimensionless, parseUnit, plain, type Unit } from './units.js';

/** A number with a unit, as it stands in a list of constants: `2.5 m`, `-5 degC`, `0.7`. */
export interface Quantity {
  readonly value: number;
  /** As typed; undefined = none. */
  readonly unit: string | undefined;
}

/** Reads one number with or without a unit; anything else is none. */
export function quantityOf(typed: unknown): Quantity | undefined {
  if (typeof typed === 'number') return Number.isFinite(typed) ? bare(typed) : undefined;
  if (typeof typed !== 'string') return undefined;
  const parsed = parse(typed, noFunctions);
  return parsed.ok ? quantityOfAst(parsed.ast) : undefined;
}
function bare(value: number): Quantity {
  return { value, unit: undefined };
}

export function quantityOfAst(ast: Ast): Quantity | undefined {
  const sign = ast.kind === 'neg' ? -1 : 1;
  const literal = ast.kind === 'neg' ? ast.of : ast;
  if (literal.kind !== 'number' || !Number.isFinite(literal.value)) return undefined;
  return { value: sign * literal.value, unit: literal.unit };
}

/** The unit of a quantity; undefined if the table does not know it. */
export function unitOfQuantity({ unit }: Quantity): Unit | undefined {
  return unit === undefined ? plain : parseUnit(unit);
}

/** A share of a whole: `0.75` or `75 %`; undefined if it is something else. */
export function shareOf(quantity: Quantity | undefined): number | undefined {
  const unit = quantity && unitOfQuantity(quantity);
  return quantity && unit && isDimensionless(unit) ? quantity.value * unit.factor : undefined;
}
