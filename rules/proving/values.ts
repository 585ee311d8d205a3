import {
  own,
  formatDuration,
  GatewayError,
  parseDuration,
  Quality,
  type QualityName,
  type RuleTag,
} from '../../gateway/contract/index.js';
import { isMap, type Raw } from '../read/fields.js';
import { quantityOf } from '../text/literal.js';
import { conversion, parseUnit, unitOfTag, unitsCompatible, unitText } from '../text/units.js';

/** What a tag does from a point of the time-line on. */
export type Course =
  | { readonly kind: 'hold'; readonly value: number | string | undefined; readonly quality: number }
  /** Straight to a value, seen at every poll. */
  | { readonly kind: 'ramp'; readonly to: number; readonly over: number }
  /** One more at each step: a heartbeat. */
  | { readonly kind: 'count'; readonly every: number }
  /** From one value to the other and back. */
  | { readonly kind: 'wave'; readonly values: readonly number[]; readonly every: number }
  /** Normal around a mean, the same in every run. */
  | { readonly kind: 'noise'; readonly mean: number; readonly sd: number };

function wrong(message: string): never {
  throw new GatewayError('config-invalid', message);
}

function durationOf(typed: unknown, key: string): number {
  const found = typeof typed === 'string' ? parseDuration(typed) : undefined;
  return found !== undefined && found > 0
    ? found
    : wrong(`${key}: ${String(typed)} is no time, such as 5s`);
}

/** A typed value in the unit of its tag. Throws `config-invalid` with what is wrong. */
export function valueFor(tag: RuleTag, typed: unknown): number | string {
  if (tag.type === 'string') return typeof typed === 'string' ? typed : String(typed);
  if (typeof typed === 'boolean' && tag.type === 'bool') return typed ? 1 : 0;
  if (tag.type === 'bool') return wrong(`${tag.name} is true or false, not ${String(typed)}`);
  if (typeof typed === 'string' && tag.enumeration)
    for (const [number, text] of tag.enumeration) if (text === typed) return number;
  const quantity = quantityOf(typed);
  if (!quantity) return wrong(`${tag.name} cannot be ${JSON.stringify(typed)}`);
  const own = unitOfTag(tag.unit);
  if (quantity.unit === undefined) {
    if (own.text === '' || quantity.value === 0) return quantity.value;
    return wrong(`${tag.name} is in ${own.text}: write ${quantity.value} ${own.text}`);
  }
  const given = quantity.unit === own.text ? own : parseUnit(quantity.unit);
  if (!given || !unitsCompatible(given, own))
    return wrong(`${tag.name} is in ${unitText(own)}, not in ${quantity.unit}`);
  const { k, c } = conversion(given, own);
  return quantity.value * k + c;
}

const levels: Readonly<Record<string, number>> = {
  GOOD: Quality.good,
  UNCERTAIN: Quality.doubtful,
  BAD: Quality.notConnected,
  STALE: Quality.stale,
};

/** `BAD`, `STALE`, or a reason by its name in the code (`timeout`). */
export function qualityOf(typed: unknown): number {
  const text = String(typed);
  const level = own(levels, text.toUpperCase());
  if (level !== undefined) return level;
  const names = Object.keys(Quality) as QualityName[];
  const name = names.find((one) => one.toLowerCase() === text.replace(/-/g, '').toLowerCase());
  return name ? Quality[name] : wrong(`there is no quality ${text}`);
}

function numberFor(tag: RuleTag, typed: unknown): number {
  const value = valueFor(tag, typed);
  return typeof value === 'number' ? value : wrong(`${tag.name} is a text`);
}
/** Of a spread, which is a difference: `0.05 pH`, and `0.1 degC` means 0.1 K. */
function spreadFor(tag: RuleTag, typed: unknown): number {
  return quantityOf(typed)?.value ?? wrong(`${tag.name}: ${String(typed)} is no spread`);
}

/** What the time-line says of one tag. */
export function courseOf(tag: RuleTag, typed: unknown): Course {
  if (!isMap(typed)) return { kind: 'hold', value: valueFor(tag, typed), quality: Quality.good };
  const known = ['quality', 'value', 'ramp', 'over', 'count', 'wave', 'every', 'mean', 'sd'];
  for (const key of Object.keys(typed))
    if (!known.includes(key))
      wrong(`${tag.name}: unknown key ${key}; there are ${known.join(', ')}`);
  return movingCourse(tag, typed) ?? heldCourse(tag, typed);
}

function movingCourse(tag: RuleTag, typed: Raw): Course | undefined {
  if ('ramp' in typed)
    return {
      kind: 'ramp',
      to: numberFor(tag, typed['ramp']),
      over: durationOf(typed['over'], 'over'),
    };
  if ('count' in typed) return { kind: 'count', every: durationOf(typed['count'], 'count') };
  if ('wave' in typed) {
    const list: readonly unknown[] = Array.isArray(typed['wave']) ? typed['wave'] : [];
    if (list.length < 2) wrong(`${tag.name}: wave needs two values or more`);
    const values = list.map((one) => numberFor(tag, one));
    return { kind: 'wave', values, every: durationOf(typed['every'], 'every') };
  }
  if ('sd' in typed)
    return { kind: 'noise', mean: numberFor(tag, typed['mean']), sd: spreadFor(tag, typed['sd']) };
  return undefined;
}

function heldCourse(tag: RuleTag, typed: Raw): Course {
  const value = 'value' in typed ? valueFor(tag, typed['value']) : undefined;
  const quality = 'quality' in typed ? qualityOf(typed['quality']) : Quality.good;
  return { kind: 'hold', value, quality };
}

/** A moment of a time-line with all its digits: `2.05s`, `10min`. */
export function momentText(ms: number): string {
  const short = formatDuration(ms);
  return parseDuration(short) === ms ? short : `${ms / 1000}s`;
}
