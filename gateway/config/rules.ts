import { asGatewayError, type RuleProblem, type RuleSource } from '../contract/index.js';
import { csvRows } from './csv.js';
import { written } from './format.js';
import type { ConfigProblem } from './model.js';
import { placed } from './problems.js';
import type { Session } from './session.js';
import { pathText, placeInLine, plain, Ref, type Place, type ScalarNode } from './tree.js';

/** The rules, and where each of them stands. */
export interface Rules {
  readonly sources: readonly RuleSource[];
  place: (problem: RuleProblem, severity: 'error' | 'warning') => ConfigProblem;
}

/** Reads all rule files that the patterns match, and the rules that are written out. */
export async function readRules(session: Session, list: Ref, main: Place): Promise<Rules> {
  const sources: RuleSource[] = [];
  const refs = new Map<string, Ref>();
  // Rows of a table are told in problems of the rule that they stand for.
  const tables = new Map<string, Place>();
  const add = (ref: Ref, index: number): void => {
    const file = ref.at.file.path;
    if (!ref.node) return;
    if (ref.node.kind !== 'map') {
      const typed = ref.node.kind === 'list' ? 'a list' : written(ref.node, ref.value);
      session.problems.error(ref, `must be a rule, not ${typed}`, 'write - interlock: NAME');
      return;
    }
    refs.set(keyOf({ file, index }), ref);
    const source = { file, index, rule: plain(ref.node) };
    if (ref.child('matrix').node) matrices.push({ ref, at: sources.length });
    sources.push(source);
  };
  const matrices: { ref: Ref; at: number }[] = [];
  const seen = new Set<string>();
  for (const [index, item] of list.items().entries()) {
    if (item.node?.kind === 'map') add(item, index);
    for (const path of await session.match(item)) {
      if (seen.has(path)) continue;
      seen.add(path);
      await readRuleFile(session, path, item, add);
    }
  }
  for (const { ref, at } of matrices) {
    const source = sources[at];
    const table = await readMatrix(session, ref);
    if (!source || !table) continue;
    sources[at] = { ...source, rule: { ...(source.rule as object), rows: table.rows } };
    if (table.place.file.isForeign) tables.set(keyOf(source), table.place);
  }
  return {
    sources,
    place: (problem, severity) => {
      const table = tables.get(keyOf(problem));
      if (table) return placed(table, '', problem.message, problem.hint, severity);
      return place(refs.get(keyOf(problem)), main, problem, severity);
    },
  };
}

function keyOf({ file, index }: Pick<RuleSource, 'file' | 'index'>): string {
  return `${file}\n${index}`;
}

/** The rows of a cause-and-effect matrix, from `csv:` or from the file that `file:` names. */
async function readMatrix(
  session: Session,
  ref: Ref,
): Promise<{ readonly rows: string[][]; readonly place: Place } | undefined> {
  const inline = ref.child('csv');
  const named = ref.child('file');
  if (named.text === undefined)
    return inline.text === undefined ? undefined : rowsOf(inline.text, inline);
  const path = session.host.resolve(named.at.file.path, named.text);
  const file = await session.source(path, named);
  return file && rowsOf(file.text, new Ref(undefined, named.path, placeInLine(file, 1)));

  function rowsOf(text: string, at: Ref): Awaited<ReturnType<typeof readMatrix>> {
    try {
      return { rows: csvRows(text), place: at.at };
    } catch (thrown) {
      session.problems.error(at, `no CSV: ${asGatewayError(thrown).message}`);
      return undefined;
    }
  }
}

async function readRuleFile(
  session: Session,
  path: string,
  from: Ref,
  add: (ref: Ref, index: number) => void,
): Promise<void> {
  const node = await session.tree(path, from);
  // An empty file, or one of comments only, holds no rules.
  if (!node || (node.kind === 'scalar' && node.value === null)) return;
  const root = new Ref(node, [], node.at);
  if (node.kind === 'list') node.items.forEach((_, i) => add(root.child(i), i));
  else session.problems.error(root, 'a rule file must be a list', 'begin each rule with "- "');
}

function place(
  rule: Ref | undefined,
  main: Place,
  problem: RuleProblem,
  severity: 'error' | 'warning',
): ConfigProblem {
  const { message, hint, offset, path } = problem;
  if (!rule) {
    const at = placed(main, pathText(path), message, hint, severity);
    return { ...at, file: problem.file, line: 1, column: 1 };
  }
  const ref = rule.descend(path);
  const found = ref.node;
  const where = pathText([...rule.path, ...path]);
  if (found?.kind !== 'scalar' || offset === undefined)
    return placed(ref.at, where, message, hint, severity);
  const at = { file: found.at.file, offset: offsetInSource(found, offset) };
  const told = placed(at, where, message, hint, severity);
  return at.file.isForeign ? told : { ...told, excerpt: lineAt(at) };
}

/** The line that a place is in. */
function lineAt({ file: { text }, offset }: Place): string {
  const from = text.lastIndexOf('\n', offset - 1) + 1;
  const end = text.indexOf('\n', offset);
  return text.slice(from, end < 0 ? undefined : end);
}

const space = /\s/;

/**
 * Where the character `offset` of a text stands in the file. YAML folds lines and drops indents, but
 * keeps every character that is no white space, so these are counted off against each other.
 */
function offsetInSource(scalar: ScalarNode, offset: number): number {
  const { text } = scalar.at.file;
  const value = String(scalar.value);
  const { style } = scalar;
  let at = scalar.at.offset;
  if (style === 'single' || style === 'double') at += 1;
  else if (style === 'block') at = text.indexOf('\n', at) + 1;
  const step = (): number => {
    if (style === 'single' && text.startsWith("''", at)) return 2;
    if (style !== 'double' || text[at] !== '\\') return 1;
    const long: Readonly<Record<string, number>> = { x: 4, u: 6, U: 10 };
    return long[text[at + 1] ?? ''] ?? 2;
  };
  const skipSpace = (): void => {
    while (at < scalar.end && isSkipped(text, at, style)) at += text[at] === '\\' ? 2 : 1;
  };
  for (let i = 0; i < value.length && at < scalar.end; i += 1) {
    const isSpace = space.test(value[i] ?? '');
    if (i >= offset && !isSpace) break;
    // In one line, white space stands for itself; across lines it is folded.
    if (i === offset) return at;
    if (!isSpace) {
      skipSpace();
      at += step();
    } else if (isSkipped(text, at, style) && !text.slice(at, scalar.end).includes('\n')) at += 1;
  }
  skipSpace();
  return Math.min(at, scalar.end);
}

function isSkipped(text: string, at: number, style: ScalarNode['style']): boolean {
  if (style === 'double' && text[at] === '\\' && /[ntr \n]/.test(text[at + 1] ?? '')) return true;
  return space.test(text[at] ?? '');
}
