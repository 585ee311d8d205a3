import {
  AttributeIds,
  ContentFilter,
  DataType,
  EventFilter,
  FilterOperator,
  LiteralOperand,
  QualifiedName,
  resolveNodeId,
  SimpleAttributeOperand,
  type EventNotificationList,
} from 'node-opcua-client';
import { type EventField, type EventFields, type EventRequest } from './client.js';

/** Events in the terms of the library. */

function operandOf({ of, path }: EventField): SimpleAttributeOperand {
  return new SimpleAttributeOperand({
    typeDefinitionId: resolveNodeId(of),
    browsePath: path.map((name) => new QualifiedName({ namespaceIndex: 0, name })),
    // Nothing on the way: the id of the thing itself.
    attributeId: path.length === 0 ? AttributeIds.NodeId : AttributeIds.Value,
  });
}

/** What the server is asked for: these fields, of events that are severe enough. */
export function eventFilterOf({ fields, severity }: EventRequest): EventFilter {
  const selectClauses = fields.map(operandOf);
  if (!severity) return new EventFilter({ selectClauses, whereClause: new ContentFilter({}) });
  const least = new LiteralOperand({ value: { dataType: DataType.UInt16, value: severity.least } });
  const whereClause = new ContentFilter({
    elements: [
      {
        filterOperator: FilterOperator.GreaterThanOrEqual,
        filterOperands: [operandOf(severity.field), least],
      },
    ],
  });
  return new EventFilter({ selectClauses, whereClause });
}

export function eventsIn(
  list: EventNotificationList,
): readonly { clientHandle: number; fields: EventFields }[] {
  return (list.events ?? []).map(({ clientHandle, eventFields }) => ({
    clientHandle,
    fields: eventFields ?? [],
  }));
}
