import type { ConfigProblem } from './model.js';

/** One line for people: `plant.yaml:14:20 links.bus…: unknown key "scna" — did you mean "scan"?` */
export function formatProblem(problem: ConfigProblem): string {
  const { file, line, column, path, message, hint, severity } = problem;
  const mark = severity === 'warning' ? ' warning:' : '';
  const where = path === '' ? '' : ` ${path}:`;
  const tail = hint === undefined ? '' : ` — ${hint}`;
  const first = `${file}:${line}:${column}${mark}${where === '' && mark === '' ? ':' : where}`;
  return visible(`${first} ${message}${tail}`);
}

/** Control characters as escapes: a configuration must not be able to drive the terminal. */
function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A value as typed, short enough for a message. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  let text = 'nothing';
  if (typeof value === 'string') text = JSON.stringify(value);
  else if (typeof value === 'number' || typeof value === 'boolean') text = String(value);
  else if (typeof value === 'object' && value !== null) text = 'a map';
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
