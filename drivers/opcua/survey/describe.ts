import type { FoundTag, TagType } from '../../../gateway/contract/index.js';
import { escapedUri } from '../plan/address.js';
import {
  Attribute,
  BuiltIn,
  type UaSession,
  type UaValue,
  type UaVariant,
} from '../service/client.js';
import { isRespelt, plainName } from './names.js';
import { isBad } from '../service/status.js';
import type { Found } from './tree.js';

/** Variables of a server as tags, with what the server itself says of them. */

const tagTypes: Readonly<Record<number, TagType>> = {
  [BuiltIn.boolean]: 'bool',
  [BuiltIn.sByte]: 'int8',
  [BuiltIn.byte]: 'uint8',
  [BuiltIn.int16]: 'int16',
  [BuiltIn.uint16]: 'uint16',
  [BuiltIn.int32]: 'int32',
  [BuiltIn.uint32]: 'uint32',
  [BuiltIn.int64]: 'int64',
  [BuiltIn.uint64]: 'uint64',
  [BuiltIn.float]: 'float32',
  [BuiltIn.double]: 'float64',
  [BuiltIn.string]: 'string',
  [BuiltIn.dateTime]: 'float64',
  [BuiltIn.localizedText]: 'string',
};

/** What a server says of an analog value. */
export interface Analog {
  readonly unit: string | undefined;
  readonly span: readonly [number, number] | undefined;
}

const properties = ['EngineeringUnits', 'EURange'] as const;
const notForTags = [...properties, 'InstrumentRange', 'ValuePrecision', 'Definition'];

type Session = Pick<UaSession, 'read' | 'namespaces' | 'properties'>;

/** Units and spans of these nodes, in their order. */
export async function analogsOf(session: Session, nodeIds: readonly string[]): Promise<Analog[]> {
  const held = await session.properties(nodeIds, properties);
  const ids = held.flatMap((each) => each.filter((id) => id !== undefined));
  const values = await session.read(
    ids.map((nodeId) => ({ nodeId, attributeId: Attribute.value })),
  );
  const byId = new Map(ids.map((id, at) => [id, values[at]]));
  return held.map(([unit, range]) => ({
    unit: unitOf(byId.get(unit ?? '')),
    span: spanOf(byId.get(range ?? '')),
  }));
}

function unitOf(value: UaValue | undefined): string | undefined {
  const held = value?.value.value as { readonly displayName?: { text?: string | null } } | null;
  const text = held?.displayName?.text;
  return typeof text === 'string' && text !== '' ? text : undefined;
}

function spanOf(value: UaValue | undefined): readonly [number, number] | undefined {
  const held = value?.value.value as { readonly low?: number; readonly high?: number } | null;
  const { low, high } = held ?? {};
  return typeof low === 'number' && typeof high === 'number' && low < high
    ? [low, high]
    : undefined;
}

/** The variables among the nodes as tags, several of which may have the same name; those of a type that no tag has are left out, with a remark. */
export async function tagsOf(
  session: Session,
  found: readonly Found[],
  nameOf: (one: Found) => string,
): Promise<{ readonly tags: readonly FoundTag[]; readonly remarks: readonly string[] }> {
  const variables = found.filter(
    ({ kind, name }) => kind === 'variable' && !notForTags.includes(name),
  );
  const values = await session.read(
    variables.map(({ nodeId }) => ({ nodeId, attributeId: Attribute.value })),
  );
  const uris = await session.namespaces();
  const remarks: string[] = [];
  const fit = variables.flatMap((variable, at) => {
    const value = values[at];
    const type = tagTypes[value?.value.dataType ?? 0];
    if (value && !isBad(value.statusCode.value) && type !== undefined && isOne(value.value))
      return [{ variable, type }];
    remarks.push(`left out: ${variable.path} (${value?.statusCode.name ?? 'unread'})`);
    return [];
  });
  const analogs = await analogsOf(
    session,
    fit.map(({ variable }) => variable.nodeId),
  );
  const tags = fit.map(({ variable, type }, at) => {
    const { unit, span } = analogs[at] ?? { unit: undefined, span: undefined };
    const address = withUri(variable.nodeId, uris);
    const { name } = variable;
    const keys = {
      address,
      type,
      ...(isRespelt(name) ? { description: name } : {}),
      ...(unit === undefined ? {} : { unit }),
      ...(span ? { span } : {}),
    };
    return { name: plainName(nameOf(variable)), identity: address, keys };
  });
  return { tags, remarks };
}

/** One value, and not an array; a 64-bit integer is a pair of numbers. */
function isOne({ dataType, value }: UaVariant): boolean {
  if (value instanceof Uint8Array) return dataType === BuiltIn.byteString;
  if (ArrayBuffer.isView(value)) return false;
  if (!Array.isArray(value)) return true;
  const isPair = dataType === BuiltIn.int64 || dataType === BuiltIn.uint64;
  return isPair && value.length === 2 && typeof value[0] === 'number';
}

/** By the URI of its namespace, for indexes move; where the URI names no one namespace, by the index after all. */
function withUri(nodeId: string, uris: readonly string[]): string {
  const { ns, id } = /^ns=(?<ns>\d+);(?<id>.*)$/s.exec(nodeId)?.groups ?? {};
  const uri = uris[Number(ns)];
  if (id === undefined || uri === undefined || uri === '') return nodeId;
  return uris.indexOf(uri) === uris.lastIndexOf(uri) ? `nsu=${escapedUri(uri)};${id}` : nodeId;
}
