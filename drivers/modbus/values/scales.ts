/** Values whose scale the device gives in another register, as SunSpec has it. */
import type { RegisterValue } from './value.js';

/** What the other register says. */
export const scaleKinds = ['power-of-ten', 'factor', 'divisor'] as const;
export type ScaleKind = (typeof scaleKinds)[number];

/** A value and its scale: one request brings both. */
export interface Scaled<V extends RegisterValue = RegisterValue> {
  readonly raw: V;
  readonly scale: V;
  readonly kind: ScaleKind;
}

/** Types that can hold a raw value or a scale here: exact as numbers. */
export const rawTypes = ['int16', 'uint16', 'int32', 'uint32', 'float32'] as const;

/** Of SunSpec; beyond it nothing is a scale. */
const mostTens = 10;

/**
 * The value in units; undefined where the scale is none. Tens are multiplied or divided by, so that 123 tenths are 12.3 and
 * not 12.3000000001.
 */
export function inUnits(raw: number, scale: number, kind: ScaleKind): number | undefined {
  if (kind === 'factor') return raw * scale;
  if (kind === 'divisor') return scale === 0 ? undefined : raw / scale;
  if (!Number.isInteger(scale) || Math.abs(scale) > mostTens) return undefined;
  return scale < 0 ? raw / 10 ** -scale : raw * 10 ** scale;
}

/** The raw value for one in units; undefined where the scale is none. */
export function toRaw(value: number, scale: number, kind: ScaleKind): number | undefined {
  const one = inUnits(1, scale, kind);
  if (one === undefined || one === 0 || !Number.isFinite(one)) return undefined;
  if (kind === 'power-of-ten') return scale < 0 ? value * 10 ** -scale : value / 10 ** scale;
  return value / one;
}
