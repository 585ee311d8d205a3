import type { Value } from '../../gateway/contract/index.js';
import type { Table } from '../../drivers/modbus/frames/tables.js';
import { decodeAt, type Candidate, type Reading } from '../../drivers/modbus/values/finder.js';
import { byteOrders } from '../../drivers/modbus/values/orders.js';
import { table } from '../output.js';
import { addressText } from './place.js';

/** Registers in every common decoding side by side, a line for each place where a value may begin. */
export function decodings(
  kind: Table,
  start: number,
  words: readonly number[],
  wide: boolean,
): string {
  const singles: Reading[] = [plain('uint16', 'ABCD'), plain('int16', 'ABCD')];
  const doubles = byteOrders.flatMap((order) => [plain('float32', order), plain('int32', order)]);
  const longs = byteOrders.flatMap((order) => [plain('float64', order), plain('int64', order)]);
  const columns = [...singles, ...doubles, ...(wide ? longs : [])];
  const head = ['address', 'hex', 'text', ...columns.map(title)];
  const rows = words.map((word, i) => [
    addressText(kind, start + i),
    word.toString(16).padStart(4, '0'),
    printable(word),
    ...columns.map((how) => valueText(decodeAt(words, i, how))),
  ]);
  return table(head, rows, head.map((_, i) => i).slice(3));
}

function plain(type: Reading['type'], order: string): Reading {
  return { type, order, format: 'plain' };
}

function title({ type, order }: Reading): string {
  return type.endsWith('16') ? type : `${type} ${order}`;
}

/** Seven digits, as a float32 has no more; what is no number at all is a dash. */
function valueText(value: Value | undefined): string {
  if (value === undefined || value === null) return '-';
  if (typeof value !== 'number') return String(value);
  if (!Number.isFinite(value)) return '-';
  return Number.isSafeInteger(value) ? String(value) : String(Number(value.toPrecision(7)));
}

function printable(word: number): string {
  return [word >> 8, word & 0xff]
    .map((code) => (code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : '.'))
    .join('');
}

/** Candidates as tags that can be put into a configuration as they stand. */
export function candidateTable(kind: Table, start: number, found: readonly Candidate[]): string {
  return table(
    ['value', 'tag'],
    found.map((c) => [valueText(c.value), tagText(kind, start, c)]),
    [0],
  );
}

/** `{ address: hr:100, type: float32, byteOrder: CDAB }` */
export function tagText(kind: Table, start: number, c: Candidate): string {
  const keys = [`address: ${addressText(kind, start + c.offset)}`, `type: ${c.type}`];
  if (c.order !== 'ABCD') keys.push(`byteOrder: ${c.order}`);
  if (c.format !== 'plain') keys.push(`format: ${c.format}`);
  if (c.scale !== 1) keys.push(`scale: ${String(c.scale)}`);
  return `{ ${keys.join(', ')} }`;
}
