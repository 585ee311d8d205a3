const decimal = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const whole = /^[+-]?\d{1,40}$/;

/**
 * A number as people write it: decimal digits, a point, an exponent. A person who types `0x14`, `1_000`, ` 4 `, `١٢`,
 * `Infinity` or nothing at all may mean something else, so these are refused.
 */
export function parseNumber(typed: string): number | undefined {
  if (!decimal.test(typed)) return undefined;
  const value = Number(typed);
  return Number.isFinite(value) ? value : undefined;
}

/** A whole number in decimal digits, exact however long it is. */
export function parseWhole(typed: string): bigint | undefined {
  return whole.test(typed) ? BigInt(typed.replace('+', '')) : undefined;
}

/** `true` and `on`, `false` and `off`. Numbers are refused: a person who writes 2, or 1, may mean another tag. */
export function parseTruth(typed: string): boolean | undefined {
  const word = typed.toLowerCase();
  if (word === 'true' || word === 'on') return true;
  return word === 'false' || word === 'off' ? false : undefined;
}

/** A number with a unit, as people write it. */
export interface Quantity {
  readonly value: number;
  /** As typed; undefined = none. */
  readonly unit: string | undefined;
}

const quantity = /^\s*(?:([+-])\s*)?((?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?)\s*([^\s\d.+-].*)?$/;

/** `32 A`, `-5 degC`, `75 %`, `7`. Whether the unit exists is not looked at. */
export function parseQuantity(typed: string): Quantity | undefined {
  const [, sign, digits, unit] = quantity.exec(typed) ?? [];
  const size = Number(digits ?? NaN);
  if (!Number.isFinite(size)) return undefined;
  return { value: sign === '-' ? -size : size, unit: unit?.trim() };
}
