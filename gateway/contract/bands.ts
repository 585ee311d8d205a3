import { Quality, type QualityCode } from './quality.js';

/**
 * The bands of an instrument's value, in engineering units. Within the span it is measured; in the reserve next to
 * the span it is used like a measured one (zero drift); beyond that the instrument is at its stop and shows a bound of
 * the true value; at the ends the signal has failed (NAMUR NE 43). Infinite: there is no such end.
 */
export interface Bands {
  readonly span: readonly [low: number, high: number];
  readonly reserve: readonly [low: number, high: number];
  /** At or beyond these the signal has failed: a broken wire, a burnt-out thermocouple. */
  readonly failure: readonly [low: number, high: number];
}

/** A tag with a span and no declared signal: every value outside the span is at the stop. */
export function spanOnly(span: readonly [number, number]): Bands {
  return { span, reserve: span, failure: [-Infinity, Infinity] };
}

/** The usual ends of signals, in shares of the span: NE 43 has 3.8 and 20.5 mA, 3.6 and 21 mA. */
export const usualBands = {
  reserve: [-0.0125, 1.03125],
  failure: [-0.025, 1.0625],
} as const;

/** The quality of a value that the device gave as good. */
export function qualityWithin(value: number, { span, reserve, failure }: Bands): QualityCode {
  if (value >= span[0] && value <= span[1]) return Quality.good;
  if (value <= failure[0] || value >= failure[1]) return Quality.sensorFailure;
  if (value >= reserve[0] && value <= reserve[1]) return Quality.inReserve;
  return value > span[1] ? Quality.aboveRange : Quality.belowRange;
}
