import {
  DataType,
  promoteOpaqueStructure,
  type ClientSession,
  type DataValue,
} from 'node-opcua-client';

/** Structures in the terms of the library. */

/**
 * Decodes structures of types that the server defines itself. The first one has the library ask the
 * server for them, which takes a while; a server that does not tell leaves them undecoded.
 */
export async function decodeStructures(raw: ClientSession, structures: DataValue[]): Promise<void> {
  if (structures.length > 0) await promoteOpaqueStructure(raw, structures).catch(() => undefined);
}

/** Nothing is allocated where there is none. */
export function structuresIn(values: readonly DataValue[]): DataValue[] {
  return values.some(isStructure) ? values.filter(isStructure) : [];
}

function isStructure({ value }: DataValue): boolean {
  return value.dataType === DataType.ExtensionObject;
}
