import { isMap, parseDuration } from '../../gateway/contract/index.js';
import type { Ast } from '../text/ast.js';
import { didYouMean } from '../text/names.js';
import { parse } from '../text/parse.js';
import { noFunctions, type Signatures } from '../text/signatures.js';
import type { Path, Sink } from './problems.js';

/** An expression as it stands in a rule. */
export interface Expr {
  readonly text: string;
  readonly ast: Ast;
  readonly path: Path;
}

export type Raw = Readonly<Record<string, unknown>>;
export { isMap };

/** Reads the keys of one map, remembers which were asked for, and reports all that does not fit. */
export interface Fields {
  readonly path: Path;
  has: (key: string) => boolean;
  raw: (key: string) => unknown;
  text: (key: string) => string | undefined;
  texts: (key: string) => readonly string[] | undefined;
  required: <T>(key: string, value: T | undefined, example: string) => T | undefined;
  duration: (key: string) => number | undefined;
  flag: (key: string) => boolean | undefined;
  whole: (key: string, least: number, most: number) => number | undefined;
  choice: <T extends string>(key: string, options: readonly T[]) => T | undefined;
  expression: (key: string) => Expr | undefined;
  /** Every value of this map as an expression, with its key. */
  expressions: () => readonly { readonly name: string; readonly expr: Expr }[];
  map: (key: string) => Fields | undefined;
  /** The maps of a list; what is no map is reported. */
  maps: (
    key: string,
    about: { readonly message: string; readonly example: string },
  ) => readonly Fields[];
  keys: () => readonly string[];
  /** Reports the keys that nobody asked for. */
  done: () => void;
}

/** A scalar as YAML gives it, as an expression: `true`, `5` and texts. */
function readExpression(
  value: unknown,
  path: Path,
  { sink, functions }: ExpressionContext,
): Expr | undefined {
  if (typeof value !== 'string' && typeof value !== 'boolean' && typeof value !== 'number') {
    sink.report(path, 'expected an expression', 'such as FT101 < 5 m3/h');
    return undefined;
  }
  const text = String(value);
  const parsed = parse(text, functions);
  if (parsed.ok) return { text, ast: parsed.ast, path };
  for (const { message, hint, offset } of parsed.problems) sink.report(path, message, hint, offset);
  return undefined;
}

/** Where problems go, and what expressions may call. */
interface ExpressionContext {
  readonly sink: Sink;
  readonly functions: Signatures;
}

/** The keys of one map and what was asked for so far; typed readers are put around it. */
interface Reader {
  readonly asked: Set<string>;
  readonly raw: (key: string) => unknown;
  readonly has: (key: string) => boolean;
  readonly wrong: (key: string, message: string, hint?: string) => void;
}

function createReader(map: Raw, path: Path, sink: Sink): Reader {
  const asked = new Set<string>();
  const raw = (key: string): unknown => {
    asked.add(key);
    return Object.hasOwn(map, key) ? map[key] : undefined;
  };
  return {
    asked,
    raw,
    has: (key) => raw(key) !== undefined && raw(key) !== null,
    wrong: (key, message, hint) => {
      sink.report([...path, key], message, hint);
    },
  };
}

function textOf({ has, raw, wrong }: Reader, key: string): string | undefined {
  if (!has(key)) return undefined;
  const value = raw(key);
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return String(value);
  wrong(key, `${key} must be a text`);
  return undefined;
}

function textsOf({ has, raw, wrong }: Reader, key: string): readonly string[] | undefined {
  const value = raw(key);
  if (!has(key)) return undefined;
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value;
  wrong(key, `${key} must be a list of names`);
  return undefined;
}

function choiceOf<T extends string>(
  reader: Reader,
  key: string,
  options: readonly T[],
): T | undefined {
  const value = textOf(reader, key);
  const found = options.find((option) => option === value);
  if (value === undefined || found !== undefined) return found;
  const known = `it is one of ${options.join(', ')}`;
  reader.wrong(key, `${key} cannot be ${value}`, didYouMean(value, options, known));
  return undefined;
}

function namedBy(
  names: readonly string[],
  parsed: (name: string) => Expr | undefined,
): readonly { readonly name: string; readonly expr: Expr }[] {
  return names.flatMap((name) => {
    const expr = parsed(name);
    return expr ? [{ name, expr }] : [];
  });
}

/** The maps in a list, with their positions. */
function mapsIn(list: unknown, refuse: (at: number) => void): readonly (readonly [Raw, number])[] {
  const items: readonly unknown[] = Array.isArray(list) ? list : [];
  return items.flatMap((item, at) => {
    if (isMap(item)) return [[item, at] as const];
    refuse(at);
    return [];
  });
}

/** Fields of a map. `functions`: what its expressions may call, if it has any. */
export function createFields(
  map: Raw,
  path: Path,
  sink: Sink,
  functions: Signatures = noFunctions,
): Fields {
  const reader = createReader(map, path, sink);
  const { raw, has, wrong } = reader;
  const text = (key: string): string | undefined => textOf(reader, key);
  const within = (inner: Raw, below: Path): Fields => createFields(inner, below, sink, functions);
  const parsed = (key: string): Expr | undefined =>
    readExpression(raw(key), [...path, key], { sink, functions });
  return {
    path,
    has,
    raw,
    text,
    texts: (key) => textsOf(reader, key),
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
    flag: (key) => {
      const value = raw(key);
      if (!has(key) || typeof value === 'boolean') return value as boolean | undefined;
      wrong(key, `${key} must be true or false`);
      return undefined;
    },
    whole: (key, least, most) => {
      const value = raw(key);
      if (!has(key)) return undefined;
      if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most)
        return value;
      wrong(key, `${key} must be a whole number from ${least} to ${most}`);
      return undefined;
    },
    choice: (key, options) => choiceOf(reader, key, options),
    expression: (key) => (has(key) ? parsed(key) : undefined),
    expressions: () => namedBy(Object.keys(map), parsed),
    map: (key) => {
      const value = raw(key);
      if (!has(key)) return undefined;
      if (isMap(value)) return within(value, [...path, key]);
      wrong(key, `${key} must be a map of keys and values`);
      return undefined;
    },
    maps: (key, { message, example }) =>
      mapsIn(raw(key), (at) => {
        sink.report([...path, key, at], message, example);
      }).map(([item, at]) => within(item, [...path, key, at])),
    done: () => refuseOthers(map, path, sink, reader.asked),
  };
}

function refuseOthers(map: Raw, path: Path, sink: Sink, asked: ReadonlySet<string>): void {
  for (const key of Object.keys(map)) {
    if (asked.has(key)) continue;
    const hint = didYouMean(key, asked, `known: ${[...asked].join(', ')}`);
    sink.report([...path, key], `unknown key ${key}`, hint);
  }
}
