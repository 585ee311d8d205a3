import { parseNumber } from '../../gateway/contract/index.js';
import { KeyReader } from '../../drivers/lib/keys.js';
import type { Table } from '../../drivers/modbus/frames/tables.js';
import { readPosition, type Position } from '../../drivers/modbus/plan/notation.js';
import { Exit } from '../exit.js';
import { CliError } from '../output.js';

/** The place that an address names, in any notation; a CliError with a hint when it names none. */
export function placeOf(text: string): Position {
  const keys = new KeyReader({ address: text });
  const at = readPosition(keys, 0, undefined);
  if (at) return at;
  const [problem] = keys.problems;
  throw new CliError(
    problem?.message ?? `not an address: ${text}`,
    problem?.hint ?? '',
    Exit.usage,
  );
}

/** `hr:100` */
export function addressText(table: Table, at: number): string {
  return `${table}:${String(at)}`;
}

/** A whole number of the command line within bounds. */
export function wholeNumber(text: string, name: string, min: number, max: number): number {
  const value = parseNumber(text) ?? NaN;
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new CliError(
    `${name} must be a whole number, not ${text}`,
    `use ${String(min)} to ${String(max)}`,
    Exit.usage,
  );
}

/** `250ms`, `2s` or a number of milliseconds. */
export function milliseconds(text: string, name: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s)?$/.exec(text.trim());
  const value = Number(match?.[1]) * (match?.[2] === 's' ? 1_000 : 1);
  if (match && value >= 1 && value <= 600_000) return value;
  throw new CliError(`${name} is not a time: ${text}`, 'write it like 500ms or 2s', Exit.usage);
}

/** `1-10,17` as numbers in order, without doubles. */
export function numberList(text: string, name: string, min: number, max: number): number[] {
  const found = new Set<number>();
  for (const part of text.split(',')) {
    const [low = '', high] = part.trim().split('-');
    const from = wholeNumber(low, name, min, max);
    const to = high === undefined ? from : wholeNumber(high, name, min, max);
    if (from > to)
      throw new CliError(
        `${name} runs backwards: ${part.trim()}`,
        `write ${String(to)}-${String(from)}`,
        Exit.usage,
      );
    for (let n = from; n <= to; n++) found.add(n);
  }
  return [...found].sort((a, b) => a - b);
}
