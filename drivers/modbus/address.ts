import { type Parsed, type Source, type TagType } from '../../gateway/contract/index.js';
import { KeyReader, shown } from '../lib/keys.js';
import {
  addressings,
  byteOrders,
  lengthBounds,
  requestBounds,
  unitBounds,
  type ByteOrder,
  type ModbusConfig,
} from './config.js';

/** Coils, discrete inputs, input registers, holding registers. */
export const tables = ['co', 'di', 'ir', 'hr'] as const;
export type Table = (typeof tables)[number];

/** Where a tag lives, checked and ready for planning. All numbers as on the wire, from zero. */
export interface ModbusAddress {
  readonly unit: number;
  readonly table: Table;
  /** First register, or the bit for coils and discrete inputs. */
  readonly start: number;
  /** Registers (or bits) that the value takes. */
  readonly count: number;
  readonly type: TagType;
  /** Bit of the register, 0 = least significant; undefined = the whole. */
  readonly bit: number | undefined;
  /** The two bytes of each register are swapped (BADC, DCBA). */
  readonly swapBytes: boolean;
  /** The register with the least significant part comes first (CDAB, DCBA). */
  readonly swapWords: boolean;
  /** Bytes of a string; 0 for other types. */
  readonly length: number;
  /** Does the protocol know a write of this table? */
  readonly writable: boolean;
  /** What one request to this device may be; the same for all tags of a device and table. */
  readonly request: { readonly maxGap: number; readonly maxCount: number };
}

const registersOf: Readonly<Record<TagType, number>> = {
  bool: 1,
  int16: 1,
  uint16: 1,
  int32: 2,
  uint32: 2,
  float32: 2,
  int64: 4,
  uint64: 4,
  float64: 4,
  string: 0,
};

const examples = 'write it like hr:100, ir:5, co:3, di:7, hr:110.3 or 40101';
const modiconTables: Readonly<Record<string, Table>> = { 0: 'co', 1: 'di', 3: 'ir', 4: 'hr' };

/** The position part of an address: table, first number from zero, and bit. */
interface Position {
  readonly table: Table;
  readonly start: number;
  readonly bit: number | undefined;
}

/** True for registers, false for bits. */
export function isRegisters(table: Table): boolean {
  return table === 'hr' || table === 'ir';
}

function modicon(digits: string, bit: number | undefined, keys: KeyReader): Position | undefined {
  const table = modiconTables[digits.slice(0, 1)];
  const number = Number(digits.slice(1));
  if (table === undefined) {
    keys.problem(
      'address',
      `no table begins with ${digits.slice(0, 1)}: ${digits}`,
      '0 = coils, 1 = discrete inputs, 3 = input registers, 4 = holding registers',
    );
    return undefined;
  }
  if (number < 1 || number > 65_536) {
    const first = `${digits.slice(0, 1)}${'1'.padStart(digits.length - 1, '0')}`;
    keys.problem('address', `no such address: ${digits}`, `these numbers begin at ${first}`);
    return undefined;
  }
  return { table, start: number - 1, bit };
}

function position(keys: KeyReader, base: 0 | 1): Position | undefined {
  const typed = keys.raw('address');
  if (typed === undefined) {
    keys.problem('address', 'address is missing', examples);
    return undefined;
  }
  const text = typeof typed === 'number' || typeof typed === 'string' ? String(typed).trim() : '';
  const classic = /^(\d{5,6})(?:\.(\d+))?$/.exec(text);
  if (classic)
    return modicon(
      classic[1] ?? '',
      classic[2] === undefined ? undefined : Number(classic[2]),
      keys,
    );
  const match = /^([a-z]+):(0x[0-9a-f]+|\d+)(?:\.(\d+))?$/i.exec(text);
  const table = tables.find((name) => name === match?.[1]?.toLowerCase());
  if (!match || table === undefined) {
    const bare = /^\d+$/.test(text);
    keys.problem(
      'address',
      `not a Modbus address: ${shown(typed)}`,
      bare ? `say which table: hr:${text} or co:${text}; quote numbers like "00003"` : examples,
    );
    return undefined;
  }
  const start = Number(match[2]) - base;
  if (start < 0 || start > 65_535) {
    const hint = `use ${base} to ${65_535 + base}`;
    keys.problem('address', `no such address: ${text}`, hint);
    return undefined;
  }
  return { table, start, bit: match[3] === undefined ? undefined : Number(match[3]) };
}

/** Do table, bit and type go together? */
function checkType(keys: KeyReader, at: Position, type: TagType): void {
  if (!isRegisters(at.table)) {
    if (type !== 'bool')
      keys.problem(
        'address',
        `${at.table} holds single bits, not ${type}`,
        'use type: bool or hr:, ir:',
      );
    if (at.bit !== undefined)
      keys.problem('address', `${at.table} has no bits within`, `leave out .${at.bit}`);
  } else if (at.bit !== undefined) {
    if (at.bit > 15)
      keys.problem('address', `no bit ${at.bit}: a register has 16 bits`, 'use .0 to .15');
    if (type !== 'bool')
      keys.problem(
        'address',
        `a bit is a bool, not ${type}`,
        `use type: bool or leave out .${at.bit}`,
      );
  } else if (type === 'bool') {
    keys.problem(
      'address',
      'a register holds 16 bits: which one is it?',
      `write ${at.table}:${at.start}.0 for the lowest`,
    );
  }
}

/** Length of a string in bytes, or 0. */
function stringLength(keys: KeyReader, type: TagType): number {
  if (type === 'string') return keys.integer('length', lengthBounds);
  if (keys.has('length'))
    keys.problem('length', `length is for strings, not for ${type}`, 'leave it out');
  return 0;
}

/**
 * Reads one tag's address. Problems of device keys carry the path `['device', key]`, as nothing else
 * tells them from the tag's own.
 */
export function parseTag(
  config: ModbusConfig,
  device: Source,
  tag: Source & { readonly type: TagType },
): Parsed<ModbusAddress> {
  const deviceKeys = new KeyReader(device, ['device']);
  const unit = deviceKeys.integer('unit', unitBounds);
  const deviceOrder = deviceKeys.choice<ByteOrder>('byteOrder', byteOrders, 'ABCD');
  const base = deviceKeys.choice('addressing', addressings, 'zero') === 'one' ? 1 : 0;
  const maxRegisters = deviceKeys.integer(
    'maxRegisters',
    requestBounds.maxRegisters,
    config.maxRegisters,
  );
  const maxBits = deviceKeys.integer('maxBits', requestBounds.maxBits, config.maxBits);
  const maxGap = deviceKeys.integer('maxGap', requestBounds.maxGap, config.maxGap);
  const keys = new KeyReader(tag);
  keys.problems.push(...deviceKeys.problems);
  const type = tag.type;
  const order = keys.choice<ByteOrder>('byteOrder', byteOrders, deviceOrder);
  const length = stringLength(keys, type);
  const at = position(keys, base);
  if (!at) return { ok: false, problems: keys.problems };
  checkType(keys, at, type);
  const count = type === 'string' ? Math.ceil(length / 2) : registersOf[type];
  if (at.start + count > 65_536)
    keys.problem(
      'address',
      `${type} takes ${count} registers and runs past the last address, 65535`,
      'check address and type',
    );
  if (isRegisters(at.table) && count > maxRegisters)
    keys.problem(
      type === 'string' ? 'length' : 'address',
      `${type} takes ${count} registers, a request may have ${maxRegisters}`,
      'raise maxRegisters',
    );
  return keys.finish({
    unit,
    table: at.table,
    start: at.start,
    count,
    type,
    bit: at.bit,
    swapBytes: order === 'BADC' || order === 'DCBA',
    swapWords: order === 'CDAB' || order === 'DCBA',
    length,
    writable: at.table === 'hr' || at.table === 'co',
    request: { maxGap, maxCount: isRegisters(at.table) ? maxRegisters : maxBits },
  });
}
