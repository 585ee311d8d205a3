import type { DeviceEvent, EventSink } from '../../../gateway/contract/index.js';
import { wholeServer, type EventSource } from '../plan/events.js';
import type { NodeRef } from '../plan/address.js';
import type { EventField, EventFields, EventFilterTerm, UaVariant } from '../service/client.js';
import { isTime, textOf } from '../values/values.js';

/** What is asked of the server for it. */
export function onlyOf({ severity }: EventSource): EventFilterTerm | undefined {
  return severity > 1 ? { kind: 'least', field: asked.severity, value: severity } : undefined;
}

const types = { base: 'i=2041', condition: 'i=2782', ack: 'i=2881', alarm: 'i=2915' } as const;
const from = (of: string, ...path: readonly string[]): EventField => ({ of, path });

/** What is asked of each event (OPC 10000-5 and 10000-9). An empty path is the id of the condition. */
const asked = {
  id: from(types.base, 'EventId'),
  type: from(types.base, 'EventType'),
  source: from(types.base, 'SourceName'),
  time: from(types.base, 'Time'),
  text: from(types.base, 'Message'),
  severity: from(types.base, 'Severity'),
  condition: from(types.condition),
  name: from(types.condition, 'ConditionName'),
  branch: from(types.condition, 'BranchId'),
  retain: from(types.condition, 'Retain'),
  by: from(types.condition, 'ClientUserId'),
  acked: from(types.ack, 'AckedState', 'Id'),
  active: from(types.alarm, 'ActiveState', 'Id'),
} as const;
type FieldName = keyof typeof asked;
const names = Object.keys(asked) as readonly FieldName[];

export const askedFields: readonly EventField[] = Object.values(asked);

/** What the server itself has to say of events. */
export type EventWord =
  /** It has told of all conditions that stand. */
  | 'told'
  /** They must be told again. */
  | 'refresh'
  /** And events are missing. */
  | 'lost';
const words: ReadonlyMap<string, EventWord | 'begin'> = new Map([
  ['i=2787', 'begin'],
  ['i=2788', 'told'],
  ['i=2789', 'refresh'],
  ['i=3035', 'lost'],
] as const);

/** What the server itself has to say, and nothing else: it may have thousands of other events. */
export const serverItself: { readonly node: NodeRef; readonly only: EventFilterTerm } = {
  node: wholeServer,
  only: { kind: 'type', type: 'i=2130' },
};

/** The events of one node, as the server tells of them. It outlives connections if its subscription does. */
export class EventItem {
  readonly handle: number;
  readonly signature: string;
  readonly device: string;
  /** The server has said that it tells of them. */
  isMonitored = false;
  /** Undefined between two connections. */
  sink: EventSink | undefined;
  /** Keys of the conditions that were told since they are being told; undefined while they are not. */
  #standing: Set<string> | undefined;

  constructor(handle: number, signature: string, device: string) {
    this.handle = handle;
    this.signature = signature;
    this.device = device;
  }

  /** From now on, whoever stands is told. */
  beginStanding(): void {
    this.#standing = new Set();
  }

  /** All that stand were told. */
  endStanding(): void {
    if (this.#standing) this.sink?.standing([...this.#standing]);
    this.#standing = undefined;
  }

  /** Hands over what one notification brings. @returns what the server itself has to say */
  take(list: readonly EventFields[], sentAt: number): ReadonlySet<EventWord> {
    const said = new Set<EventWord>();
    const told: DeviceEvent[] = [];
    for (const fields of list) {
      const at = (name: FieldName): UaVariant | undefined => fields[names.indexOf(name)];
      const word = words.get(idOf(at('type')));
      if (word === undefined) told.push(this.#noted(eventOf(at, sentAt)));
      else if (word !== 'begin') said.add(word);
    }
    if (told.length > 0) this.sink?.events(told);
    return said;
  }

  #noted(event: DeviceEvent): DeviceEvent {
    const { condition } = event;
    if (condition?.retain) this.#standing?.add(condition.key);
    else if (condition) this.#standing?.delete(condition.key);
    return event;
  }
}

function eventOf(at: (name: FieldName) => UaVariant | undefined, sentAt: number): DeviceEvent {
  const time = at('time')?.value;
  const id = idOf(at('condition'));
  const severity = Number(at('severity')?.value);
  return {
    id: textOf(at('id')?.value),
    // Some servers put the index of a namespace before it, which moves from one start to the next.
    source: textOf(at('source')?.value).replace(/^\d+:/, ''),
    type: kindOf(idOf(at('type'))),
    severity: severity >= 1 && severity <= 1_000 ? severity : 1,
    text: textOf(at('text')?.value),
    age: isTime(time) ? Math.max(0, sentAt - time.getTime()) : NaN,
    by: textOf(at('by')?.value) || undefined,
    condition: id === '' ? undefined : conditionOf(id, at),
  };
}

function conditionOf(
  id: string,
  at: (name: FieldName) => UaVariant | undefined,
): DeviceEvent['condition'] {
  const branch = idOf(at('branch'));
  const retain = at('retain')?.value === true;
  const active = at('active')?.value;
  return {
    key: conditionKey(id, branch),
    name: textOf(at('name')?.value),
    // A condition that is no alarm is active for as long as it is of interest.
    active: typeof active === 'boolean' ? active : retain,
    acked: at('acked')?.value !== false,
    retain,
  };
}

/** What a condition, or a branch of it, is known by: an id may hold every character, blanks too. */
function conditionKey(id: string, branch: string): string {
  return branch === '' ? id : JSON.stringify([id, branch]);
}

/** The condition of a key: a branch is told apart by its events alone. */
export function conditionOfKey(key: string): string {
  return key.startsWith('[') ? String((JSON.parse(key) as readonly unknown[])[0]) : key;
}

/** Names of the standard's kinds of events; others are told by their ids. */
const kinds: Readonly<Record<string, string>> = {
  'i=2041': 'BaseEventType',
  'i=2130': 'SystemEventType',
  'i=2131': 'DeviceFailureEventType',
  'i=2782': 'ConditionType',
  'i=2830': 'DialogConditionType',
  'i=2881': 'AcknowledgeableConditionType',
  'i=2915': 'AlarmConditionType',
  'i=2955': 'LimitAlarmType',
  'i=9341': 'ExclusiveLimitAlarmType',
  'i=9482': 'ExclusiveLevelAlarmType',
  'i=9623': 'ExclusiveRateOfChangeAlarmType',
  'i=9764': 'ExclusiveDeviationAlarmType',
  'i=9906': 'NonExclusiveLimitAlarmType',
  'i=10060': 'NonExclusiveLevelAlarmType',
  'i=10214': 'NonExclusiveRateOfChangeAlarmType',
  'i=10368': 'NonExclusiveDeviationAlarmType',
  'i=10523': 'DiscreteAlarmType',
  'i=10637': 'OffNormalAlarmType',
  'i=10751': 'TripAlarmType',
  'i=11753': 'SystemOffNormalAlarmType',
  'i=13225': 'CertificateExpirationAlarmType',
  'i=17080': 'DiscrepancyAlarmType',
};

function kindOf(id: string): string {
  return kinds[id] ?? id;
}

/** A node id as text; empty for none. */
function idOf(variant: UaVariant | undefined): string {
  const id = textOf(variant?.value).replace(/^ns=0;/, '');
  return id === 'i=0' ? '' : id;
}
