import { type Inspection, wall } from '../../../gateway/contract/index.js';
import { BuiltIn, type UaValue } from '../service/client.js';
import { hexOf, integer64, isTime } from './values.js';

/** All that a server says of a value. */
export function inspectionOf(value: UaValue): Inspection {
  const { name, value: code } = value.statusCode;
  const { sourceTimestamp, serverTimestamp } = value;
  return {
    value: plainText(value.value.dataType, value.value.value),
    type: typeName(value.value.dataType),
    status: `${name} (0x${code.toString(16).toUpperCase().padStart(8, '0')})`,
    sourceTime: sourceTimestamp ? wall(sourceTimestamp.getTime()) : undefined,
    serverTime: serverTimestamp ? wall(serverTimestamp.getTime()) : undefined,
  };
}

/** Name of a built-in type. */
export function typeName(type: number): string {
  const [name] = Object.entries(BuiltIn).find(([, number]) => number === type) ?? [];
  return name ?? (type === 0 ? 'nothing' : `type ${String(type)}`);
}

/** A value of whatever type, for people. */
export function plainText(dataType: number, held: unknown): string {
  if (held === null || held === undefined) return '-';
  if (dataType === BuiltIn.int64 || dataType === BuiltIn.uint64) {
    const exact = integer64(held, dataType === BuiltIn.int64);
    if (exact !== undefined) return String(exact);
  }
  if (isTime(held)) return held.toISOString();
  if (held instanceof Uint8Array) return hexOf(held);
  if (Array.isArray(held) || ArrayBuffer.isView(held))
    return `[${Array.from(held as ArrayLike<unknown>, (one) => plainText(dataType, one)).join(', ')}]`;
  if (typeof held === 'object' && 'text' in held) return String(held.text);
  if (typeof held === 'object' && 'identifierType' in held)
    return (held as { toString: () => string }).toString();
  return typeof held === 'string' ? held : JSON.stringify(held);
}
