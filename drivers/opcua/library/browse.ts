import {
  BrowseDirection,
  NodeClass,
  type BrowseResult,
  type ClientSession,
  type ReferenceDescription,
} from 'node-opcua-client';
import { GatewayError } from '../../../gateway/contract/index.js';
import type { Child } from '../service/client.js';
import { guarded } from '../service/failures.js';
import { localText, nodeIdOf } from './ids.js';
import { hierarchical } from './requests.js';

/** Answers to one question, at most: a server may always have more, and nothing in it. */
const mostPages = 1_000;

/** What lies below a node in the tree, at most `most` of them. */
export function browse(
  raw: ClientSession,
  node: string,
  most: number,
  uris: readonly string[],
): Promise<readonly Child[]> {
  return guarded(async () => {
    const found: ReferenceDescription[] = [];
    let page: Partial<BrowseResult> = await raw.browse({
      nodeId: nodeIdOf(node),
      browseDirection: BrowseDirection.Forward,
      referenceTypeId: hierarchical,
      includeSubtypes: true,
      nodeClassMask: NodeClass.Object | NodeClass.Variable | NodeClass.Method,
      resultMask: 63,
    });
    for (let pages = 1; ; pages++) {
      if (page.statusCode?.isNotGood())
        throw new GatewayError('device-refused', page.statusCode.name);
      // Either may be null on the wire, whatever the library's types say.
      const { references, continuationPoint } = page;
      found.push(...(references ?? []));
      if (!continuationPoint || continuationPoint.length === 0) break;
      // A point that is not used up is given back: servers have few.
      const enough = found.length >= most || pages >= mostPages;
      page = await raw.browseNext(continuationPoint, enough);
      if (enough) break;
    }
    return found.slice(0, most).flatMap((one) => childOf(one, uris));
  });
}

const kinds: ReadonlyMap<number, Child['kind']> = new Map<number, Child['kind']>([
  [NodeClass.Variable, 'variable'],
  [NodeClass.Method, 'method'],
]);

/** None for a node of another server. */
function childOf(
  { nodeId, browseName, nodeClass }: ReferenceDescription,
  uris: readonly string[],
): Child[] {
  const { name, namespaceIndex } = browseName;
  const id = localText(nodeId, uris);
  if (id === undefined) return [];
  const kind = kinds.get(nodeClass) ?? 'object';
  return [{ nodeId: id, name: name ?? '', ns: namespaceIndex, kind }];
}
