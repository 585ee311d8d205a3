import {
  DataChangeFilter,
  DataChangeTrigger,
  DataType,
  DeadbandType,
  MonitoringMode,
  Variant,
  VariantArrayType,
  type NodeId,
  type ReadValueIdOptions,
} from 'node-opcua-client';
import type { MonitorItem, ReadItem, UaVariant } from '../service/client.js';
import { nodeIdOf } from './ids.js';

/** Requests in the terms of the library. */

const objectsFolder = nodeIdOf('i=85');
export const hierarchical: NodeId = nodeIdOf('i=33');
const hasProperty = nodeIdOf('i=46');

export function valueIdOf({ nodeId: id, attributeId, indexRange }: ReadItem): ReadValueIdOptions {
  const nodeId = nodeIdOf(id);
  if (indexRange === undefined) return { nodeId, attributeId };
  // The library takes the text too, and its type says otherwise.
  return { nodeId, attributeId, indexRange } as unknown as ReadValueIdOptions;
}

export function variantTo({ dataType, value, isArray }: UaVariant): Variant {
  const arrayType = isArray === true ? VariantArrayType.Array : VariantArrayType.Scalar;
  const name = DataType[dataType] as keyof typeof DataType;
  return new Variant({ dataType: DataType[name], arrayType, value });
}

/** By browse names, from the Objects folder. */
export function browsePathOf(steps: readonly Step[]): PathRequest {
  return pathOf(objectsFolder, hierarchical, steps);
}

export function propertyPathOf(node: string, name: string): PathRequest {
  return pathOf(nodeIdOf(node), hasProperty, [{ ns: 0, name }]);
}

interface Step {
  readonly ns: number;
  readonly name: string;
}
export interface PathRequest {
  readonly startingNode: NodeId;
  readonly relativePath: object;
}

function pathOf(
  startingNode: NodeId,
  referenceTypeId: NodeId,
  steps: readonly Step[],
): PathRequest {
  const elements = steps.map(({ ns, name }) => ({
    referenceTypeId,
    isInverse: false,
    includeSubtypes: true,
    targetName: { namespaceIndex: ns, name },
  }));
  return { startingNode, relativePath: { elements } };
}

export function requestOf(item: MonitorItem): object {
  const { handle, sampling, queue, discardOldest } = item;
  return {
    itemToMonitor: valueIdOf(item),
    monitoringMode: MonitoringMode.Reporting,
    requestedParameters: {
      clientHandle: handle,
      samplingInterval: sampling,
      queueSize: queue,
      discardOldest,
      filter: filterOf(item),
    },
  };
}

function filterOf({ trigger, deadband }: MonitorItem): DataChangeFilter | null {
  if (trigger === 1 && !deadband) return null;
  const kinds = { absolute: DeadbandType.Absolute, percent: DeadbandType.Percent };
  return new DataChangeFilter({
    trigger:
      [
        DataChangeTrigger.Status,
        DataChangeTrigger.StatusValue,
        DataChangeTrigger.StatusValueTimestamp,
      ][trigger] ?? DataChangeTrigger.StatusValue,
    deadbandType: deadband ? kinds[deadband.kind] : DeadbandType.None,
    deadbandValue: deadband?.value ?? 0,
  });
}
