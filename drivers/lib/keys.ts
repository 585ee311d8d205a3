import {
  type DurationMs,
  type KeySchema,
  type Parsed,
  parseDuration,
  type Problem,
  shown,
  type Source,
} from '../../gateway/contract/index.js';

/** Bounds of a number, both inclusive. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
}

/**
 * Reads typed values out of a {@link Source} and collects every problem, so that the engineer sees
 * all of them at once. After a problem it goes on with the fallback; `finish` then gives the problems.
 */
export class KeyReader {
  readonly problems: Problem[] = [];
  readonly #source: Source;
  readonly #path: readonly (string | number)[];

  constructor(source: Source, path: readonly (string | number)[] = []) {
    this.#source = source;
    this.#path = path;
  }

  has(key: string): boolean {
    return this.#source[key] !== undefined;
  }

  raw(key: string): unknown {
    return this.#source[key];
  }

  problem(key: string, message: string, hint?: string): void {
    const path = [...this.#path, key];
    this.problems.push(hint === undefined ? { path, message } : { path, message, hint });
  }

  /** An integer within bounds; without the key, the fallback; without either, a problem. */
  integer(key: string, bounds: Bounds, fallback?: number): number {
    const value = this.#source[key];
    if (value === undefined && fallback !== undefined) return fallback;
    const range = `${bounds.min} to ${bounds.max}`;
    if (value === undefined) this.problem(key, `${key} is missing`, `write ${key}: with ${range}`);
    else if (typeof value !== 'number' || !Number.isInteger(value))
      this.problem(key, `${key} must be a whole number, not ${shown(value)}`, `use ${range}`);
    else if (value < bounds.min || value > bounds.max)
      this.problem(key, `${key} is out of range: ${value}`, `use ${range}`);
    else return value;
    return fallback ?? bounds.min;
  }

  /** A finite number; without the key, the fallback. */
  number(key: string, fallback: number): number {
    const value = this.#source[key];
    if (value === undefined) return fallback;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    this.problem(key, `${key} must be a number, not ${shown(value)}`);
    return fallback;
  }

  /** A duration such as `250ms`, in milliseconds, within bounds (milliseconds too). */
  duration(key: string, bounds: Bounds, fallback: DurationMs): DurationMs {
    const value = this.#source[key];
    if (value === undefined) return fallback;
    const length = typeof value === 'string' ? parseDuration(value) : undefined;
    if (length === undefined)
      this.problem(key, `${key} is not a duration: ${shown(value)}`, 'write it like 250ms or 5s');
    else if (length < bounds.min || length > bounds.max)
      this.problem(
        key,
        `${key} is out of range: ${shown(value)}`,
        `use ${bounds.min}ms to ${bounds.max}ms`,
      );
    else return length;
    return fallback;
  }

  /** One of a few words; without the key, the fallback. */
  choice<T extends string>(key: string, words: readonly T[], fallback: T): T {
    const value = this.#source[key];
    if (value === undefined) return fallback;
    const found = words.find((word) => word === value);
    if (found !== undefined) return found;
    this.problem(key, `${key} cannot be ${shown(value)}`, `use one of ${words.join(', ')}`);
    return fallback;
  }

  /** A text; a number is taken as it is written. Undefined without the key. */
  text(key: string): string | undefined {
    const value = this.#source[key];
    if (value === undefined || typeof value === 'string') return value;
    if (typeof value === 'number') return String(value);
    this.problem(key, `${key} must be a text, not ${shown(value)}`, 'put it in quotes');
    return undefined;
  }

  /** True or false; without the key, the fallback. */
  flag(key: string, fallback: boolean): boolean {
    const value = this.#source[key];
    if (value === undefined) return fallback;
    if (typeof value === 'boolean') return value;
    this.problem(key, `${key} must be true or false, not ${shown(value)}`);
    return fallback;
  }

  /** The value built meanwhile, or the problems if there was any. */
  finish<T>(value: T): Parsed<T> {
    return this.problems.length === 0
      ? { ok: true, value }
      : { ok: false, problems: this.problems };
  }
}

const durationPattern = '^\\s*\\d+(\\.\\d+)?\\s*(ms|s|min|m|h|d)\\s*$';

/** JSON Schema of a duration key. */
export function durationKey(
  description: string,
  fallback?: string,
): KeySchema['properties'][string] {
  const schema = { type: 'string', pattern: durationPattern, description };
  return fallback === undefined ? schema : { ...schema, default: fallback };
}

/** JSON Schema of an integer key; without a fallback it is required or has none. */
export function integerKey(
  description: string,
  bounds: Bounds,
  fallback?: number,
): KeySchema['properties'][string] {
  const schema = { type: 'integer', minimum: bounds.min, maximum: bounds.max, description };
  return fallback === undefined ? schema : { ...schema, default: fallback };
}
