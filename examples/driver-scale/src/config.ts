import { ms, type DurationMs, type KeySchema, type Parsed, type Source } from 'millrace/contract';
import { durationKey, KeyReader } from 'millrace/driver-kit';

/** Units in which scales answer. */
export const units = ['kg', 'g', 'lb'] as const;
export type Unit = (typeof units)[number];

/** Plain data: it is copied to another thread. */
export interface ScaleConfig {
  readonly timeout: DurationMs;
  /** Unit that the scale is set to; a weight in another one is no weight. */
  readonly unit: Unit;
}

export const linkSchema: KeySchema = {
  properties: {
    timeout: durationKey('How long the scale may take to answer.', '1s'),
    unit: { enum: units, description: 'Unit that the scale is set to.', default: 'kg' },
  },
};

export function parseLink(link: Source): Parsed<ScaleConfig> {
  const keys = new KeyReader(link);
  return keys.finish({
    timeout: keys.duration('timeout', { min: 10, max: 60_000 }, ms(1_000)),
    unit: keys.choice('unit', units, 'kg'),
  });
}
