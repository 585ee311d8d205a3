/** IEEE 754 binary16, which JavaScript knows only in newer versions. */

/** The number of 16 bits. */
export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1_024) * 2 ** (exponent - 15);
}

/** The nearest 16 bits, ties to even; undefined when the number is not finite or too large. */
export function toHalf(value: number): number | undefined {
  if (!Number.isFinite(value)) return undefined;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const amount = Math.abs(value);
  if (amount >= 65_520) return undefined;
  if (amount < 2 ** -14) return sign | roundEven(amount * 2 ** 24);
  const exponent = Math.floor(Math.log2(amount));
  // Rounding may carry into the exponent, which is the next number all the same.
  return sign | (((exponent + 14) << 10) + roundEven((amount / 2 ** exponent) * 1_024));
}

function roundEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}
