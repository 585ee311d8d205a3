import { eastAsianWidth } from 'get-east-asian-width';
import { GatewayError, visible } from '../gateway/contract/index.js';
import { troubleOf } from '../gateway/host/errno.js';
import { Exit, exitCodeOf } from './exit.js';

/** An error that is told to the user in one or two lines and ends the command with `exitCode`. */
export class CliError extends Error {
  readonly advice: string;
  readonly exitCode: number;
  readonly code: string;

  constructor(message: string, advice: string, exitCode: number, code = 'usage') {
    super(message);
    this.advice = advice;
    this.exitCode = exitCode;
    this.code = code;
  }
}

let outlives = false;

/** Ends the process quietly when whoever read its output has gone: `millrace … | head`. */
export function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (outlives) return;
    if (error.code !== 'EPIPE') report(error, false);
    process.exit();
  });
  // Nobody can be told any more, and what was asked for is done all the same.
  process.stderr.on('error', () => undefined);
}
/** A gateway runs on, whoever reads what it prints. */
export function outliveReader(): void {
  outlives = true;
}

/** Lines for the terminal: what devices, servers and files say moves no cursor and gives no orders. */
export function print(text: string): void {
  process.stdout.write(`${inLines(text)}\n`);
}

/** The same for progress and remarks, where they do not disturb what is piped. */
export function printAside(text: string): void {
  process.stderr.write(`${inLines(text)}\n`);
}

/** Shows lines in the place of those before. */
export function printAnew(text: string): void {
  if (process.stdout.isTTY) process.stdout.write('\x1b[H\x1b[2J');
  print(text);
}

function inLines(text: string): string {
  return text.split('\n').map(visible).join('\n');
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** One value a line, for programs that read as it comes. */
export function printJsonLine(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Reports whatever a command threw, and sets the exit code. */
export function report(thrown: unknown, json: boolean): void {
  const error = toCliError(thrown);
  process.exitCode = error.exitCode;
  if (json) {
    printJson({
      ok: false,
      error: { code: error.code, message: error.message, advice: error.advice },
    });
    return;
  }
  printAside(`millrace: ${error.message}`);
  if (error.advice !== '') printAside(`  ${error.advice}`);
}

function toCliError(thrown: unknown): CliError {
  if (thrown instanceof CliError) return thrown;
  if (thrown instanceof GatewayError && thrown.code !== 'internal') {
    return new CliError(
      thrown.message,
      thrown.advice,
      exitCodeOf(thrown.kind, thrown.code),
      thrown.code,
    );
  }
  const trouble = troubleOf(thrown);
  if (trouble) return new CliError(trouble.text, trouble.advice, Exit.limit, 'system-refused');
  const message = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  return new CliError(`internal: ${message}`, 'Please report it.', Exit.internal, 'internal');
}

/** Columns aligned for a fixed-width terminal; numbers to the right where `right` says so. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string {
  // A cell is one line, whatever is in it.
  const cells = [head, ...rows].map((row) => row.map(visible));
  const widths = head.map((_, i) =>
    cells.reduce((most, row) => Math.max(most, widthOf(row[i] ?? '')), 0),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => {
        const space = ' '.repeat(Math.max(0, (widths[i] ?? 0) - widthOf(cell)));
        return right.includes(i) ? space + cell : cell + space;
      })
      .join('  ')
      .trimEnd();
  const [title = [], ...others] = cells;
  return [line(title), line(widths.map((width) => '-'.repeat(width))), ...others.map(line)].join(
    '\n',
  );
}

/** Columns that a text takes on a terminal: two for a wide letter, none for what goes onto the one before. */
export function widthOf(text: string): number {
  let width = 0;
  for (const letter of text)
    width += /^[\p{M}\u200c\u200d]$/u.test(letter) ? 0 : eastAsianWidth(letter.codePointAt(0) ?? 0);
  return width;
}

function two(n: number): string {
  return String(n).padStart(2, '0');
}

/** Local time of day with milliseconds. */
export function clockTime(ms: number): string {
  if (ms === 0) return '-';
  const d = new Date(ms);
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}.${String(d.getMilliseconds()).padStart(3, '0')}`;
}

/** Local date and time of day. */
export function dateTime(ms: number): string {
  const d = new Date(ms);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${clockTime(ms)}`;
}

/** A value for people: nine significant digits, so that a counter does not lose its end. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (typeof value === 'number')
    return String(Number.isInteger(value) ? value : Number(value.toPrecision(9)));
  return typeof value === 'string' ? visible(value) : JSON.stringify(value);
}

/** Short enough for a column. */
export function shortText(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
