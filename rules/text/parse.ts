import { asGatewayError, parseDuration } from '../../gateway/contract/index.js';
import type { ArithOp, Ast, CompareOp, ExpressionProblem, TimedOp } from './ast.js';
import { lex, refuse, type Token } from './lex.js';
import { signatureOf, type Signatures } from './signatures.js';
import { didYouMean } from './names.js';

/** Deepest nesting of brackets, `not`, `-`, calls and `if`. */
export const maxDepth = 64;
/** Most parts of one expression; bounds chains such as a + b + c, which need no brackets. */
const maxNodes = 1000;

export type ParsedExpression =
  | { readonly ok: true; readonly ast: Ast }
  | { readonly ok: false; readonly problems: readonly ExpressionProblem[] };

interface Cursor {
  readonly text: string;
  readonly tokens: readonly Token[];
  readonly functions: Signatures;
  at: number;
  depth: number;
  nodes: number;
}

const endToken: Token = { kind: 'end', text: '', unit: undefined, from: 0, to: 0 };
function peek(c: Cursor, ahead = 0): Token {
  return c.tokens[c.at + ahead] ?? c.tokens[c.tokens.length - 1] ?? endToken;
}
function next(c: Cursor): Token {
  const token = peek(c);
  if (c.at < c.tokens.length - 1) c.at++;
  return token;
}
function isNext(c: Cursor, text: string): boolean {
  const token = peek(c);
  return (token.kind === 'op' || token.kind === 'word') && token.text === text;
}
function accept(c: Cursor, text: string): boolean {
  if (!isNext(c, text)) return false;
  next(c);
  return true;
}
function expect(c: Cursor, text: string, where: string): Token {
  if (isNext(c, text)) return next(c);
  return refuse(peek(c).from, `expected ${text} ${where}, found ${tokenText(peek(c))}`);
}
function tokenText(token: Token): string {
  if (token.kind === 'end') return 'the end';
  return token.kind === 'text' ? `"${token.text}"` : `\`${token.text}\``;
}
function previousEnd(c: Cursor): number {
  return c.tokens[c.at - 1]?.to ?? 0;
}
function node<T extends Ast>(c: Cursor, made: T): T {
  if (++c.nodes > maxNodes)
    refuse(made.from, `the expression has more than ${maxNodes} parts`, 'split it into signals');
  return made;
}
function deeper<T>(c: Cursor, part: (c: Cursor) => T): T {
  if (++c.depth > maxDepth)
    refuse(peek(c).from, `nested deeper than ${maxDepth} levels`, 'split it into signals');
  const result = part(c);
  c.depth--;
  return result;
}

/** One operand of `and`/`or`, and whether it ends in a `for`/`held` without brackets. */
interface Operand {
  readonly ast: Ast;
  readonly timedFrom: number | undefined;
}

function parseExpr(c: Cursor): Ast {
  return parseChain(c, 'or', (inner) => parseChain(inner, 'and', parseTimed)).ast;
}

function parseChain(c: Cursor, op: 'and' | 'or', operand: (c: Cursor) => Operand): Operand {
  const from = peek(c).from;
  const first = operand(c);
  if (!isNext(c, op)) return first;
  const of = [first.ast];
  let last = first;
  while (accept(c, op)) {
    last = operand(c);
    of.push(last.ast);
  }
  if (last.timedFrom !== undefined) refuseTrailingTimer(c, op, from, last.ast, last.timedFrom);
  const ast = node(c, { kind: 'logic', op, of, from, to: previousEnd(c) });
  return { ast, timedFrom: undefined };
}

/**
 * `A and B > 3 bar for 5s` may be read in two ways; one of them trips a plant too late. Nobody
 * guesses: both readings are offered.
 */
function refuseTrailingTimer(c: Cursor, op: string, from: number, last: Ast, at: number): never {
  const whole = c.text.slice(from, at).trim();
  const timer = c.text.slice(at, previousEnd(c));
  const before = c.text.slice(from, last.from);
  const part = c.text.slice(last.from, at).trim();
  return refuse(
    at,
    `does \`${timer}\` belong to the last condition or to the whole \`${op}\`?`,
    `write (${whole}) ${timer}, or ${before}(${part} ${timer})`,
  );
}

function parseTimed(c: Cursor): Operand {
  const start = peek(c).from;
  let ast = parseNot(c);
  let timedFrom: number | undefined;
  while (isNext(c, 'for') || isNext(c, 'held')) {
    const word = next(c);
    timedFrom ??= word.from;
    const op: TimedOp = word.text === 'for' ? 'for' : 'held';
    const duration = parseDurationToken(c, word.text);
    ast = node(c, { kind: 'timed', op, of: ast, duration, from: start, to: previousEnd(c) });
  }
  return { ast, timedFrom };
}

function parseDurationToken(c: Cursor, after: string): number {
  const token = next(c);
  const typed = token.kind === 'number' ? `${token.text}${token.unit ?? ''}` : '';
  const duration = parseDuration(typed);
  if (duration === undefined)
    refuse(
      token.from,
      `expected a time after ${after}, found ${tokenText(token)}`,
      'such as 500ms, 5s, 10min, 1h',
    );
  return duration;
}

function parseNot(c: Cursor): Ast {
  const start = peek(c).from;
  if (!accept(c, 'not')) return parseCompare(c);
  const of = deeper(c, parseNot);
  return node(c, { kind: 'not', of, from: start, to: previousEnd(c) });
}

const compareOps: ReadonlySet<string> = new Set(['<', '<=', '>', '>=', '==', '!=']);
function isCompare(text: string): text is CompareOp {
  return compareOps.has(text);
}

function parseCompare(c: Cursor): Ast {
  const start = peek(c).from;
  const left = parseSum(c);
  const op = peek(c);
  if (op.kind !== 'op' || !isCompare(op.text)) return left;
  next(c);
  const right = parseSum(c);
  const hyst = accept(c, 'hyst') ? parseSum(c) : undefined;
  const after = peek(c);
  if (after.kind === 'op' && isCompare(after.text))
    refuse(after.from, 'comparisons do not chain', 'write a < b and b < c');
  return node(c, {
    kind: 'compare',
    op: op.text,
    left,
    right,
    hyst,
    from: start,
    to: previousEnd(c),
  });
}

function parseSum(c: Cursor): Ast {
  return parseLeft(c, ['+', '-'], parseProduct);
}
function parseProduct(c: Cursor): Ast {
  return parseLeft(c, ['*', '/'], parseUnary);
}
function parseLeft(c: Cursor, ops: readonly ArithOp[], operand: (c: Cursor) => Ast): Ast {
  const start = peek(c).from;
  let left = operand(c);
  for (;;) {
    const op = ops.find((text) => isNext(c, text));
    if (op === undefined) return left;
    next(c);
    const right = operand(c);
    left = node(c, { kind: 'arith', op, left, right, from: start, to: previousEnd(c) });
  }
}

function parseUnary(c: Cursor): Ast {
  const start = peek(c).from;
  if (!accept(c, '-')) return parsePrimary(c);
  const of = deeper(c, parseUnary);
  return node(c, { kind: 'neg', of, from: start, to: previousEnd(c) });
}

function parsePrimary(c: Cursor): Ast {
  const token = next(c);
  const { from, to } = token;
  switch (token.kind) {
    case 'number':
      if (isNext(c, 'of') && token.unit === undefined) return deeper(c, (d) => parseVote(d, token));
      return node(c, { kind: 'number', value: Number(token.text), unit: token.unit, from, to });
    case 'text':
      return node(c, { kind: 'text', value: token.text, from, to });
    case 'quoted':
      return node(c, { kind: 'name', name: token.text, from, to });
    case 'name':
      if (isNext(c, '(')) return deeper(c, (d) => parseCall(d, token));
      return node(c, { kind: 'name', name: token.text, from, to });
    default:
      return parseBracketOrWord(c, token);
  }
}

function parseBracketOrWord(c: Cursor, token: Token): Ast {
  const { from, to } = token;
  if (token.kind === 'word') {
    if (token.text === 'true' || token.text === 'false')
      return node(c, { kind: 'bool', value: token.text === 'true', from, to });
    if (token.text === 'if') return deeper(c, (d) => parseIf(d, from));
  }
  if (token.kind === 'op' && token.text === '(') {
    const inner = deeper(c, parseExpr);
    expect(c, ')', 'to close the bracket');
    return inner;
  }
  return refuse(from, `expected a value, a tag or a bracket, found ${tokenText(token)}`);
}

function parseIf(c: Cursor, from: number): Ast {
  const when = parseExpr(c);
  expect(c, 'then', 'after the condition of if');
  const then = parseExpr(c);
  expect(c, 'else', 'after then: both values are needed');
  const otherwise = parseExpr(c);
  return node(c, { kind: 'if', when, then, otherwise, from, to: previousEnd(c) });
}

function parseCall(c: Cursor, token: Token): Ast {
  const signature = signatureOf(token.text, c.functions);
  if (!signature) {
    const list = [...c.functions.keys()].join(', ');
    refuse(
      token.from,
      `there is no function ${token.text}`,
      didYouMean(token.text, c.functions.keys(), `there are ${list}`),
    );
  }
  next(c);
  const args: Ast[] = [];
  const labelled = new Map<string, Ast>();
  if (!isNext(c, ')'))
    do parseValue(c, signature.labels, args, labelled);
    while (accept(c, ','));
  expect(c, ')', `to close ${token.text}(`);
  const { minValues: least, maxValues: most } = signature;
  if (args.length < least || args.length > most)
    refuse(
      token.from,
      `${token.text} takes ${least === most ? String(least) : `${least} to ${most}`} values, found ${args.length}`,
      `write ${signature.text}`,
    );
  return node(c, {
    kind: 'call',
    name: token.text,
    args,
    labelled,
    from: token.from,
    to: previousEnd(c),
  });
}

/** One value of a call, with its name before it if it is one that is given by name. */
function parseValue(
  c: Cursor,
  labels: ReadonlySet<string>,
  args: Ast[],
  labelled: Map<string, Ast>,
): void {
  const token = peek(c);
  const after = peek(c, 1);
  const endsThere = after.kind === 'end' || (after.kind === 'op' && /^[,)(]$/.test(after.text));
  if (token.kind !== 'name' || !labels.has(token.text) || endsThere) {
    args.push(parseExpr(c));
    return;
  }
  next(c);
  if (labelled.has(token.text)) refuse(token.from, `${token.text} is given twice`);
  labelled.set(token.text, parseExpr(c));
}

function parseVote(c: Cursor, count: Token): Ast {
  next(c);
  expect(c, '[', 'after of');
  const of: Ast[] = [];
  do of.push(parseExpr(c));
  while (accept(c, ','));
  expect(c, ']', 'to close the vote');
  const need = Number(count.text);
  if (!Number.isInteger(need) || need < 1 || need > of.length)
    refuse(
      count.from,
      `a vote of ${of.length} needs 1 to ${of.length} of them, found ${count.text}`,
    );
  let degrade: { need: number; of: number } | undefined;
  if (accept(c, 'degrade')) degrade = parseDegrade(c, need, of.length);
  return node(c, { kind: 'vote', need, of, degrade, from: count.from, to: previousEnd(c) });
}

function parseDegrade(c: Cursor, need: number, of: number): { need: number; of: number } {
  const token = next(c);
  if (token.kind !== 'moon') refuse(token.from, 'expected a vote after degrade', 'such as 1oo2');
  const [m, n] = token.text.split('oo').map(Number);
  if (m === undefined || n === undefined || n !== of - 1 || m < 1 || m > n || m > need)
    refuse(
      token.from,
      `${need}oo${of} cannot degrade to ${token.text}`,
      `one channel less leaves ${of - 1}: 1oo${of - 1} to ${Math.min(need, of - 1)}oo${of - 1}`,
    );
  return { need: m, of: n };
}

/**
 * Parses one expression that may call `functions`. Names, units and types are not looked at. Never throws; never takes
 * longer than linear in the length, which is bounded.
 */
export function parse(text: string, functions: Signatures): ParsedExpression {
  try {
    const c: Cursor = { text, tokens: lex(text), functions, at: 0, depth: 0, nodes: 0 };
    if (peek(c).kind === 'end') refuse(0, 'the expression is empty');
    const ast = parseExpr(c);
    const rest = peek(c);
    if (rest.kind !== 'end')
      refuse(rest.from, `unexpected ${tokenText(rest)}`, hintFor(rest, previousEnd(c), c.tokens));
    return { ok: true, ast };
  } catch (thrown) {
    const error = asGatewayError(thrown);
    if (error.code !== 'config-invalid') throw error;
    const { offset, hint } = error.fields;
    const problem = { message: error.message, offset: Number(offset ?? 0) };
    return { ok: false, problems: [typeof hint === 'string' ? { ...problem, hint } : problem] };
  }
}

function hintFor(rest: Token, end: number, tokens: readonly Token[]): string | undefined {
  const before = tokens.find((token) => token.to === end);
  if (rest.kind === 'name' && /^(AND|OR|NOT|FOR|HELD|HYST)$/.test(rest.text))
    return `write ${rest.text.toLowerCase()}`;
  if (rest.kind === 'name' && before?.kind === 'name') return 'and, or, a comparison is missing';
  if (before?.kind === 'name' && rest.kind === 'op' && rest.text !== ')')
    return 'a name with signs in it goes into quotes: ' + "'PT-201A'";
  return undefined;
}
