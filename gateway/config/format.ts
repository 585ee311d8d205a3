import { shorter, shown, visible } from '../contract/index.js';
import type { ConfigProblem } from './model.js';
import type { Node } from './tree.js';

/** One line for people: `plant.yaml:14:20 links.bus…: unknown key "scna" — did you mean "scan"?` */
export function formatProblem(problem: ConfigProblem): string {
  const { file, line, column, path, message, hint, severity } = problem;
  const mark = severity === 'warning' ? ' warning:' : '';
  const where = path === '' ? '' : ` ${path}:`;
  const tail = hint === undefined ? '' : ` — ${hint}`;
  const first = `${file}:${line}:${column}${mark}${where === '' && mark === '' ? ':' : where}`;
  return visible(`${first} ${message}${tail}`);
}

/** Most of a line that is shown beside a caret. */
const widest = 100;

/** The same, and under it the line with a caret, where the problem is in an expression of a rule. */
export function formatWithCaret(problem: ConfigProblem): string {
  const { excerpt, column } = problem;
  if (excerpt === undefined) return formatProblem(problem);
  // A long line is shown from shortly before the place.
  const from = column > widest - 20 ? column - 40 : 0;
  const line = visible(excerpt.slice(from, from + widest));
  const caret = ' '.repeat(Math.max(0, column - 1 - from));
  return `${formatProblem(problem)}\n    ${line}\n    ${caret}^`;
}

/** What stands in the file, short enough for a message: numbers as they were typed, `1e3` and `007`. */
export function written(node: Node | undefined, value: unknown): string {
  const isPlain = node?.kind === 'scalar' && node.style === 'plain' && node.source !== '';
  return isPlain && typeof value !== 'string' ? shorter(node.source) : shown(value);
}
