/** Every way in which manuals and engineers write a Modbus address. */
import { shown } from '../../../gateway/contract/index.js';
import type { KeyReader } from '../../lib/keys.js';
import { tables, type Table } from '../frames/tables.js';

/** The position part of an address: table, first number from zero, and the bits of it that count. */
export interface Position {
  readonly table: Table;
  readonly start: number;
  /** Bits of the value, both inclusive, 0 = least significant. */
  readonly bits: readonly [low: number, high: number] | undefined;
}

export const examples: string =
  'write it like hr:100, ir:5, co:3, di:7, hr:110.3, hr:110.4-7, 40101 or 4x0101';
const numbered: Readonly<Record<string, Table>> = { 0: 'co', 1: 'di', 3: 'ir', 4: 'hr' };

/**
 * Reads `address`. `base` is the number of the first register in `hr:N`; `table` is that of bare
 * numbers, where the device says one. Undefined with a problem.
 */
export function readPosition(
  keys: KeyReader,
  base: 0 | 1,
  table: Table | undefined,
): Position | undefined {
  const typed = keys.raw('address');
  if (typed === undefined) {
    keys.problem('address', 'address is missing', examples);
    return undefined;
  }
  const text = typeof typed === 'number' || typeof typed === 'string' ? String(typed).trim() : '';
  const [, place = '', suffix] = /^([^.]*)(?:\.(.*))?$/.exec(text) ?? [];
  const bits = suffix === undefined ? undefined : bitsOf(suffix);
  const at = table === undefined ? undefined : bare(place, base, table);
  const found = at ?? prefixed(place, base) ?? classic(place, keys) ?? hexadecimal(place);
  if (found === 'reported') return undefined;
  if (!found || bits === 'wrong') {
    keys.problem('address', `not a Modbus address: ${shown(typed)}`, hintFor(text));
    return undefined;
  }
  if (found.start >= 0 && found.start <= 65_535) return { ...found, bits };
  const hint = `use ${String(base)} to ${String(65_535 + base)}`;
  keys.problem('address', `no such address: ${text}`, hint);
  return undefined;
}

type Place = Pick<Position, 'table' | 'start'>;

/** `hr:40`, `hr:0x28` */
function prefixed(place: string, base: 0 | 1): Place | undefined {
  const match = /^([a-z]+):(0x[0-9a-f]+|\d+)$/i.exec(place);
  const table = tables.find((name) => name === match?.[1]?.toLowerCase());
  return match && table ? { table, start: Number(match[2]) - base } : undefined;
}

/** `40` and `0x28`, where the device says which table is meant. Maps in hexadecimal count from zero. */
function bare(place: string, base: 0 | 1, table: Table): Place | undefined {
  if (/^\d+$/.test(place)) return { table, start: Number(place) - base };
  return /^0x[0-9a-f]{1,4}$/i.test(place) ? { table, start: Number(place) } : undefined;
}

/** `0x0028`: as register maps print it, from zero, and of holding registers unless they say otherwise. */
function hexadecimal(place: string): Place | undefined {
  return /^0x[0-9a-f]{1,4}$/i.test(place) ? { table: 'hr', start: Number(place) } : undefined;
}

/** `40041`, `400041`, `4x0041`, `4x00041`: the first digit is the table, and they count from one. */
function classic(place: string, keys: KeyReader): Place | 'reported' | undefined {
  const match = /^(\d)(\d{4,5})$/.exec(place) ?? /^([134])x(\d{4,5})$/i.exec(place);
  if (!match) return undefined;
  const [, first = '', digits = ''] = match;
  const table = numbered[first];
  const number = Number(digits);
  if (table === undefined)
    keys.problem(
      'address',
      `no table begins with ${first}: ${place}`,
      '0 = coils, 1 = discrete inputs, 3 = input registers, 4 = holding registers',
    );
  else if (number < 1 || number > 65_536)
    keys.problem(
      'address',
      `no such address: ${place}`,
      `these numbers begin at ${first}${'1'.padStart(digits.length, '0')}`,
    );
  else return { table, start: number - 1 };
  return 'reported';
}

/** `3`, `4-7`, `low`, `high` (bytes). */
function bitsOf(text: string): Position['bits'] | 'wrong' {
  if (text === 'low') return [0, 7];
  if (text === 'high') return [8, 15];
  const match = /^(\d{1,3})(?:-(\d{1,3}))?$/.exec(text);
  if (!match) return 'wrong';
  const low = Number(match[1]);
  const high = match[2] === undefined ? low : Number(match[2]);
  return low <= high ? [low, high] : [high, low];
}

function hintFor(text: string): string {
  if (!/^\d+$/.test(text)) return examples;
  const hex = Number(text).toString(16).padStart(4, '0');
  return (
    `say which table: hr:${text} or co:${text}; or table: hr at the device. ` +
    `Quote numbers like "00003" and "0x${hex}"`
  );
}
