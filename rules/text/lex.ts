import { GatewayError } from '../../gateway/contract/index.js';
import { parseUnit } from './units.js';

export type TokenKind = 'number' | 'name' | 'quoted' | 'text' | 'word' | 'op' | 'moon' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** Keyword, operator, name or the inside of the quotes; of a number its digits. */
  readonly text: string;
  /** Of a number: its unit as written. */
  readonly unit: string | undefined;
  readonly from: number;
  readonly to: number;
}

/** Longest expression, in characters: far above what a person reads, far below what hurts. */
export const maxExpressionLength = 4096;

const keywords: ReadonlySet<string> = new Set([
  'and',
  'or',
  'not',
  'for',
  'held',
  'hyst',
  'of',
  'degrade',
  'if',
  'then',
  'else',
  'true',
  'false',
]);

/** Stops the parser; caught where the expression was handed in. */
export function refuse(offset: number, message: string, hint?: string): never {
  throw new GatewayError('config-invalid', message, { offset, hint });
}

const space = /[ \t\r\n]*/y;
const moon = /(\d+)oo(\d+)(?![A-Za-z0-9_])/y;
const digits = /(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+(?![A-Za-z0-9_]))?/y;
const name = /[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*/y;
const atom = '(?:%[A-Za-z]*|[A-Za-z°µμΩ][A-Za-z0-9_²³^°]*)';
const unit = new RegExp(`${atom}(?:[/.·]${atom})*`, 'y');
const operator = /<=|>=|==|!=|[<>+\-*/()[\],]/y;

function at(pattern: RegExp, text: string, from: number): string | undefined {
  pattern.lastIndex = from;
  return pattern.exec(text)?.[0];
}

/**
 * The unit after a number: the longest run that is a known unit, so that `5 m/FT101` is five metres
 * by a tag. If nothing is known the whole run is taken, for a message that names it.
 */
function unitAt(text: string, from: number): string | undefined {
  const run = at(unit, text, from);
  if (run === undefined) return undefined;
  const first = /^[A-Za-z]+/.exec(run)?.[0] ?? '';
  if (keywords.has(first)) return undefined;
  for (let end = run.length; end > 0;) {
    const part = run.slice(0, end);
    if (parseUnit(part)) return part;
    end = Math.max(part.lastIndexOf('/'), part.lastIndexOf('.'), part.lastIndexOf('·'));
  }
  return run;
}

function quoted(text: string, from: number): Token {
  const mark = text[from] ?? '';
  const end = text.indexOf(mark, from + 1);
  if (end < 0) refuse(from, `the ${mark} is not closed`);
  const inside = text.slice(from + 1, end);
  if (inside === '') refuse(from, `nothing between the ${mark}${mark}`);
  const kind = mark === "'" ? 'quoted' : 'text';
  return { kind, text: inside, unit: undefined, from, to: end + 1 };
}

function numberAt(text: string, from: number, found: string): Token {
  let to = from + found.length;
  const start = to + (at(space, text, to) ?? '').length;
  const measure = unitAt(text, start);
  if (measure !== undefined) to = start + measure.length;
  return { kind: 'number', text: found, unit: measure, from, to };
}

function tokenAt(text: string, from: number): Token {
  const token = (kind: TokenKind, found: string): Token => ({
    kind,
    text: found,
    unit: undefined,
    from,
    to: from + found.length,
  });
  const first = text[from] ?? '';
  if (first === "'" || first === '"') return quoted(text, from);
  const vote = at(moon, text, from);
  if (vote !== undefined) return token('moon', vote);
  const number = at(digits, text, from);
  if (number !== undefined) return numberAt(text, from, number);
  const word = at(name, text, from);
  if (word !== undefined) return token(keywords.has(word) ? 'word' : 'name', word);
  const op = at(operator, text, from);
  if (op !== undefined) return token('op', op);
  const hints: Readonly<Record<string, string>> = {
    '=': 'equality is written ==',
    '!': 'write not, or != for "is different"',
    '&': 'write and',
    '|': 'write or',
    '%': 'percent stands after a number: 20 %',
  };
  return refuse(from, `unexpected character ${JSON.stringify(first)}`, hints[first]);
}

/** Cuts an expression into tokens; the last one is `end`. Throws what {@link refuse} throws. */
export function lex(text: string): readonly Token[] {
  if (text.length > maxExpressionLength)
    refuse(
      0,
      `the expression is longer than ${maxExpressionLength} characters`,
      'split it into signals',
    );
  const tokens: Token[] = [];
  let from = (at(space, text, 0) ?? '').length;
  while (from < text.length) {
    const token = tokenAt(text, from);
    tokens.push(token);
    from = token.to + (at(space, text, token.to) ?? '').length;
  }
  tokens.push({ kind: 'end', text: '', unit: undefined, from: text.length, to: text.length });
  return tokens;
}
