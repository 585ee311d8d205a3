import {
  integerRanges,
  Quality,
  type QualityCode,
  type TagType,
  type Value,
} from '../../../gateway/contract/index.js';
import type { OpcuaAddress } from '../plan/address.js';
import { BuiltIn, type UaValue, type UaVariant } from '../service/client.js';
import { qualityOf } from '../service/status.js';

/** A value as the gateway holds it: a number, and for texts and exact 64-bit integers that too. */
export interface Reading {
  number: number;
  quality: QualityCode;
  wide: string | bigint | undefined;
}

/**
 * Reads what the server told of a tag into `out`, which is used again and again. What does not fit the
 * type of the tag is bad (decode): a value is never bent to fit.
 */
export function readValue(told: UaValue, address: OpcuaAddress, out: Reading): void {
  const { value, statusCode } = told;
  out.wide = undefined;
  if (address.aspect !== 'value') {
    readAspect(told, address, out);
    return;
  }
  if (statusCode.value === 0 && typeof value.value === 'number' && isPlainFloat(address)) {
    out.number = value.value;
    out.quality = Quality.good;
    return;
  }
  out.number = NaN;
  out.quality = qualityOf(statusCode.value);
  if (out.quality >= 0x80) return;
  const plain = plainOf(value, address);
  if (plain === undefined || !put(plain, address.type, out)) out.quality = Quality.decode;
}

/** Unix ms of a time that a server gives with a value; NaN: none, for what is not set comes as one of 1601. */
export function stampOf(time: Date | null): number {
  const stamp = time?.getTime() ?? NaN;
  return stamp > 0 ? stamp : NaN;
}

/**
 * What stands beside a value is known whatever the value is: good, or bad (decode) where the server does not
 * say. A time is Unix milliseconds for a number.
 */
function readAspect(
  { statusCode, sourceTimestamp, serverTimestamp }: UaValue,
  { aspect, type }: OpcuaAddress,
  out: Reading,
): void {
  const time = aspect === 'sourceTime' ? sourceTimestamp : serverTimestamp;
  // The library hangs the names of flags on: of an overflow, too, which is about our own queue.
  const status = type === 'string' ? statusCode.name.split('#', 1)[0] : statusCode.value;
  const known = Number.isNaN(stampOf(time)) ? undefined : looseScalar(time, type);
  const plain = aspect === 'status' ? status : known;
  out.number = NaN;
  out.quality = Quality.good;
  if (plain === undefined || !put(plain, type, out)) out.quality = Quality.decode;
}

/** To be read into; bad (waiting) until then. */
export function blankReading(): Reading {
  return { number: NaN, quality: Quality.waiting, wide: undefined };
}

/** A value that we hold ourselves, as the tag shows it; bad (decode) where it does not fit. */
export function readingOf(value: Value, type: TagType): Reading {
  const out = blankReading();
  out.quality = Quality.good;
  if (value === null || !put(value, type, out)) out.quality = Quality.decode;
  return out;
}

/** What most tags are: a number that is taken as it is. */
function isPlainFloat({ type, range, field }: OpcuaAddress): boolean {
  return (type === 'float64' || type === 'float32') && range === undefined && field.length === 0;
}

/** A value without its wrapping; undefined when there is nothing of that kind in it. */
function plainOf(
  { dataType, value }: UaVariant,
  { range, field, type }: OpcuaAddress,
): number | bigint | string | boolean | undefined {
  const isOne = range !== undefined && !range.includes(':');
  let inner: unknown = isOne ? onlyElement(dataType, value) : value;
  if (field.length === 0)
    return type === 'string' && isArray(dataType, inner)
      ? listText(dataType, inner)
      : scalarOf(dataType, inner, type);
  for (const name of field) inner = fieldOf(inner, name);
  return looseScalar(inner, type);
}

/** Elements of an array in one text, at most. */
const mostElements = 1_000;

/** An array as JSON; undefined when something in it has no text, or it is too long. */
export function listText(dataType: number, list: ArrayLike<unknown>): string | undefined {
  if (list.length > mostElements) return undefined;
  const parts = Array.from(list, (one) => scalarOf(dataType, one, 'string'));
  if (parts.includes(undefined)) return undefined;
  return `[${parts.map(jsonText).join()}]`;
}

/** As JSON, in which a number that is none is null, and 64 bits are a number all the same. */
function jsonText(part: ReturnType<typeof plainOf>): string {
  return typeof part === 'bigint' ? String(part) : JSON.stringify(part ?? null);
}

/** A pair is one 64-bit integer, and bytes are one ByteString, or an array of Byte. */
export function isArray(dataType: number, value: unknown): value is ArrayLike<unknown> {
  if (dataType === BuiltIn.int64 || dataType === BuiltIn.uint64)
    return isList(value) && (value.length === 0 || isList(value[0]));
  return isList(value) || (value instanceof Uint8Array && dataType === BuiltIn.byte);
}

/** A range of one element comes as an array of one. */
function onlyElement(dataType: number, value: unknown): unknown {
  if (value instanceof Uint8Array) return dataType === BuiltIn.byteString ? value : value[0];
  const isPair = dataType === BuiltIn.int64 || dataType === BuiltIn.uint64;
  return isList(value) && (!isPair || isList(value[0])) ? value[0] : value;
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof Uint8Array));
}

function fieldOf(of: unknown, name: string): unknown {
  if (typeof of !== 'object' || of === null) return undefined;
  if (Array.isArray(of)) return of[Number(name)] as unknown;
  // The library gives fields a small first letter; people type what the server's model says.
  const lower = name.charAt(0).toLowerCase() + name.slice(1);
  for (const key of [name, lower])
    if (Object.hasOwn(of, key)) return (of as Record<string, unknown>)[key];
  return undefined;
}

function scalarOf(dataType: number, value: unknown, type: TagType): ReturnType<typeof plainOf> {
  switch (dataType) {
    case BuiltIn.int64:
      return integer64(value, true);
    case BuiltIn.uint64:
      return integer64(value, false);
    case BuiltIn.boolean:
      return typeof value === 'boolean' ? value : undefined;
    case BuiltIn.statusCode:
      return (value as { value?: number } | null)?.value;
    default:
      return looseScalar(value, type);
  }
}

/** A 64-bit integer of the pair that the library gives, high half first; undefined where it is none. */
export function integer64(value: unknown, signed: boolean): bigint | undefined {
  // Two 64-bit integers are an array of two pairs, and not one of them.
  if (!isList(value) || value.length !== 2 || isList(value[0])) return undefined;
  const [high, low] = [Number(value[0]), Number(value[1])];
  const bits = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  return signed ? BigInt.asIntN(64, bits) : bits;
}

/**
 * Of what the library gives for texts, times, ids and the like, the text or number that people mean. A
 * time is a text for a string, and Unix milliseconds for a number.
 */
function looseScalar(value: unknown, type: TagType): ReturnType<typeof plainOf> {
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean')
    return value;
  if (value === null || value === undefined) return undefined;
  if (isTime(value)) return type === 'string' ? value.toISOString() : value.getTime();
  if (value instanceof Uint8Array) return hexOf(value);
  if (typeof value !== 'object') return undefined;
  // LocalizedText has a text, QualifiedName a name; ids print themselves.
  if ('text' in value) return typeof value.text === 'string' ? value.text : '';
  if ('name' in value && 'namespaceIndex' in value) return String(value.name);
  if ('identifierType' in value) return (value as { toString: () => string }).toString();
  return undefined;
}

/** As {@link looseScalar}, for whatever shows itself as a text; empty for nothing. */
export function textOf(value: unknown): string {
  return String(looseScalar(value, 'string') ?? '');
}

export function isTime(
  value: unknown,
): value is { toISOString: () => string; getTime: () => number } {
  return typeof value === 'object' && value !== null && 'toISOString' in value;
}

export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** @returns false when the value does not fit the type */
function put(plain: number | bigint | string | boolean, type: TagType, out: Reading): boolean {
  if (type === 'string') {
    out.wide = String(plain);
    return true;
  }
  if (type === 'bool') return putBool(plain, out);
  if (type === 'int64' || type === 'uint64') return putInteger64(plain, type, out);
  if (typeof plain === 'string') return false;
  out.number = Number(plain);
  if (type === 'float32' || type === 'float64') return true;
  const bounds = integerRanges[type];
  return Number.isInteger(out.number) && out.number >= bounds[0] && out.number <= bounds[1];
}

function putBool(plain: number | bigint | string | boolean, out: Reading): boolean {
  out.number = Number(plain);
  return typeof plain !== 'string' && (out.number === 0 || out.number === 1);
}

function putInteger64(
  plain: number | bigint | string | boolean,
  type: 'int64' | 'uint64',
  out: Reading,
): boolean {
  if (typeof plain === 'string' || (typeof plain === 'number' && !Number.isSafeInteger(plain)))
    return false;
  const exact = BigInt(plain);
  out.wide = exact;
  out.number = Number(exact);
  return exact === (type === 'int64' ? BigInt.asIntN(64, exact) : BigInt.asUintN(64, exact));
}

const ranges: Readonly<Record<number, readonly [bigint, bigint]>> = {
  [BuiltIn.sByte]: [-128n, 127n],
  [BuiltIn.byte]: [0n, 255n],
  [BuiltIn.int16]: [-(1n << 15n), (1n << 15n) - 1n],
  [BuiltIn.uint16]: [0n, (1n << 16n) - 1n],
  [BuiltIn.int32]: [-(1n << 31n), (1n << 31n) - 1n],
  [BuiltIn.uint32]: [0n, (1n << 32n) - 1n],
  [BuiltIn.int64]: [-(1n << 63n), (1n << 63n) - 1n],
  [BuiltIn.uint64]: [0n, (1n << 64n) - 1n],
};

/** A value as a variant of the node's own type; undefined when it does not fit, and must not be sent. */
export function variantOf(value: Value, dataType: number): UaVariant | undefined {
  if (value === null) return undefined;
  if (dataType === BuiltIn.string)
    return typeof value === 'string' ? { dataType, value } : undefined;
  if (typeof value === 'string') return undefined;
  if (dataType === BuiltIn.boolean)
    return Number(value) === 0 || Number(value) === 1
      ? { dataType, value: Boolean(value) }
      : undefined;
  if (dataType === BuiltIn.float || dataType === BuiltIn.double)
    return typeof value === 'bigint' ? undefined : { dataType, value: Number(value) };
  return integerVariant(value, dataType);
}

function integerVariant(value: number | bigint | boolean, dataType: number): UaVariant | undefined {
  const range = ranges[dataType];
  if (!range || (typeof value === 'number' && !Number.isInteger(value))) return undefined;
  const exact = BigInt(value);
  if (exact < range[0] || exact > range[1]) return undefined;
  if (dataType !== BuiltIn.int64 && dataType !== BuiltIn.uint64)
    return { dataType, value: Number(exact) };
  const bits = BigInt.asUintN(64, exact);
  return { dataType, value: [Number(bits >> 32n), Number(bits & 0xffff_ffffn)] };
}
