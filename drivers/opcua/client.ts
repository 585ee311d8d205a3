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

export interface MonitorItem extends ReadItem {
  /** Comes back with each notification. */
  readonly handle: number;
  readonly sampling: number;
  readonly queue: number;
  readonly discardOldest: boolean;
  readonly trigger: 0 | 1 | 2;
  readonly deadband: { readonly kind: 'absolute' | 'percent'; readonly value: number } | undefined;
}

export interface Monitored {
  readonly statusCode: Status;
  readonly monitoredItemId: number;
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

/** A notification message. Without data it is a keep-alive, and `sequence` that of the next one. */
export interface Notification {
  readonly subscription: number;
  readonly sequence: number;
  readonly changes: readonly DataChange[];
  /** The subscription is no more, for this reason. */
  readonly ended: Status | undefined;
  readonly isKeepAlive: boolean;
  /** When the server sent it, by its own clock, Unix ms; NaN = not said. */
  readonly sentAt: number;
}

export interface Ack {
  readonly subscriptionId: number;
  readonly sequenceNumber: number;
}

export interface PathTarget {
  readonly nodeId: string | undefined;
  readonly statusCode: Status;
}

/** A session on a live connection. Rejections are GatewayErrors. */
export interface UaSession {
  readonly url: string;
  /** Items in one request, at most; Infinity where the server does not say. */
  readonly limits: { readonly read: number; readonly write: number; readonly monitor: number };
  namespaces(): Promise<readonly string[]>;
  /** Browse paths from the Objects folder, names with namespace indexes. */
  translate(
    paths: readonly (readonly { ns: number; name: string }[])[],
  ): Promise<readonly PathTarget[]>;
  read(items: readonly ReadItem[]): Promise<readonly UaValue[]>;
  write(item: ReadItem, value: UaVariant): Promise<Status>;
  createSubscription(
    interval: number,
    keepAliveCount: number,
    lifetimeCount: number,
  ): Promise<SubscriptionTerms>;
  monitor(subscription: number, items: readonly MonitorItem[]): Promise<readonly Monitored[]>;
  publish(acks: readonly Ack[]): Promise<Notification>;
  /** Undefined when the server has it no more. */
  republish(subscription: number, sequence: number): Promise<Notification | undefined>;
  deleteSubscriptions(ids: readonly number[]): Promise<void>;
}

/** A connection with its session. */
export interface UaConnection {
  readonly session: UaSession;
  /** The session is the one from before, with its subscriptions. */
  readonly resumed: boolean;
  /** Called once when the connection breaks. */
  onLost(handler: (why: Error) => void): void;
  /**
   * Closes the connection.
   * @param session close the session too; otherwise it is kept, to be resumed
   */
  close(session: boolean): Promise<void>;
}
