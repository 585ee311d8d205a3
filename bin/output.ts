import { GatewayError } from '../gateway/contract/index.js';
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
    if (error.code !== 'EPIPE') throw error;
    if (!outlives) process.exit();
  });
}
/** A gateway runs on, whoever reads what it prints. */
export function outliveReader(): void {
  outlives = true;
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
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
  process.stderr.write(`millrace: ${error.message}\n`);
  if (error.advice !== '') process.stderr.write(`  ${error.advice}\n`);
  if (error.exitCode === Exit.internal && error.stack) process.stderr.write(`${error.stack}\n`);
}

function toCliError(thrown: unknown): CliError {
  if (thrown instanceof CliError) return thrown;
  if (thrown instanceof GatewayError) {
    return new CliError(
      thrown.message,
      thrown.advice,
      exitCodeOf(thrown.kind, thrown.code),
      thrown.code,
    );
  }
  const message = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  return new CliError(message, '', Exit.internal, 'internal');
}

/** Columns aligned for a fixed-width terminal; numbers to the right where `right` says so. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string {
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) =>
        right.includes(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
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
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Short enough for a column. */
export function shortText(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
