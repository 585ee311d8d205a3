import { StatusCodes, type BrowsePathResult } from 'node-opcua-client';
import type { GatewayError } from '../../gateway/contract/index.js';
import type { PathTarget, Status, UaValue } from './client.js';
import { localText } from './library-ids.js';

/** Answers of the library, and what stands for one that there is none of. */

/** Of a path that was followed to its end. */
const wholePath = 0xffff_ffff;

/** The status that a refusal names, for the items of what was refused. */
export function statusOfFailure({ message }: GatewayError): Status {
  const [name = ''] = /\bBad[A-Za-z]+/.exec(message) ?? [];
  const known = (StatusCodes as unknown as Readonly<Record<string, Status | undefined>>)[name];
  return known ?? StatusCodes.BadUnexpectedError;
}

export function refusedValue(why: GatewayError): UaValue {
  return {
    value: { dataType: 0, value: null },
    statusCode: statusOfFailure(why),
    sourceTimestamp: null,
    serverTimestamp: null,
  };
}

/**
 * The one node of this server that a path leads to. Of several none is meant: which of them comes first may change with
 * the next start of the server.
 */
export function targetOf(
  { statusCode, targets }: BrowsePathResult,
  uris: readonly string[],
): PathTarget {
  const ids = (targets ?? [])
    .filter(({ remainingPathIndex }) => remainingPathIndex === wholePath)
    .map(({ targetId }) => localText(targetId, uris));
  const [only, ...others] = new Set(ids.filter((id) => id !== undefined));
  if (others.length > 0)
    return { statusCode: StatusCodes.BadBrowseNameDuplicated, nodeId: undefined };
  return { statusCode, nodeId: only };
}
