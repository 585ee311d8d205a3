import type { Ast } from './ast.js';
import { isDimensionless, parseUnit, plain, type Unit } from './units.js';
import { parseQuantity, type Quantity } from '../../gateway/contract/index.js';

/** Reads one number with or without a unit; anything else is none. */
export function quantityOf(typed: unknown): Quantity | undefined {
  if (typeof typed === 'number') return Number.isFinite(typed) ? bare(typed) : undefined;
  return typeof typed === 'string' ? parseQuantity(typed) : undefined;
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
