import {
  type Parsed,
  type Problem,
  shown,
  type Source,
  type TagType,
} from '../../../gateway/contract/index.js';
import { KeyReader } from '../../lib/keys.js';
import {
  addressings,
  broadcast,
  lengthBounds,
  pads,
  requestBounds,
  timeoutBounds,
  unitBounds,
  writeModes,
  type ModbusConfig,
  type WriteMode,
} from './config.js';
import { readPosition, type Position } from './notation.js';
import { isRegisters, tables, type Table } from '../frames/tables.js';
import { formatOf, formats, goesWith, type FormatName } from '../values/formats.js';
import { orderWords, swapsOf } from '../values/orders.js';
import { rawTypes, scaleKinds, type Scaled } from '../values/scales.js';
import { readSentinels } from '../values/sentinels.js';
import { encodings, registersOf, type Encoding, type RegisterValue } from '../values/value.js';

/** Where a tag lives, checked and ready for planning. All numbers as on the wire, from zero. */
export interface ModbusAddress extends RegisterValue {
  readonly unit: number;
  readonly scaled: Scaled<ModbusAddress> | undefined;
  /** Tags with the same word come from one request. */
  readonly together: string | undefined;
  /** It cannot be read. */
  readonly writeOnly: boolean;
  /** For all devices of the line, none of which answers. */
  readonly isBroadcast: boolean;
  /** Does the protocol know a write of this table? */
  readonly writable: boolean;
  readonly write: WriteMode;
  /** What one request to this device may be; the same for all tags of a device and table. */
  readonly request: DeviceLimits;
}

export interface DeviceLimits {
  readonly maxGap: number;
  /** Each tag in a request of its own. */
  readonly alone: boolean;
  readonly maxCount: number;
  /** Longest wait for the device to answer, ms, without the time on the line. */
  readonly timeout: number;
}

/** What the device says for all of its tags. */
interface Device {
  readonly unit: number;
  readonly isBroadcast: boolean;
  readonly order: string;
  readonly base: 0 | 1;
  readonly table: Table | undefined;
  readonly write: WriteMode;
  readonly encoding: Encoding;
  readonly maxRegisters: number;
  readonly maxBits: number;
  readonly maxGap: number;
  readonly alone: boolean;
  readonly words: 1 | 2;
  readonly timeout: number;
}

/** `registerBits` as words of 16 bits. */
function wordsOf(keys: KeyReader, fallback: 1 | 2): 1 | 2 {
  const bits = keys.raw('registerBits');
  return bits === undefined ? fallback : bits === 32 ? 2 : 1;
}

function readDevice(config: ModbusConfig, keys: KeyReader): Device {
  const own = (key: 'maxGap' | 'maxRegisters' | 'maxBits'): number =>
    keys.integer(key, requestBounds[key], config[key]);
  const isBroadcast = keys.raw('unit') === broadcast;
  return {
    unit: isBroadcast ? 0 : keys.integer('unit', unitBounds),
    isBroadcast,
    order: keys.choice('byteOrder', orderWords, 'ABCD'),
    base: keys.choice('addressing', addressings, 'zero') === 'one' ? 1 : 0,
    table: keys.has('table') ? keys.choice('table', tables, 'hr') : undefined,
    write: keys.choice('write', writeModes, 'auto'),
    encoding: keys.choice('encoding', encodings, 'utf-8'),
    maxRegisters: own('maxRegisters'),
    maxBits: own('maxBits'),
    maxGap: own('maxGap'),
    alone: keys.flag('oneTagPerRequest', false),
    words: wordsOf(keys, 1),
    timeout: keys.duration('timeout', timeoutBounds, config.timeout),
  };
}

/** Do table, bits and type go together? */
function checkType(keys: KeyReader, { table, start, bits }: Position, type: TagType): void {
  const problem = (message: string, hint: string): void => keys.problem('address', message, hint);
  if (!isRegisters(table)) {
    if (type !== 'bool')
      problem(`${table} holds single bits, not ${type}`, 'use type: bool or hr:, ir:');
    if (bits) problem(`${table} has no bits within`, `leave out what follows the point`);
    return;
  }
  if (type === 'bool') {
    if (!bits)
      problem(
        'a register holds 16 bits: which one is it?',
        `write ${table}:${String(start)}.0 for the lowest`,
      );
    else if (bits[0] !== bits[1]) problem('a bool is one bit', `use .${String(bits[0])}`);
    else if (bits[0] > 15)
      problem(`no bit ${String(bits[0])}: a register has 16 bits`, 'use .0 to .15');
    return;
  }
  if (!bits) return;
  const [low, high] = bits;
  const size = Math.max(16, registersOf[type] * 16);
  if (type === 'string' || type.startsWith('float'))
    problem(`bits of a register are no ${type}`, 'use a bool or an integer type');
  else if (high >= size)
    problem(`no bit ${String(high)}: ${type} has ${String(size)}`, 'see above');
  else if (high - low + 1 > sizeOf(type))
    problem(`${String(high - low + 1)} bits do not fit ${type}`, 'use a wider type');
}

/** Bits of an integer type. */
function sizeOf(type: TagType): number {
  return Number(/\d+$/.exec(type)?.[0] ?? 0);
}

const padBytes: Readonly<Record<(typeof pads)[number], number>> = { nul: 0, blank: 0x20, ff: 0xff };

/** Bytes at which a text ends: NUL; 0xFF, too, where it is no character; and what `end` says. */
function endsOf(keys: KeyReader, type: TagType, encoding: Encoding): readonly number[] {
  const usual = encoding === 'utf-8' || encoding === 'gbk' ? [0, 0xff] : [0];
  const typed = keys.raw('end');
  if (typed === undefined) return usual;
  const own = (Array.isArray(typed) ? (typed as unknown[]) : [typed]).map(Number);
  const isByte = (byte: number): boolean => Number.isInteger(byte) && byte >= 0 && byte <= 0xff;
  if (type !== 'string') keys.problem('end', `end is for strings, not for ${type}`, 'leave it out');
  else if (!own.every(isByte))
    keys.problem('end', 'not a byte, or a list of them', 'write it like 0xFF');
  return [...usual, ...own];
}

/** Length of a string in bytes, or 0. */
function stringLength(keys: KeyReader, type: TagType, format: FormatName): number {
  if (type === 'string' && formatOf(format, type).registers === undefined)
    return keys.integer('length', lengthBounds);
  if (keys.has('length'))
    keys.problem('length', `length is for strings, not for ${type}`, 'leave it out');
  return 0;
}

function fieldOf({ bits }: Position, type: TagType): ModbusAddress['field'] {
  if (type === 'bool') return undefined;
  if (bits) return { shift: bits[0], width: bits[1] - bits[0] + 1 };
  return type === 'int8' || type === 'uint8' ? { shift: 0, width: 8 } : undefined;
}

/** Words of 16 bits that the value takes. */
function sizeInWords(type: TagType, format: FormatName, length: number): number {
  const { registers } = formatOf(format, type);
  if (registers !== undefined) return registers;
  if (type === 'string') return Math.ceil(length / 2);
  return registersOf[type];
}

/** Words in each register. Bits are registers of their own, and no part of one that is wide. */
function registerWords(
  keys: KeyReader,
  { table, bits }: Position,
  size: number,
  type: TagType,
  device: 1 | 2,
): 1 | 2 {
  if (!isRegisters(table)) return 1;
  const words = wordsOf(keys, device);
  if (words === 2 && (size % 2 === 1 || bits || type === 'string'))
    keys.problem(
      'registerBits',
      `a register of 32 bits is no ${type}`,
      'use int32, uint32 or float32, or registerBits: 16 for this tag',
    );
  return words;
}

type TagSource = Source & { readonly type: TagType };

/**
 * Reads one tag's address. Problems of device keys carry the path `['device', key]`, as nothing else
 * tells them from the tag's own.
 */
export function parseTag(
  config: ModbusConfig,
  device: Source,
  tag: TagSource,
): Parsed<ModbusAddress> {
  return tag['scaleFrom'] === undefined
    ? parsePlain(config, device, tag)
    : parseScaled(config, device, tag);
}

/** A value and its scale, each as a tag of its own, in what one request can carry. */
function parseScaled(config: ModbusConfig, device: Source, tag: TagSource): Parsed<ModbusAddress> {
  const keys = new KeyReader(tag);
  if (tag.type !== 'float64')
    keys.problem(
      'type',
      `a value with a scale of its own is no ${tag.type}`,
      'use float64; raw: int16 says what the registers hold',
    );
  const raw = parsePlain(config, device, { ...tag, type: keys.choice('raw', rawTypes, 'int16') });
  const scale = parsePlain(config, device, scaleSource(tag['scaleFrom']));
  if (!raw.ok) keys.problems.push(...raw.problems);
  else if (!scale.ok) reportScale(keys, scale.problems);
  if (!raw.ok || !scale.ok) return { ok: false, problems: keys.problems };
  const [a, b] = [raw.value, scale.value];
  const start = Math.min(a.start, b.start);
  const count = Math.max(a.start + a.count, b.start + b.count) - start;
  if (a.table !== b.table || a.words !== 1 || b.words !== 1 || b.type === 'bool')
    keys.problem(
      'scaleFrom',
      'a value and its scale are read by one request',
      'name a number in registers of the same table',
    );
  else if (count > a.request.maxCount)
    keys.problem(
      'scaleFrom',
      `it takes ${count} registers to read both, a request may have ${a.request.maxCount}`,
      'take the scale by a rule',
    );
  const kind = keys.choice('scaleKind', scaleKinds, 'power-of-ten');
  const scaled: Scaled<ModbusAddress> = { raw: a, scale: b, kind };
  return keys.finish({ ...a, type: tag.type, start, count, invalid: undefined, scaled });
}

/** A word is the name of a tag that is not there, or an address that is none; else it is the other tag that is wrong. */
function reportScale(keys: KeyReader, problems: readonly Problem[]): void {
  const from = keys.raw('scaleFrom');
  if (typeof from === 'string')
    keys.problem(
      'scaleFrom',
      `neither a tag of this device nor the address of a register: ${shown(from)}`,
      'name the tag that holds the scale, or write it like hr:40101',
    );
  else for (const { message, hint } of problems) keys.problem('scaleFrom', message, hint);
}

/** SunSpec: an int16, 0x8000 where there is none. */
function scaleSource(from: unknown): TagSource {
  const usual = { type: 'int16' as const, invalid: 0x8000 };
  return typeof from === 'object' && from !== null
    ? { type: 'int16', ...(from as Source) }
    : { ...usual, address: from };
}

function parsePlain(config: ModbusConfig, device: Source, tag: TagSource): Parsed<ModbusAddress> {
  const deviceKeys = new KeyReader(device, ['device']);
  const d = readDevice(config, deviceKeys);
  const keys = new KeyReader(tag);
  keys.problems.push(...deviceKeys.problems);
  const { type } = tag;
  const order = keys.choice('byteOrder', orderWords, d.order);
  const format = goesWith(keys, keys.choice('format', formats, 'plain'), type);
  const length = stringLength(keys, type, format);
  const encoding = keys.choice('encoding', encodings, d.encoding);
  const pad = padBytes[keys.choice('pad', pads, 'nul')];
  const ends = endsOf(keys, type, encoding);
  const write = keys.choice('write', writeModes, d.write);
  const at = readPosition(keys, d.base, d.table);
  if (!at) return { ok: false, problems: keys.problems };
  checkType(keys, at, type);
  if (at.bits && format !== 'plain')
    keys.problem(
      'format',
      `part of a register is no ${format}`,
      'leave out the bits or the format',
    );
  const field = fieldOf(at, type);
  const size = sizeInWords(type, format, length);
  const words = registerWords(keys, at, size, type, d.words);
  const count = Math.ceil(size / words);
  const isRegister = isRegisters(at.table);
  const invalid = readSentinels(keys, type, field?.width ?? (isRegister ? size * 16 : 1));
  checkRoom(keys, at, type, count, d);
  return keys.finish({
    unit: d.unit,
    table: at.table,
    start: at.start,
    count,
    words,
    type,
    format,
    bit: type === 'bool' ? at.bits?.[0] : undefined,
    field,
    ...swapsOf(order),
    length,
    encoding,
    pad,
    ends,
    invalid,
    scaled: undefined,
    together: typeof tag['together'] === 'string' ? tag['together'] : undefined,
    writeOnly: d.isBroadcast || keys.flag('writeOnly', false),
    isBroadcast: d.isBroadcast,
    writable: at.table === 'hr' || at.table === 'co',
    write,
    request: {
      maxGap: d.maxGap,
      alone: d.alone,
      maxCount: isRegister ? Math.max(1, Math.floor(d.maxRegisters / words)) : d.maxBits,
      timeout: d.timeout,
    },
  });
}

function checkRoom(
  keys: KeyReader,
  at: Position,
  type: TagType,
  count: number,
  { maxRegisters }: Device,
): void {
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
}
