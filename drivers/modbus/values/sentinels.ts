import { shown, type TagType } from '../../../gateway/contract/index.js';
import type { KeyReader } from '../../lib/keys.js';

/** Raw values that stand for "no value". */
export interface Sentinels {
  /** What the bits of the value are, as an unsigned number. */
  readonly patterns: ReadonlySet<bigint>;
  /** Floats that were typed as such. */
  readonly numbers: ReadonlySet<number>;
}

/**
 * Reads `invalid:`, one raw value or a list. Manuals give bit patterns: 0x8000 of an int16 is -32768, and
 * "0x7F7FFFFF" of a float32 its largest. For a bit of a register it is the register: 0xFFFF.
 * NaN and infinities need not be named, they are never a value.
 * @param width bits of the value; of a bit in a register, of that register
 */
export function readSentinels(
  keys: KeyReader,
  type: TagType,
  width: number,
): Sentinels | undefined {
  const typed = keys.raw('invalid');
  if (typed === undefined) return undefined;
  if (type === 'string' || width === 1) {
    const what = type === 'string' ? 'a string' : 'a single bit';
    keys.problem('invalid', `${what} has no invalid value`, 'leave it out');
    return undefined;
  }
  const numbers = new Set<number>();
  const patterns = new Set<bigint>();
  for (const value of Array.isArray(typed) ? (typed as unknown[]) : [typed]) {
    if (type.startsWith('float') && typeof value === 'number' && Number.isFinite(value)) {
      numbers.add(type === 'float32' ? Math.fround(value) : value);
      continue;
    }
    const pattern = exact(value);
    const fits =
      pattern !== undefined &&
      (BigInt.asUintN(width, pattern) === pattern || BigInt.asIntN(width, pattern) === pattern);
    if (fits) patterns.add(BigInt.asUintN(width, pattern));
    else
      keys.problem(
        'invalid',
        `not a raw ${type} of ${String(width)} bits: ${shown(value)}`,
        'write it like 0x8000 or "0xFFFFFFFFFFFFFFFF"',
      );
  }
  return { numbers, patterns };
}

/** Integers exactly, whatever their size. */
function exact(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  const text = typeof value === 'string' ? value.trim() : '';
  if (!/^(-?\d+|0x[0-9a-f]+)$/i.test(text)) return undefined;
  return text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);
}
