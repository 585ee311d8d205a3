import { parseExpression } from '../language.js';
import { isMap, type Raw } from '../read/fields.js';
import type { ExpandedSource } from '../read/problems.js';
import { partsOf, type Ast, type CompareAst } from '../text/ast.js';

/** A rule with one slip in it, such as a person might make. A good test notices. */
export interface Mutant {
  readonly rule: string;
  /** `cause: FT101 < 5 m3/h → FT101 < 5.25 m3/h`. */
  readonly about: string;
  readonly source: ExpandedSource;
}

/** Keys under which expressions stand, by kind of rule; `*` stands for every key of a map. */
const places: Readonly<Record<string, readonly (readonly string[])[]>> = {
  interlock: [['cause'], ['arm'], ['reset']],
  group: [['causes', '*'], ['arm'], ['reset']],
  permissive: [['all_of', '*']],
  alarm: [['when'], ['arm'], ['suppress']],
  signal: [['value'], ['valid']],
  shed: [['start'], ['restore']],
  diagnosis: [['context'], ['symptoms', '*'], ['report', 'when']],
};

/** Every mutant of one rule. */
export function mutantsOf(source: ExpandedSource): readonly Mutant[] {
  const { rule } = source;
  if (!isMap(rule)) return [];
  const kind = Object.keys(rule)[0] ?? '';
  const mutants: Mutant[] = [];
  for (const place of places[kind] ?? [])
    for (const path of pathsAt(rule, place)) {
      const text = textAt(rule, path);
      if (text === undefined) continue;
      for (const changed of mutationsOf(text))
        mutants.push({
          rule: String(rule[kind]),
          about: `${path.join('.')}: ${text} → ${changed}`,
          source: { ...source, rule: withText(rule, path, changed) },
        });
    }
  return mutants;
}

function pathsAt(rule: Raw, place: readonly string[]): readonly (readonly string[])[] {
  if (place[1] !== '*') return [place];
  const map = rule[place[0] ?? ''];
  return isMap(map) ? Object.keys(map).map((key) => [place[0] ?? '', key]) : [];
}
function textAt(rule: Raw, path: readonly string[]): string | undefined {
  let at: unknown = rule;
  for (const key of path) at = isMap(at) ? at[key] : undefined;
  return typeof at === 'string' ? at : undefined;
}
function withText(rule: Raw, [key = '', ...rest]: readonly string[], text: string): Raw {
  const inner = rule[key];
  const value = rest.length === 0 || !isMap(inner) ? text : withText(inner, rest, text);
  return { ...rule, [key]: value };
}

/** The texts that one slip makes of an expression. */
export function mutationsOf(text: string): readonly string[] {
  const parsed = parseExpression(text);
  if (!parsed.ok) return [];
  const found: string[] = [];
  const put = (from: number, to: number, by: string): void => {
    found.push(text.slice(0, from) + by + text.slice(to));
  };
  const walk = (ast: Ast): void => {
    mutateHere(text, ast, put);
    for (const child of partsOf(ast)) walk(child);
  };
  walk(parsed.ast);
  return [...new Set(found)];
}

type Put = (from: number, to: number, by: string) => void;

function mutateHere(text: string, ast: Ast, put: Put): void {
  switch (ast.kind) {
    case 'compare':
      mutateCompare(text, ast, put);
      return;
    case 'logic':
      swapWord(text, ast, put);
      return;
    case 'not':
      put(ast.from, ast.to, `(${text.slice(ast.of.from, ast.of.to)})`);
      return;
    case 'timed':
      put(ast.from, ast.to, `(${text.slice(ast.of.from, ast.of.to)})`);
      return;
    case 'vote':
      if (ast.need > 1) put(ast.from, ast.from + String(ast.need).length, String(ast.need - 1));
      if (ast.need < ast.of.length && !ast.degrade)
        put(ast.from, ast.from + String(ast.need).length, String(ast.need + 1));
      return;
    default:
  }
}

const flipped: Readonly<Record<string, string>> = {
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
  '==': '!=',
  '!=': '==',
};

/** The operator the wrong way round; each number in it 5 % too high and too low. */
function mutateCompare(text: string, ast: CompareAst, put: Put): void {
  const at = text.indexOf(ast.op, ast.left.to);
  put(at, at + ast.op.length, flipped[ast.op] ?? ast.op);
  for (const side of [ast.left, ast.right])
    for (const number of numbersOf(side)) shift(text, number, put);
}
function shift(text: string, ast: Ast & { kind: 'number' }, put: Put): void {
  const digits = /^[\d.eE+]+/.exec(text.slice(ast.from, ast.to))?.[0] ?? '';
  for (const factor of [1.05, 0.95])
    if (ast.value !== 0)
      put(ast.from, ast.from + digits.length, String(Number((ast.value * factor).toPrecision(12))));
}
/** Numbers of a side that are limits: not the times and settings inside calls. */
function numbersOf(ast: Ast): readonly (Ast & { kind: 'number' })[] {
  if (ast.kind === 'number') return [ast];
  if (ast.kind === 'call') return [];
  return partsOf(ast).flatMap(numbersOf);
}

/** `and` for `or`, and the other way, everywhere in one chain. */
function swapWord(text: string, ast: Ast & { kind: 'logic' }, put: Put): void {
  const other = ast.op === 'and' ? 'or' : 'and';
  const parts = ast.of.map((one) => `(${text.slice(one.from, one.to)})`);
  put(ast.from, ast.to, `(${parts.join(` ${other} `)})`);
}
