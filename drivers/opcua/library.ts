import {
  BrowseDirection,
  DataChangeNotification,
  DataType,
  EventNotificationList,
  findBasicDataType,
  MonitoringMode,
  NodeClass,
  promoteOpaqueStructure,
  PublishRequest,
  readOperationLimits,
  RepublishRequest,
  StatusChangeNotification,
  TimestampsToReturn,
  type ClientSession,
  type DataValue,
  type ClientSessionRawSubscriptionService,
  type ReferenceDescription,
  type WriteValueOptions,
  type PublishResponse,
  type RepublishResponse,
} from 'node-opcua-client';
import {
  Attribute,
  BuiltIn,
  type Ack,
  type ArgumentType,
  type CallResult,
  type Child,
  type EventRequest,
  type HistoryItem,
  type HistoryPage,
  type Monitored,
  type MonitorItem,
  type Notification,
  type PathTarget,
  type ReadItem,
  type Status,
  type SubscriptionTerms,
  type UaSession,
  type UaValue,
  type UaVariant,
} from './client.js';
import { failureOf } from './failures.js';
import { eventFilterOf, eventsIn } from './library-events.js';
import { historyRequest, pageOf, timesOf } from './library-history.js';
import {
  browsePathOf,
  hierarchical,
  propertyPathOf,
  requestOf,
  valueIdOf,
  variantTo,
} from './library-requests.js';

/** How long the server may keep a publish request; it answers with BadTimeout then, and gets another. */
const publishHintMs = 600_000;
/** Nodes in one request where the server says nothing. */
const usualBatch = 1_000;
/** Nodes whose properties are asked for in one request. */
const pathsAtOnce = 100;
const conditionType = 'i=2782';
const conditionRefresh = 'i=3875';
const acknowledge = 'i=9111';

/** The library's session with the services that its public interface leaves out. */
export interface RawSession extends ClientSession, ClientSessionRawSubscriptionService {
  publish(
    request: PublishRequest,
    done: (error: Error | null, answer?: PublishResponse) => void,
  ): void;
  republish(
    request: RepublishRequest,
    done: (error: Error | null, answer?: RepublishResponse) => void,
  ): void;
}

/** A session of the library as the driver sees it. Every rejection is a GatewayError. */
export class LibrarySession implements UaSession {
  readonly url: string;
  readonly raw: RawSession;
  readonly #today: Date;
  limits: UaSession['limits'] = { read: usualBatch, write: usualBatch, monitor: usualBatch };

  /** @param today any date: those that a request needs are made of it */
  constructor(url: string, raw: RawSession, today: Date) {
    this.url = url;
    this.raw = raw;
    this.#today = today;
  }

  #dateOf(ms: number): Date {
    const date = structuredClone(this.#today);
    date.setTime(ms);
    return date;
  }

  /** Asks the server for its limits; one that does not say gets requests of moderate size. */
  async learnLimits(): Promise<void> {
    const said = await readOperationLimits(this.raw).catch(() => undefined);
    const bound = (value: number | undefined): number =>
      value !== undefined && value > 0 ? Math.min(value, usualBatch) : usualBatch;
    this.limits = {
      read: bound(said?.maxNodesPerRead),
      write: bound(said?.maxNodesPerWrite),
      monitor: bound(said?.maxMonitoredItemsPerCall),
    };
  }

  namespaces(): Promise<readonly string[]> {
    return guarded(() => this.raw.readNamespaceArray());
  }

  translate(
    paths: readonly (readonly { ns: number; name: string }[])[],
  ): Promise<readonly PathTarget[]> {
    return guarded(async () => {
      const results = await this.raw.translateBrowsePath(paths.map(browsePathOf));
      return results.map(({ statusCode, targets }) => ({
        statusCode,
        nodeId: targets?.[0]?.targetId.toString(),
      }));
    });
  }

  /** Ids of properties of nodes, by node and name; undefined where a node has none of that name. */
  properties(
    nodeIds: readonly string[],
    names: readonly string[],
  ): Promise<readonly (readonly (string | undefined)[])[]> {
    return inBatches(nodeIds, pathsAtOnce, (some) =>
      guarded(async () => {
        const paths = some.flatMap((id) => names.map((name) => propertyPathOf(id, name)));
        const results = await this.raw.translateBrowsePath(paths);
        const ids = results.map(({ targets }) => targets?.[0]?.targetId.toString());
        return some.map((_, at) => ids.slice(at * names.length, (at + 1) * names.length));
      }),
    );
  }

  read(items: readonly ReadItem[]): Promise<readonly UaValue[]> {
    return inBatches(items, this.limits.read, (some) =>
      guarded(async () => {
        const values = await this.raw.read(some.map(valueIdOf));
        await this.#decode(values.filter(isStructure));
        return values;
      }),
    );
  }

  write(item: ReadItem, value: UaVariant): Promise<Status> {
    // No time stamps: many servers refuse a write that brings some.
    const request: WriteValueOptions = { ...valueIdOf(item), value: { value: variantTo(value) } };
    return guarded(() => this.raw.write(request));
  }

  register(nodeIds: readonly string[]): Promise<readonly string[]> {
    return inBatches(nodeIds, this.limits.read, (some) =>
      guarded(async () => (await this.raw.registerNodes([...some])).map((id) => id.toString())),
    );
  }

  argumentsOf(method: string): Promise<readonly ArgumentType[]> {
    return guarded(async () => {
      const { inputArguments } = await this.raw.getArgumentDefinition(method);
      return Promise.all(
        inputArguments.map(async ({ name, dataType, valueRank }) => ({
          name: name ?? '',
          dataType: await findBasicDataType(this.raw, dataType),
          isArray: valueRank >= 0,
        })),
      );
    });
  }

  call(objectId: string, methodId: string, given: readonly UaVariant[]): Promise<CallResult> {
    return guarded(async () => {
      const { statusCode, inputArgumentResults } = await this.raw.call({
        objectId,
        methodId,
        inputArguments: given.map(variantTo),
      });
      return { status: statusCode, inputs: inputArgumentResults ?? [] };
    });
  }

  createSubscription(
    interval: number,
    keepAliveCount: number,
    lifetimeCount: number,
  ): Promise<SubscriptionTerms> {
    return guarded(async () => {
      const made = await this.raw.createSubscription({
        requestedPublishingInterval: interval,
        requestedMaxKeepAliveCount: keepAliveCount,
        requestedLifetimeCount: lifetimeCount,
        maxNotificationsPerPublish: 0,
        publishingEnabled: true,
        priority: 0,
      });
      return {
        id: made.subscriptionId,
        interval: made.revisedPublishingInterval,
        keepAliveCount: made.revisedMaxKeepAliveCount,
      };
    });
  }

  monitor(subscriptionId: number, items: readonly MonitorItem[]): Promise<readonly Monitored[]> {
    return inBatches(items, this.limits.monitor, (some) =>
      guarded(async () => {
        const { results } = await this.raw.createMonitoredItems({
          subscriptionId,
          timestampsToReturn: timesOf(some),
          itemsToCreate: some.map(requestOf),
        });
        return results ?? [];
      }),
    );
  }

  monitorEvents(subscriptionId: number, request: EventRequest): Promise<Monitored> {
    return guarded(async () => {
      const { results } = await this.raw.createMonitoredItems({
        subscriptionId,
        timestampsToReturn: TimestampsToReturn.Neither,
        itemsToCreate: [
          {
            itemToMonitor: { nodeId: request.nodeId, attributeId: Attribute.eventNotifier },
            monitoringMode: MonitoringMode.Reporting,
            requestedParameters: {
              clientHandle: request.handle,
              samplingInterval: 0,
              queueSize: request.queue,
              discardOldest: true,
              filter: eventFilterOf(request),
            },
          },
        ],
      });
      const [made] = results ?? [];
      if (!made) throw failureOf('the server did not answer for the item');
      return made;
    });
  }

  async acknowledge(condition: string, event: string, comment: string): Promise<Status> {
    const { byteString, localizedText } = BuiltIn;
    const { status } = await this.call(condition, acknowledge, [
      { dataType: byteString, value: Buffer.from(event, 'hex') },
      { dataType: localizedText, value: { text: comment } },
    ]);
    return status;
  }

  refreshConditions(subscription: number): Promise<CallResult> {
    return this.call(conditionType, conditionRefresh, [
      { dataType: BuiltIn.uint32, value: subscription },
    ]);
  }

  history(
    items: readonly HistoryItem[],
    most: number,
  ): Promise<{ pages: readonly HistoryPage[]; sentAt: number }> {
    return guarded(async () => {
      const { responseHeader, results } = await this.raw.historyRead(
        historyRequest(items, most, (ms) => this.#dateOf(ms)),
      );
      if (responseHeader.serviceResult.isNotGood())
        throw failureOf(responseHeader.serviceResult.toString());
      return {
        sentAt: responseHeader.timestamp?.getTime() ?? NaN,
        pages: (results ?? []).map(pageOf),
      };
    });
  }

  publish(subscriptionAcknowledgements: readonly Ack[]): Promise<Notification> {
    const request = new PublishRequest({
      requestHeader: { timeoutHint: publishHintMs },
      subscriptionAcknowledgements: [...subscriptionAcknowledgements],
    });
    return new Promise((resolve, reject) => {
      this.raw.publish(request, (error, answer) => {
        if (error || !answer) reject(failureOf(error ?? 'no answer'));
        else {
          resolve(this.#received(answer.subscriptionId, answer, answer.moreNotifications));
        }
      });
    });
  }

  republish(subscription: number, sequence: number): Promise<Notification | undefined> {
    const request = new RepublishRequest({
      subscriptionId: subscription,
      retransmitSequenceNumber: sequence,
    });
    return new Promise((resolve, reject) => {
      this.raw.republish(request, (error, answer) => {
        if (answer) resolve(this.#received(subscription, answer, true));
        else if (/BadMessageNotAvailable/.test(error?.message ?? '')) resolve(undefined);
        else reject(failureOf(error ?? 'no answer'));
      });
    });
  }

  /** A notification with its structures decoded; at once where there is none. */
  async #received(
    subscription: number,
    answer: PublishResponse | RepublishResponse,
    hasMore: boolean,
  ): Promise<Notification> {
    const data = (answer.notificationMessage.notificationData ?? []).filter(
      (one) => one instanceof DataChangeNotification,
    );
    await this.#decode(data.flatMap(({ monitoredItems }) => structuresIn(monitoredItems ?? [])));
    return notificationOf(subscription, answer, hasMore);
  }

  /**
   * Decodes structures of types that the server defines itself. The first one has the library ask the
   * server for them, which takes a while; a server that does not tell leaves them undecoded.
   */
  async #decode(structures: DataValue[]): Promise<void> {
    if (structures.length > 0)
      await promoteOpaqueStructure(this.raw, structures).catch(() => undefined);
  }

  /** What lies below a node in the tree, at most `most` of them. */
  browse(nodeId: string, most: number): Promise<readonly Child[]> {
    return guarded(async () => {
      const found: ReferenceDescription[] = [];
      const browseDirection = BrowseDirection.Forward;
      let page = await this.raw.browse({
        nodeId,
        browseDirection,
        referenceTypeId: hierarchical,
        includeSubtypes: true,
        nodeClassMask: NodeClass.Object | NodeClass.Variable | NodeClass.Method,
        resultMask: 63,
      });
      for (;;) {
        if (page.statusCode.isNotGood()) throw failureOf(page.statusCode.toString());
        // Either may be null on the wire, whatever the library's types say.
        const { references, continuationPoint } = page as Partial<typeof page>;
        found.push(...(references ?? []));
        if (!continuationPoint || continuationPoint.length === 0) break;
        // A point that is not used up is given back: servers have few.
        const enough = found.length >= most;
        page = await this.raw.browseNext(continuationPoint, enough);
        if (enough) break;
      }
      return found.slice(0, most).map(childOf);
    });
  }

  deleteSubscriptions(ids: readonly number[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.raw.deleteSubscriptions({ subscriptionIds: [...ids] }, (error) =>
        error ? reject(failureOf(error)) : resolve(),
      );
    });
  }
}

function isStructure({ value }: DataValue): boolean {
  return value.dataType === DataType.ExtensionObject;
}

/** Nothing is allocated where there is none. */
function structuresIn(items: readonly { readonly value: DataValue }[]): DataValue[] {
  if (!items.some(({ value }) => isStructure(value))) return [];
  return items.map(({ value }) => value).filter(isStructure);
}

const kinds: ReadonlyMap<number, Child['kind']> = new Map<number, Child['kind']>([
  [NodeClass.Variable, 'variable'],
  [NodeClass.Method, 'method'],
]);

function childOf({ nodeId, browseName, nodeClass }: ReferenceDescription): Child {
  const { name, namespaceIndex } = browseName;
  // As people write it: the namespace of the standard needs no index.
  const id = nodeId.toString().replace(/^ns=0;/, '');
  return {
    nodeId: id,
    name: name ?? '',
    ns: namespaceIndex,
    kind: kinds.get(nodeClass) ?? 'object',
  };
}

async function guarded<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (thrown) {
    throw failureOf(thrown);
  }
}

/** One request after the other, each within the server's limit. */
async function inBatches<T, R>(
  items: readonly T[],
  size: number,
  call: (some: readonly T[]) => Promise<readonly R[]>,
): Promise<readonly R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += size)
    results.push(...(await call(items.slice(at, at + size))));
  return results;
}

/** Unix ms; undefined for a time that is not set, which comes as one of the year 1601. */
function setTime(date: Date | null): number | undefined {
  const ms = date?.getTime() ?? 0;
  return ms > 0 ? ms : undefined;
}

function notificationOf(
  subscription: number,
  answer: PublishResponse | RepublishResponse,
  hasMore: boolean,
): Notification {
  const { sequenceNumber, notificationData, publishTime } = answer.notificationMessage;
  const isRepeated = !('moreNotifications' in answer);
  const changes: { clientHandle: number; value: UaValue }[] = [];
  const events: Notification['events'][number][] = [];
  let ended: Status | undefined;
  for (const data of notificationData ?? []) {
    if (data instanceof EventNotificationList) events.push(...eventsIn(data));
    else if (data instanceof DataChangeNotification)
      for (const item of data.monitoredItems ?? []) changes.push(item);
    else if (data instanceof StatusChangeNotification) ended = data.status;
  }
  return {
    subscription,
    sequence: sequenceNumber,
    changes,
    events,
    ended,
    isKeepAlive: (notificationData?.length ?? 0) === 0,
    hasMore,
    isRepeated,
    // One that is sent again was published long ago, and what it tells is older by that much.
    sentAt: setTime(answer.responseHeader.timestamp) ?? setTime(publishTime) ?? NaN,
  };
}
