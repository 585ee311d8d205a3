/**
 * What the driver needs of a library that speaks OPC UA. Structural, so that the library's own objects
 * fit and nothing is copied; a fake fits as well.
 */

/** A status code: the severity is in the two upper bits. */
export interface Status {
  readonly value: number;
  readonly name: string;
}

/** Numbers of the built-in types, as in OPC 10000-6. */
export const BuiltIn = {
  boolean: 1,
  sByte: 2,
  byte: 3,
  int16: 4,
  uint16: 5,
  int32: 6,
  uint32: 7,
  int64: 8,
  uint64: 9,
  float: 10,
  double: 11,
  string: 12,
  dateTime: 13,
  guid: 14,
  byteString: 15,
  xmlElement: 16,
  nodeId: 17,
  expandedNodeId: 18,
  statusCode: 19,
  qualifiedName: 20,
  localizedText: 21,
  extensionObject: 22,
} as const;

/** Numbers of the attributes of a node, as in OPC 10000-6. */
export const Attribute = {
  nodeId: 1,
  nodeClass: 2,
  eventNotifier: 12,
  value: 13,
  dataType: 14,
  accessLevel: 17,
  userAccessLevel: 18,
  userExecutable: 22,
} as const;

export interface UaVariant {
  /** Of {@link BuiltIn}. */
  readonly dataType: number;
  /** 64-bit integers as [high, low]; arrays as arrays. */
  readonly value: unknown;
  /** To be sent as an array, for a part of one. */
  readonly isArray?: boolean;
}

export interface UaValue {
  readonly value: UaVariant;
  readonly statusCode: Status;
  readonly sourceTimestamp: Date | null;
  readonly serverTimestamp: Date | null;
}

/** One attribute of one node; `nodeId` with the namespace index of this session. */
export interface ReadItem {
  readonly nodeId: string;
  readonly attributeId: number;
  readonly indexRange?: string | undefined;
}

/** What an item is read by: its value. */
export function itemOf(
  nodeId: string,
  { range }: { readonly range: string | undefined },
): ReadItem {
  return { nodeId, attributeId: Attribute.value, indexRange: range };
}

export interface MonitorItem extends ReadItem {
  /** Comes back with each notification. */
  readonly handle: number;
  /** The server's own time is asked for, too. */
  readonly serverTime: boolean;
  readonly sampling: number;
  readonly queue: number;
  readonly discardOldest: boolean;
  readonly trigger: 0 | 1 | 2;
  readonly deadband: { readonly kind: 'absolute' | 'percent'; readonly value: number } | undefined;
}

export interface Monitored {
  readonly statusCode: Status;
  readonly monitoredItemId: number;
  /** How often the server looks at the value, ms, and how many samples it keeps: its own terms. */
  readonly revisedSamplingInterval: number;
  readonly revisedQueueSize: number;
}

export interface SubscriptionTerms {
  readonly id: number;
  /** Milliseconds, as the server revised it. */
  readonly interval: number;
  readonly keepAliveCount: number;
}

/** One change of one item. */
export interface DataChange {
  readonly clientHandle: number;
  readonly value: UaValue;
}

/** A field of an event: the type that defines it (a node id of the standard), and the way to it. */
export interface EventField {
  readonly of: string;
  readonly path: readonly string[];
}

/** The fields of one event, in the order in which they were asked for. */
export type EventFields = readonly UaVariant[];

/** Which events are told: those whose field is at least so much, or those of a type (a node id of the standard). */
export type EventFilterTerm =
  | { readonly kind: 'least'; readonly field: EventField; readonly value: number }
  | { readonly kind: 'type'; readonly type: string };

/** Events of one node that a subscription is to tell of. */
export interface EventRequest {
  readonly nodeId: string;
  readonly handle: number;
  readonly queue: number;
  readonly fields: readonly EventField[];
  readonly only: EventFilterTerm | undefined;
}

/** A notification message. Without data it is a keep-alive, and `sequence` that of the next one. */
export interface Notification {
  readonly subscription: number;
  readonly sequence: number;
  readonly changes: readonly DataChange[];
  readonly events: readonly { readonly clientHandle: number; readonly fields: EventFields }[];
  /** The subscription is no more, for this reason. */
  readonly ended: Status | undefined;
  readonly isKeepAlive: boolean;
  /** The server has more to tell already. */
  readonly hasMore: boolean;
  /** It was asked for again. */
  readonly isRepeated: boolean;
  /** When the server sent it, by its own clock, Unix ms; NaN = not said. */
  readonly sentAt: number;
}

/** What a method wants as one of its arguments. */
export interface ArgumentType {
  readonly name: string;
  /** Of {@link BuiltIn}; 0 where the server does not say. */
  readonly dataType: number;
  readonly isArray: boolean;
}

export interface CallResult {
  readonly status: Status;
  /** What is wrong with each argument; empty where nothing is. */
  readonly inputs: readonly Status[];
}

export interface Ack {
  readonly subscriptionId: number;
  readonly sequenceNumber: number;
}

export interface PathTarget {
  readonly nodeId: string | undefined;
  readonly statusCode: Status;
}

/** The history of one node, between two times of the server, Unix ms. */
export interface HistoryItem {
  readonly nodeId: string;
  readonly indexRange: string | undefined;
  /** As in {@link MonitorItem}. */
  readonly serverTime: boolean;
  readonly from: number;
  readonly to: number;
  /** Where the page before ended. */
  readonly point: Uint8Array | undefined;
}

export interface HistoryPage {
  readonly status: Status;
  readonly values: UaValue[];
  /** Set when there is more. */
  readonly point: Uint8Array | undefined;
}

/** A node below another one. */
export interface Child {
  readonly nodeId: string;
  readonly name: string;
  readonly ns: number;
  readonly kind: 'object' | 'variable' | 'method';
}

/** A session on a live connection. Rejections are GatewayErrors. */
export interface UaSession {
  readonly url: string;
  /** How long the server keeps it without a word of ours, ms. */
  readonly timeout: number;
  namespaces: () => Promise<readonly string[]>;
  /** Browse paths from the Objects folder, names with namespace indexes. */
  translate: (
    paths: readonly (readonly { ns: number; name: string }[])[],
  ) => Promise<readonly PathTarget[]>;
  read: (items: readonly ReadItem[]) => Promise<readonly UaValue[]>;
  write: (item: ReadItem, value: UaVariant) => Promise<Status>;
  /** What lies below a node in the tree, at most `most` of them. */
  browse: (nodeId: string, most: number) => Promise<readonly Child[]>;
  /** Ids of properties of nodes, by node and name; undefined where a node has none of that name. */
  properties: (
    nodeIds: readonly string[],
    names: readonly string[],
  ) => Promise<readonly (readonly (string | undefined)[])[]>;
  /** Has the server prepare for nodes that are asked for often. @returns ids to use instead, in this session */
  register: (nodeIds: readonly string[]) => Promise<readonly string[]>;
  argumentsOf: (method: string) => Promise<readonly ArgumentType[]>;
  call: (object: string, method: string, given: readonly UaVariant[]) => Promise<CallResult>;
  createSubscription: (
    interval: number,
    keepAliveCount: number,
    lifetimeCount: number,
  ) => Promise<SubscriptionTerms>;
  monitor: (subscription: number, items: readonly MonitorItem[]) => Promise<readonly Monitored[]>;
  monitorEvents: (subscription: number, request: EventRequest) => Promise<Monitored>;
  /** @param event identity of an event, hexadecimal */
  acknowledge: (condition: string, event: string, comment: string) => Promise<Status>;
  /** Has the server tell again which conditions stand, framed by two events. */
  refreshConditions: (subscription: number) => Promise<CallResult>;
  /**
   * What a server remembers of some nodes, oldest first.
   * @param most samples of each node; 0 = none, give the points back
   */
  history: (
    items: readonly HistoryItem[],
    most: number,
  ) => Promise<{ readonly pages: readonly HistoryPage[]; readonly sentAt: number }>;
  publish: (acks: readonly Ack[]) => Promise<Notification>;
  /** Undefined when the server has it no more. */
  republish: (subscription: number, sequence: number) => Promise<Notification | undefined>;
  deleteSubscriptions: (ids: readonly number[]) => Promise<void>;
}

/** A connection with its session. */
export interface UaConnection {
  readonly session: UaSession;
  /** The session is the one from before, with its subscriptions. */
  readonly resumed: boolean;
  /** Called once when the connection breaks. */
  onLost: (handler: (why: Error) => void) => void;
  /**
   * Closes the connection.
   * @param session close the session too; otherwise it is kept, to be resumed
   */
  close: (session: boolean) => Promise<void>;
}
