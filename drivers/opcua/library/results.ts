import { StatusCodes, type BrowsePathResult } from 'node-opcua-client';
import { GatewayError } from '../../../gateway/contract/index.js';
import type { Monitored, PathTarget, Status, UaValue } from '../service/client.js';
import { guarded, orAnswer } from '../service/failures.js';
import { localText } from './ids.js';
import { isBad } from '../service/status.js';

/** Answers of the library, and what stands for one that there is none of. */

/** Of a path that was followed to its end. */
const wholePath = 0xffff_ffff;

/** The status that a refusal names, for the items of what was refused; else its words. */
export function statusOfFailure({ message }: GatewayError): Status {
  const [name = ''] = /\bBad[A-Za-z]*/.exec(message) ?? [];
  const known = (StatusCodes as unknown as Readonly<Record<string, Status | undefined>>)[name];
  return known ?? { value: StatusCodes.BadUnexpectedError.value, name: message };
}

/** A service for one thing: where the server refuses all of it, that is the answer for the thing. */
export async function answered<R>(
  call: () => Promise<R>,
  refused: (status: Status) => R,
): Promise<R> {
  const given = await orAnswer(guarded(call));
  return given instanceof GatewayError ? refused(statusOfFailure(given)) : given;
}

export function notMonitored(statusCode: Status): Monitored {
  return {
    statusCode,
    monitoredItemId: 0,
    revisedSamplingInterval: NaN,
    revisedQueueSize: NaN,
  };
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
  if (isBad(statusCode.value)) return { statusCode, nodeId: undefined };
  const ids = (targets ?? [])
    .filter(({ remainingPathIndex }) => remainingPathIndex === wholePath)
    .map(({ targetId }) => localText(targetId, uris));
  const [only, ...others] = new Set(ids.filter((id) => id !== undefined));
  if (others.length > 0)
    return { statusCode: StatusCodes.BadBrowseNameDuplicated, nodeId: undefined };
  return { statusCode, nodeId: only };
}
