import {
  findBasicDataType,
  MonitoringMode,
  readOperationLimits,
  TimestampsToReturn,
  type DataValue,
  type WriteValueOptions,
} from 'node-opcua-client';
import { GatewayError } from '../../../gateway/contract/index.js';
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
} from '../service/client.js';
import { faultOf, guarded } from '../service/failures.js';
import { browse } from './browse.js';
import { eventFilterOf } from './events.js';
import { historyRequest, pageOf, timesOf } from './history.js';
import { idText, nodeIdOf } from './ids.js';
import { publish, republish, type RawSession } from './publish.js';
import {
  browsePathOf,
  propertyPathOf,
  requestOf,
  valueIdOf,
  variantTo,
  type PathRequest,
} from './requests.js';
import { answered, notMonitored, refusedValue, statusOfFailure, targetOf } from './results.js';
import { decodeStructures, structuresIn } from './structures.js';
import type { RequestSizes } from './sizes.js';

const conditionType = 'i=2782';
const conditionRefresh = 'i=3875';
const acknowledge = 'i=9111';

export type { RawSession } from './publish.js';

/** A session of the library as the driver sees it. Every rejection is a GatewayError. */
export class LibrarySession implements UaSession {
  readonly url: string;
  readonly raw: RawSession;
  readonly #today: Date;
  readonly #sizes: RequestSizes;
  #uris: readonly string[] = [];
  /** The longest silence between two keep-alives of a subscription, ms. */
  #slowestBeat = 0;

  /** @param today any date: those that a request needs are made of it */
  constructor(url: string, raw: RawSession, today: Date, sizes: RequestSizes) {
    this.url = url;
    this.raw = raw;
    this.#today = today;
    this.#sizes = sizes;
  }

  get timeout(): number {
    return this.raw.timeout;
  }

  #dateOf(ms: number): Date {
    const date = structuredClone(this.#today);
    date.setTime(ms);
    return date;
  }

  /** Asks the server for its limits; of one that does not say, they are found out. */
  async learnLimits(): Promise<void> {
    const said = await readOperationLimits(this.raw).catch(() => undefined);
    this.#sizes.said('read', said?.maxNodesPerRead);
    this.#sizes.said('monitor', said?.maxMonitoredItemsPerCall);
    this.#sizes.said('register', said?.maxNodesPerRegisterNodes);
    this.#sizes.said('translate', said?.maxNodesPerTranslateBrowsePathsToNodeIds);
    this.#sizes.said('history', said?.maxNodesPerHistoryReadData);
  }

  async namespaces(): Promise<readonly string[]> {
    this.#uris = await guarded(() => this.raw.readNamespaceArray());
    return this.#uris;
  }

  translate(
    paths: readonly (readonly { ns: number; name: string }[])[],
  ): Promise<readonly PathTarget[]> {
    return this.#targets(paths.map(browsePathOf));
  }

  /** Ids of properties of nodes, by node and name; undefined where a node has none of that name. */
  async properties(
    nodeIds: readonly string[],
    names: readonly string[],
  ): Promise<readonly (readonly (string | undefined)[])[]> {
    const paths = nodeIds.flatMap((id) => names.map((name) => propertyPathOf(id, name)));
    const targets = await this.#targets(paths);
    return nodeIds.map((_, at) =>
      targets.slice(at * names.length, (at + 1) * names.length).map(({ nodeId }) => nodeId),
    );
  }

  #targets(paths: readonly PathRequest[]): Promise<readonly PathTarget[]> {
    return this.#sizes.each(
      'translate',
      paths,
      (some) =>
        guarded(async () => {
          const results = await this.raw.translateBrowsePath([...some]);
          return results.map((result) => targetOf(result, this.#uris));
        }),
      (why) => ({ statusCode: statusOfFailure(why), nodeId: undefined }),
    );
  }

  read(items: readonly ReadItem[]): Promise<readonly UaValue[]> {
    return this.#sizes.each<ReadItem, UaValue>(
      'read',
      items,
      (some) =>
        guarded(async () => {
          const values: DataValue[] = await this.raw.read(some.map(valueIdOf));
          await decodeStructures(this.raw, structuresIn(values));
          return values;
        }),
      refusedValue,
    );
  }

  write(item: ReadItem, value: UaVariant): Promise<Status> {
    // No time stamps: many servers refuse a write that brings some.
    const request: WriteValueOptions = { ...valueIdOf(item), value: { value: variantTo(value) } };
    return answered(
      () => this.raw.write(request),
      (status) => status,
    );
  }

  async register(nodeIds: readonly string[]): Promise<readonly string[]> {
    const given = await this.#sizes.each<string, string | undefined>(
      'register',
      nodeIds,
      (some) => guarded(async () => (await this.raw.registerNodes(some.map(nodeIdOf))).map(idText)),
      () => undefined,
    );
    return given.map((id, at) => id ?? (nodeIds[at] as string));
  }

  argumentsOf(method: string): Promise<readonly ArgumentType[]> {
    return guarded(async () => {
      const { inputArguments } = await this.raw.getArgumentDefinition(nodeIdOf(method));
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
    return answered<CallResult>(
      async () => {
        const { statusCode, inputArgumentResults } = await this.raw.call({
          objectId: nodeIdOf(objectId),
          methodId: nodeIdOf(methodId),
          inputArguments: given.map(variantTo),
        });
        return { status: statusCode, inputs: inputArgumentResults ?? [] };
      },
      (status) => ({ status, inputs: [] }),
    );
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
      const beat = made.revisedPublishingInterval * made.revisedMaxKeepAliveCount;
      this.#slowestBeat = Math.max(this.#slowestBeat, beat);
      return {
        id: made.subscriptionId,
        interval: made.revisedPublishingInterval,
        keepAliveCount: made.revisedMaxKeepAliveCount,
      };
    });
  }

  monitor(subscriptionId: number, items: readonly MonitorItem[]): Promise<readonly Monitored[]> {
    return this.#sizes.each<MonitorItem, Monitored>(
      'monitor',
      items,
      (some) =>
        guarded(async () => {
          const { results } = await this.raw.createMonitoredItems({
            subscriptionId,
            timestampsToReturn: timesOf(some),
            itemsToCreate: some.map(requestOf),
          });
          return results ?? [];
        }),
      (why) => notMonitored(statusOfFailure(why)),
    );
  }

  monitorEvents(subscriptionId: number, request: EventRequest): Promise<Monitored> {
    return answered(async () => {
      const { results } = await this.raw.createMonitoredItems({
        subscriptionId,
        timestampsToReturn: TimestampsToReturn.Neither,
        itemsToCreate: [
          {
            itemToMonitor: {
              nodeId: nodeIdOf(request.nodeId),
              attributeId: Attribute.eventNotifier,
            },
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
      if (!made) throw new GatewayError('bad-frame', 'the server did not answer for the item');
      return made;
    }, notMonitored);
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

  async history(
    items: readonly HistoryItem[],
    most: number,
  ): Promise<{ pages: readonly HistoryPage[]; sentAt: number }> {
    let sentAt = NaN;
    const pages = await this.#sizes.each<HistoryItem, HistoryPage>(
      'history',
      items,
      async (some) => {
        const page = (samples: number): Promise<readonly HistoryPage[]> =>
          guarded(async () => {
            const request = historyRequest(some, Math.min(most, samples), (ms) => this.#dateOf(ms));
            const { responseHeader, results } = await this.raw.historyRead(request);
            if (responseHeader.serviceResult.isNotGood())
              throw faultOf({ response: { responseHeader } });
            sentAt = responseHeader.timestamp?.getTime() ?? NaN;
            return (results ?? []).map(pageOf);
          });
        // Fewer nodes first; of one alone, fewer samples.
        return some.length > 1 ? page(most) : this.#sizes.shortened('samples', page);
      },
      (why) => ({ status: statusOfFailure(why), values: [], point: undefined }),
    );
    return { sentAt, pages };
  }

  publish(acks: readonly Ack[]): Promise<Notification> {
    return publish(this.raw, acks, this.#slowestBeat);
  }

  republish(subscription: number, sequence: number): Promise<Notification | undefined> {
    return republish(this.raw, subscription, sequence);
  }

  /** What lies below a node in the tree, at most `most` of them. */
  browse(nodeId: string, most: number): Promise<readonly Child[]> {
    return this.#sizes.shortened('browse', (atOnce) => {
      this.raw.requestedMaxReferencesPerNode = atOnce;
      return browse(this.raw, nodeId, most, this.#uris);
    });
  }

  deleteSubscriptions(ids: readonly number[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.raw.deleteSubscriptions({ subscriptionIds: [...ids] }, (error) =>
        error ? reject(faultOf(error)) : resolve(),
      );
    });
  }
}
