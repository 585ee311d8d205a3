import type { TagType } from '../../gateway/contract/index.js';
import { shown, type KeyReader } from '../lib/keys.js';

/** Raw values that stand for "no value": numbers, and exact ones for 64-bit integers. */
export interface Sentinels {
  readonly numbers: ReadonlySet<number>;
  readonly wide: ReadonlySet<bigint>;
}

const widths: Partial<Record<TagType, number>> = {
  int8: 8,
  uint8: 8,
  int16: 16,
  uint16: 16,
  int32: 32,
  uint32: 32,
  int64: 64,
  uint64: 64,
};

/**
 * Reads `invalid:`, one raw value or a list. Manuals give bit patterns: 0x8000 of an int16 is -32768.
 * NaN and infinities need not be named, they are never a value.
 */
export function readSentinels(keys: KeyReader, type: TagType): Sentinels | undefined {
  const typed = keys.raw('invalid');
  if (typed === undefined) return undefined;
  if (type === 'bool' || type === 'string') {
    keys.problem('invalid', `a ${type} has no invalid value`, 'leave it out');
    return undefined;
  }
  const numbers = new Set<number>();
  const wide = new Set<bigint>();
  for (const value of Array.isArray(typed) ? (typed as unknown[]) : [typed]) {
    const pattern = exact(value);
    const width = widths[type];
    if (pattern === undefined || (typeof pattern === 'number' && width !== undefined)) {
      keys.problem(
        'invalid',
        `not a raw ${type}: ${shown(value)}`,
        'write it like 0x8000 or "0xFFFFFFFFFFFFFFFF"',
      );
      continue;
    }
    if (width === undefined || typeof pattern === 'number') {
      const number = Number(pattern);
      numbers.add(type === 'float32' ? Math.fround(number) : number);
      continue;
    }
    const signed = !type.startsWith('u');
    const own = signed ? BigInt.asIntN(width, pattern) : BigInt.asUintN(width, pattern);
    wide.add(own);
    numbers.add(Number(own));
  }
  return { numbers, wide };
}

/** Integers exactly, whatever their size; other numbers as they are. */
function exact(value: unknown): bigint | number | undefined {
  if (typeof value === 'number' && Number.isFinite(value))
    return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value === 'string' && /^-?(0x[0-9a-f]+|\d+)$/i.test(value.trim())) {
    const text = value.trim();
    return text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);
  }
  return undefined;
}
