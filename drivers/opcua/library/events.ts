import {
  AttributeIds,
  ContentFilter,
  ContentFilterElement,
  DataType,
  EventFilter,
  FilterOperator,
  LiteralOperand,
  QualifiedName,
  SimpleAttributeOperand,
  type EventNotificationList,
} from 'node-opcua-client';
import {
  type EventField,
  type EventFields,
  type EventFilterTerm,
  type EventRequest,
} from '../service/client.js';
import { nodeIdOf } from './ids.js';

/** Events in the terms of the library. */

function operandOf({ of, path }: EventField): SimpleAttributeOperand {
  return new SimpleAttributeOperand({
    typeDefinitionId: nodeIdOf(of),
    browsePath: path.map((name) => new QualifiedName({ namespaceIndex: 0, name })),
    // Nothing on the way: the id of the thing itself.
    attributeId: path.length === 0 ? AttributeIds.NodeId : AttributeIds.Value,
  });
}

/** What the server is asked for: these fields, of the events that are wanted. */
export function eventFilterOf({ fields, only }: EventRequest): EventFilter {
  const elements = only ? [elementOf(only)] : [];
  return new EventFilter({
    selectClauses: fields.map(operandOf),
    whereClause: new ContentFilter({ elements }),
  });
}

function elementOf(only: EventFilterTerm): ContentFilterElement {
  if (only.kind === 'type') {
    const type = new LiteralOperand({
      value: { dataType: DataType.NodeId, value: nodeIdOf(only.type) },
    });
    return new ContentFilterElement({
      filterOperator: FilterOperator.OfType,
      filterOperands: [type],
    });
  }
  const least = new LiteralOperand({ value: { dataType: DataType.UInt16, value: only.value } });
  return new ContentFilterElement({
    filterOperator: FilterOperator.GreaterThanOrEqual,
    filterOperands: [operandOf(only.field), least],
  });
}

export function eventsIn(
  list: EventNotificationList,
): readonly { clientHandle: number; fields: EventFields }[] {
  return (list.events ?? []).map(({ clientHandle, eventFields }) => ({
    clientHandle,
    fields: eventFields ?? [],
  }));
}
