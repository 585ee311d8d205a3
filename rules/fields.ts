import { parseDuration } from '../gateway/contract/index.js';
import type { Ast } from './ast.js';
import { didYouMean } from './names.js';
import { parseExpression } from './parse.js';
import type { Path, Sink } from './problems.js';

/** An expression as it stands in a rule. */
export interface Expr {
  readonly text: string;
  readonly ast: Ast;
  readonly path: Path;
}

export type Raw = Readonly<Record<string, unknown>>;
export function isMap(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads the keys of one map, remembers which were asked for, and reports all that does not fit. */
export interface Fields {
  readonly path: Path;
  has(key: string): boolean;
  raw(key: string): unknown;
  text(key: string): string | undefined;
  required<T>(key: string, value: T | undefined, example: string): T | undefined;
  duration(key: string): number | undefined;
  whole(key: string, least: number, most: number): number | undefined;
  choice<T extends string>(key: string, options: readonly T[]): T | undefined;
  expression(key: string): Expr | undefined;
  map(key: string): Fields | undefined;
  keys(): readonly string[];
  /** Reports the keys that nobody asked for. */
  done(notYet?: readonly string[]): void;
}

/** A scalar as YAML gives it, as an expression: `true`, `5` and texts. */
export function readExpression(value: unknown, path: Path, sink: Sink): Expr | undefined {
  if (typeof value !== 'string' && typeof value !== 'boolean' && typeof value !== 'number') {
    sink.report(path, 'expected an expression', 'such as FT101 < 5 m3/h');
    return undefined;
  }
  const text = String(value);
  const parsed = parseExpression(text);
  if (parsed.ok) return { text, ast: parsed.ast, path };
  for (const { message, hint, offset } of parsed.problems) sink.report(path, message, hint, offset);
  return undefined;
}

export function createFields(map: Raw, path: Path, sink: Sink): Fields {
  const asked = new Set<string>();
  const raw = (key: string): unknown => {
    asked.add(key);
    return Object.hasOwn(map, key) ? map[key] : undefined;
  };
  const has = (key: string): boolean => raw(key) !== undefined && raw(key) !== null;
  const wrong = (key: string, message: string, hint?: string): undefined => {
    sink.report([...path, key], message, hint);
  };
  const text = (key: string): string | undefined => {
    if (!has(key)) return undefined;
    const value = raw(key);
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      return String(value);
    wrong(key, `${key} must be a text`);
    return undefined;
  };
  return {
    path,
    has,
    raw,
    text,
    keys: () => Object.keys(map),
    required: (key, value, example) => {
      // A value that is there but wrong has been reported already.
      if (value === undefined && !has(key))
        sink.report(path, `${key} is missing`, `such as ${example}`);
      return value;
    },
    duration: (key) => {
      const value = text(key);
      const duration = value === undefined ? undefined : parseDuration(value);
      if (value !== undefined && duration === undefined)
        wrong(key, `${key}: ${value} is no time`, 'such as 500ms, 5s, 10min, 1h');
      return duration;
    },
    whole: (key, least, most) => {
      const value = raw(key);
      if (!has(key)) return undefined;
      if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most)
        return value;
      wrong(key, `${key} must be a whole number from ${least} to ${most}`);
      return undefined;
    },
    choice: (key, options) => {
      const value = text(key);
      const found = options.find((option) => option === value);
      if (value !== undefined && found === undefined)
        wrong(
          key,
          `${key} cannot be ${value}`,
          didYouMean(value, options, `it is one of ${options.join(', ')}`),
        );
      return found;
    },
    expression: (key) => (has(key) ? readExpression(raw(key), [...path, key], sink) : undefined),
    map: (key) => {
      const value = raw(key);
      if (!has(key)) return undefined;
      if (isMap(value)) return createFields(value, [...path, key], sink);
      wrong(key, `${key} must be a map of keys and values`);
      return undefined;
    },
    done: (notYet = []) => refuseOthers(map, path, sink, asked, notYet),
  };
}

function refuseOthers(
  map: Raw,
  path: Path,
  sink: Sink,
  asked: ReadonlySet<string>,
  notYet: readonly string[],
): void {
  for (const key of Object.keys(map)) {
    if (asked.has(key)) continue;
    if (notYet.includes(key))
      sink.report([...path, key], `${key} is not yet supported`, 'take it out for now');
    else {
      const hint = didYouMean(key, asked, `known: ${[...asked].join(', ')}`);
      sink.report([...path, key], `unknown key ${key}`, hint);
    }
  }
}
