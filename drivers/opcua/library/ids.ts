import { ExpandedNodeId, NodeId } from 'node-opcua-client';

/**
 * Node ids as the driver keeps them (texts, for they are keys of maps) and as the library takes them. It must never be
 * given a text: its patterns are not anchored, and of `ns=2;s=[Line1]ns=2;i=1001` it makes `ns=2;i=1001`.
 */

const { NUMERIC, STRING, GUID, BYTESTRING } = NodeId.NodeIdType;
const form = /^(?:ns=(?<ns>\d{1,5});)?(?<kind>[isgb])=(?<body>.*)$/s;

/** The node that a text names: everything behind the first `=` is the id, whatever it looks like. */
export function nodeIdOf(text: string): NodeId {
  const { ns = '0', kind, body = '' } = form.exec(text)?.groups ?? {};
  const index = Number(ns);
  switch (kind) {
    case 'i':
      return new NodeId(NUMERIC, Number(body), index);
    case 'g':
      return new NodeId(GUID, body, index);
    case 'b':
      return new NodeId(BYTESTRING, Buffer.from(body, 'base64'), index);
    default:
      return new NodeId(STRING, body, index);
  }
}

/** The reverse of {@link nodeIdOf}; the namespace of the standard needs no index. */
export function idText({ namespace, identifierType, value }: NodeId): string {
  const prefix = namespace === 0 ? '' : `ns=${String(namespace)};`;
  switch (identifierType) {
    case NUMERIC:
      return `${prefix}i=${String(value)}`;
    case GUID:
      return `${prefix}g=${String(value)}`;
    case BYTESTRING:
      return `${prefix}b=${((value as Buffer | null) ?? Buffer.alloc(0)).toString('base64')}`;
    default:
      return `${prefix}s=${String(value)}`;
  }
}

/**
 * The id in this session of a node that a server names to others.
 * @param uris namespaces of this session
 * @returns undefined for a node of another server, or of a namespace that this one does not have: its id would be that
 * of another node here
 */
export function localText(id: NodeId, uris: readonly string[]): string | undefined {
  if (!(id instanceof ExpandedNodeId)) return idText(id);
  if (id.serverIndex !== 0) return undefined;
  // May be null on the wire, whatever the library's types say.
  const uri: string | null = id.namespaceUri;
  if (uri === null || uri === '') return idText(id);
  const namespace = uris.indexOf(uri);
  return namespace < 0 ? undefined : idText(new NodeId(id.identifierType, id.value, namespace));
}
