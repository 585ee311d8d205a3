import {
  DataChangeFilter,
  DataChangeTrigger,
  DataType,
  DeadbandType,
  MonitoringMode,
  Variant,
  VariantArrayType,
  type ReadValueIdOptions,
} from 'node-opcua-client';
import type { MonitorItem, ReadItem, UaVariant } from './client.js';

/** Requests in the terms of the library. */

const objectsFolder = 'i=85';
export const hierarchical = 'i=33';
const hasProperty = 'i=46';

export function valueIdOf({ nodeId, attributeId, indexRange }: ReadItem): ReadValueIdOptions {
  if (indexRange === undefined) return { nodeId, attributeId };
  // The library takes the text too, and its type says otherwise.
  return { nodeId, attributeId, indexRange } as unknown as ReadValueIdOptions;
}

export function variantTo({ dataType, value, isArray }: UaVariant): Variant {
  const arrayType = isArray === true ? VariantArrayType.Array : VariantArrayType.Scalar;
  const name = DataType[dataType] as keyof typeof DataType;
  return new Variant({ dataType: DataType[name], arrayType, value });
}

export function browsePathOf(steps: readonly { ns: number; name: string }[]): {
  startingNode: string;
  relativePath: object;
} {
  return {
    startingNode: objectsFolder,
    relativePath: {
      elements: steps.map(({ ns, name }) => ({
        referenceTypeId: hierarchical,
        isInverse: false,
        includeSubtypes: true,
        targetName: { namespaceIndex: ns, name },
      })),
    },
  };
}

export function propertyPathOf(
  startingNode: string,
  name: string,
): { startingNode: string; relativePath: object } {
  const element = {
    referenceTypeId: hasProperty,
    isInverse: false,
    includeSubtypes: true,
    targetName: { namespaceIndex: 0, name },
  };
  return { startingNode, relativePath: { elements: [element] } };
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
