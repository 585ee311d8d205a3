import {
  HistoryData,
  HistoryReadRequest,
  ReadRawModifiedDetails,
  TimestampsToReturn,
  type HistoryReadResult,
} from 'node-opcua-client';
import type { HistoryItem, HistoryPage } from '../service/client.js';
import { nodeIdOf } from './ids.js';

/** History in the terms of the library. */

/** All items of one request are asked for the same time; what is too early or too late is left out later. */
export function historyRequest(
  items: readonly HistoryItem[],
  most: number,
  dateOf: (ms: number) => Date,
): HistoryReadRequest {
  return new HistoryReadRequest({
    historyReadDetails: new ReadRawModifiedDetails({
      isReadModified: false,
      startTime: dateOf(Math.min(...items.map(({ from }) => from))),
      endTime: dateOf(Math.max(...items.map(({ to }) => to))),
      numValuesPerNode: most,
      returnBounds: false,
    }),
    timestampsToReturn: timesOf(items),
    releaseContinuationPoints: most === 0,
    nodesToRead: items.map(({ nodeId, indexRange, point }) => ({
      nodeId: nodeIdOf(nodeId),
      ...(indexRange === undefined ? {} : ({ indexRange } as object)),
      ...(point ? { continuationPoint: Buffer.from(point) } : {}),
    })),
  });
}

/** A time costs as much to decode as the value: the source's is the one that counts. */
export function timesOf(items: readonly { readonly serverTime: boolean }[]): TimestampsToReturn {
  const { Both, Source } = TimestampsToReturn;
  return items.some(({ serverTime }) => serverTime) ? Both : Source;
}

export function pageOf({
  statusCode,
  continuationPoint,
  historyData,
}: HistoryReadResult): HistoryPage {
  // May be null on the wire, whatever the library's types say.
  const given = continuationPoint as Uint8Array | null;
  return {
    status: statusCode,
    values: historyData instanceof HistoryData ? [...(historyData.dataValues ?? [])] : [],
    point: given && given.length > 0 ? given : undefined,
  };
}
