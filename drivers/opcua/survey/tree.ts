import { asGatewayError } from '../../../gateway/contract/index.js';
import type { Child, UaSession } from '../service/client.js';

/** Below the server's own object lies only its diagnosis. */
const serverObject = 'i=2253';

/** A node below the one where the walk began. */
export interface Found extends Child {
  /** Browse names from the beginning, with namespace indexes. */
  readonly path: string;
  /** The same as plain names. */
  readonly names: readonly string[];
  readonly depth: number;
}

export interface Walk {
  readonly depth: number;
  /** Nodes, at most. */
  readonly most: number;
  readonly onProgress?: (count: number) => void;
  /** The server does not say what is below a node. */
  readonly onRefused?: (path: string, why: string) => void;
}

/** What lies below a node, level by level, each node once, however many ways lead to it. */
export async function walk(
  session: Pick<UaSession, 'browse'>,
  from: string,
  { depth, most, onProgress, onRefused }: Walk,
): Promise<Found[]> {
  const found: Found[] = [];
  const seen = new Set([from, serverObject, `ns=0;${serverObject}`]);
  /** One folder that we may not look into is not the end of the others. */
  const below = async (nodeId: string, path: string): Promise<readonly Child[]> => {
    try {
      return await session.browse(nodeId, most - found.length);
    } catch (thrown) {
      const { kind, message } = asGatewayError(thrown);
      if (kind !== 'device') throw thrown;
      onRefused?.(path === '' ? '/' : path, message);
      return [];
    }
  };
  const visit = async (nodeId: string, above: Found | undefined, level: number): Promise<void> => {
    if (level >= depth || found.length >= most) return;
    for (const child of await below(nodeId, above?.path ?? '')) {
      if (seen.has(child.nodeId) || found.length >= most) continue;
      seen.add(child.nodeId);
      const step = `${child.ns === 0 ? '' : `${String(child.ns)}:`}${child.name}`;
      const one: Found = {
        ...child,
        path: `${above?.path ?? ''}/${step}`,
        names: [...(above?.names ?? []), child.name],
        depth: level,
      };
      found.push(one);
      onProgress?.(found.length);
      await visit(child.nodeId, one, level + 1);
    }
  };
  await visit(from, undefined, 0);
  return found;
}
