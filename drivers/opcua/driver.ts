import {
  asGatewayError,
  GatewayError,
  Quality,
  type Batch,
  type Driver,
  type IsolatedContext,
  type ReadGroup,
  type ReadOutcome,
  type SubscriptionSink,
  type TagBinding,
  type Value,
  type WriteOutcome,
} from '../../gateway/contract/index.js';
import { abortError } from '../lib/abort.js';
import type { OpcuaAddress, SubscriptionAddress } from './address.js';
import type { MonitorItem, UaConnection, UaSession } from './client.js';
import type { OpcuaConfig } from './config.js';
import { Item, ItemSet, Outgoing, signatureOf, tellBad } from './items.js';
import { Nodes } from './nodes.js';
import { Publisher } from './publisher.js';
import { isBad } from './status.js';
import { readValue, variantOf, type Reading } from './values.js';

/** Attribute of a node: its value. */
const valueAttribute = 13;
/** The server keeps a subscription whose client is silent for so many of its keep-alives. */
const lifetimeInKeepAlives = 20;

/** What outlives a connection, because the server keeps it. */
export interface Kept {
  readonly session: UaSession;
  /** By publishing interval. */
  readonly subscriptions: Map<number, ItemSet>;
}

/** Opens a connection; `earlier` is the session to take up again, if it was one of this URL. */
export type Connect = (
  url: string,
  earlier: UaSession | undefined,
  signal: AbortSignal,
) => Promise<UaConnection>;

interface Online {
  readonly connection: UaConnection;
  readonly session: UaSession;
  readonly nodes: Nodes;
  readonly publisher: Publisher;
  readonly kept: Kept;
  /** Built-in type of each node that was written. */
  readonly types: Map<string, number>;
}

/** One connection to an OPC UA server, or to one of several redundant ones. */
export class OpcuaDriver implements Driver<OpcuaAddress> {
  readonly #config: OpcuaConfig;
  readonly #context: Omit<IsolatedContext, 'folder' | 'hostname' | 'today'>;
  readonly #connect: Connect;
  #online: Online | undefined;
  #onLost: ((why: GatewayError) => void) | undefined;
  #closed = false;
  #heard = false;

  constructor(
    config: OpcuaConfig,
    context: Omit<IsolatedContext, 'folder' | 'hostname' | 'today'>,
    connect: Connect,
  ) {
    this.#config = config;
    this.#context = context;
    this.#connect = connect;
  }

  async connect(signal: AbortSignal): Promise<void> {
    if (this.#givenUp(signal)) throw abortError(signal);
    const { memory } = this.#context;
    const kept = memory.get('kept') as Kept | undefined;
    const url = this.#nextUrl();
    const earlier = kept?.session.url === url ? kept.session : undefined;
    const connection = await this.#connect(url, earlier, signal);
    memory.delete('kept');
    memory.set('url', url);
    const { session, resumed } = connection;
    const now: Kept = resumed && kept ? kept : { session, subscriptions: new Map() };
    connection.onLost((why) => this.#lost(why));
    try {
      await this.#goOnline(connection, now);
      if (this.#givenUp(signal)) throw this.#closed ? closing() : abortError(signal);
    } catch (thrown) {
      this.#online = undefined;
      // A session that was taken up again holds samples: it is for the next attempt.
      if (resumed) memory.set('kept', now);
      await connection.close(!resumed);
      throw thrown;
    }
  }

  async #goOnline(connection: UaConnection, now: Kept): Promise<void> {
    const { session } = connection;
    await forgetEnded(now);
    const publisher = new Publisher({
      session,
      onNotification: ({ id }, notification) => {
        this.#heard = true;
        setOf(now, id)?.deliver(notification, (item) => this.#overflowed(item));
      },
      onHole: ({ id }, count) => void this.#refresh(session, setOf(now, id), count),
      onTrouble: (error) => this.#lost(error),
    });
    const nodes = await Nodes.of(session);
    this.#online = { connection, session, nodes, publisher, kept: now, types: new Map() };
  }

  /** The server that served last, or the next one when that did not. */
  #nextUrl(): string {
    const { memory } = this.#context;
    const { urls } = this.#config;
    const served = memory.get('url') as string | undefined;
    const tried = Number(memory.get('tried') ?? -1);
    const at = served !== undefined && urls.includes(served) ? urls.indexOf(served) : tried + 1;
    memory.delete('url');
    memory.set('tried', at % urls.length);
    return urls[at % urls.length] ?? '';
  }

  async read(
    { tags }: ReadGroup<OpcuaAddress>,
    into: Batch,
    signal: AbortSignal,
  ): Promise<ReadOutcome> {
    const { session, nodes } = this.#connected(signal);
    const ids = await settled(nodes.find(tags.map(({ address }) => address)), signal);
    const known = tags.flatMap((tag, at) => {
      const nodeId = ids[at];
      return nodeId === undefined ? [] : [{ at, nodeId, address: tag.address }];
    });
    const items = known.map(({ nodeId, address }) => itemOf(nodeId, address));
    const values = items.length > 0 ? await settled(session.read(items), signal) : [];
    into.allBad(Quality.configuration);
    const reading: Reading = { number: NaN, quality: Quality.waiting, wide: undefined };
    known.forEach(({ at, address }, i) => {
      const value = values[i];
      if (!value) return;
      readValue(value, address, reading);
      into.numberAs(at, reading.number, reading.quality);
      into.wide[at] = reading.wide;
    });
    return 'done';
  }

  async write(
    { address }: TagBinding<OpcuaAddress>,
    value: Value,
    signal: AbortSignal,
  ): Promise<WriteOutcome> {
    const online = this.#connected(signal);
    const [nodeId] = await settled(online.nodes.find([address]), signal);
    if (nodeId === undefined) return { ok: false, code: 'the server has no such node' };
    const dataType =
      online.types.get(nodeId) ?? (await settled(typeOf(online.session, nodeId), signal));
    if (dataType === undefined)
      return { ok: false, code: 'the server does not say of which type the node is' };
    online.types.set(nodeId, dataType);
    const variant = variantOf(value, dataType);
    if (!variant) return { ok: false, code: `the value does not fit the type of the node` };
    const isPart = address.range !== undefined;
    const sent = isPart ? { ...variant, value: [variant.value], isArray: true } : variant;
    const status = await settled(online.session.write(itemOf(nodeId, address), sent), signal);
    return isBad(status.value) ? { ok: false, code: status.name } : { ok: true };
  }

  async subscribe(
    { tags }: ReadGroup<OpcuaAddress>,
    sink: SubscriptionSink,
    signal: AbortSignal,
  ): Promise<readonly number[]> {
    const online = this.#connected(signal);
    const ids = await settled(online.nodes.find(tags.map(({ address }) => address)), signal);
    const interval = tags[0]?.address.subscription?.publishing ?? this.#config.publishing;
    const set = await settled(this.#subscription(online, interval), signal);
    const refused: number[] = [];
    const wanted: Item[] = [];
    const out = new Outgoing(sink);
    set.listen(out);
    const kept = new Map(set.unclaimed.map((item) => [item.signature, item]));
    tags.forEach(({ address, device }, position) => {
      const nodeId = ids[position];
      if (nodeId === undefined) {
        refused.push(position);
        tellBad(out, position, Quality.configuration);
        return;
      }
      const signature = signatureOf(nodeId, address);
      const known = kept.get(signature);
      kept.delete(signature);
      const item = known ?? set.add((handle) => new Item(handle, nodeId, address));
      Object.assign(item, { device, out, position });
      if (known) known.retell();
      else wanted.push(item);
    });
    refused.push(...(await settled(monitor(online.session, set, wanted), signal)));
    if (refused.length === tags.length) set.unlisten(out);
    online.publisher.add(set.server);
    return refused;
  }

  onLost(handler: (why: GatewayError) => void): void {
    this.#onLost = handler;
  }

  /** In doubt: the session and its subscriptions stay with the server, to be taken up again. */
  async close(why?: GatewayError): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const online = this.#online;
    this.#online = undefined;
    if (!online) return;
    const { connection, publisher, kept } = online;
    publisher.stop();
    for (const set of kept.subscriptions.values()) set.release();
    // Taken up again and still silent: the next time everything is made anew.
    const isMute = why?.code === 'subscription-silent' && connection.resumed && !this.#heard;
    if (why && !isMute) this.#context.memory.set('kept', kept);
    await connection.close(why === undefined || isMute);
  }

  #givenUp(signal: AbortSignal): boolean {
    return signal.aborted || this.#closed;
  }

  #connected(signal: AbortSignal): Online {
    if (signal.aborted) throw abortError(signal);
    if (!this.#online) throw closing();
    return this.#online;
  }

  #lost(why: Error): void {
    if (this.#closed) return;
    this.#online?.publisher.stop();
    const handler = this.#onLost;
    this.#onLost = undefined;
    handler?.(why instanceof GatewayError ? why : new GatewayError('link-closed', why.message));
  }

  /** The server's subscription of this interval: the one from before, or a new one. */
  async #subscription({ session, kept }: Online, interval: number): Promise<ItemSet> {
    const known = kept.subscriptions.get(interval);
    if (known) return known;
    const keepAlives = Math.max(1, Math.round(this.#config.keepAlive / interval));
    const made = await session.createSubscription(
      interval,
      keepAlives,
      Math.max(
        keepAlives * lifetimeInKeepAlives,
        Math.ceil(this.#config.sessionTimeout / interval),
      ),
    );
    // Two groups may have asked at the same time.
    const meanwhile = kept.subscriptions.get(interval);
    if (meanwhile) {
      await session.deleteSubscriptions([made.id]);
      return meanwhile;
    }
    const set = new ItemSet({ id: made.id, expected: 1 });
    kept.subscriptions.set(interval, set);
    return set;
  }

  #overflowed({ device }: Item): void {
    this.#context.count('lost', device);
  }

  /** Notifications are lost: what changed meanwhile is not known, so all values are read anew. */
  async #refresh(session: UaSession, set: ItemSet | undefined, count: number): Promise<void> {
    const items = (set?.all ?? []).filter(({ out }) => out);
    this.#context.log.warn('notifications of the server are lost', { count });
    for (const device of new Set(items.map((item) => item.device)))
      this.#context.count('lost', device, count);
    try {
      const values = await session.read(
        items.map(({ nodeId, address }) => itemOf(nodeId, address)),
      );
      const changes = items.flatMap(({ handle }, at) => {
        const value = values[at];
        return value ? [{ clientHandle: handle, value }] : [];
      });
      const server = set?.server.id ?? 0;
      set?.deliver(
        {
          subscription: server,
          sequence: 0,
          changes,
          ended: undefined,
          isKeepAlive: false,
          sentAt: NaN,
        },
        () => undefined,
      );
    } catch (thrown) {
      this.#lost(thrown as Error);
    }
  }
}

/** Of the subscriptions that are taken up again, drops those that the server no longer has. */
async function forgetEnded({ session, subscriptions }: Kept): Promise<void> {
  for (const [interval, { server }] of subscriptions) {
    try {
      await session.republish(server.id, server.expected);
    } catch (thrown) {
      // Only if the server says so: after a time-out it may still have it.
      if (!/BadSubscriptionIdInvalid|BadNoSubscription/.test(asGatewayError(thrown).message))
        throw thrown;
      subscriptions.delete(interval);
    }
  }
}

function setOf({ subscriptions }: Kept, id: number): ItemSet | undefined {
  for (const set of subscriptions.values()) if (set.server.id === id) return set;
  return undefined;
}

function itemOf(
  nodeId: string,
  { range }: OpcuaAddress,
): { nodeId: string; attributeId: number; indexRange: string | undefined } {
  return { nodeId, attributeId: valueAttribute, indexRange: range };
}

/** Has the server watch these items. @returns positions of those that it refuses, told as bad */
async function monitor(
  session: UaSession,
  set: ItemSet,
  items: readonly Item[],
): Promise<number[]> {
  const results = await session.monitor(set.server.id, items.map(monitorItemOf));
  return items.flatMap((item, at) => {
    const status = results[at]?.statusCode.value ?? 0x8000_0000;
    if (!isBad(status)) return [];
    set.remove(item);
    if (item.out) tellBad(item.out, item.position, Quality.configuration);
    return [item.position];
  });
}

const triggers = { status: 0, value: 1, timestamp: 2 } as const;

function monitorItemOf({ handle, nodeId, address }: Item): MonitorItem {
  const { sampling, queue, discardOldest, filter } = address.subscription as SubscriptionAddress;
  return {
    ...itemOf(nodeId, address),
    handle,
    sampling,
    queue,
    discardOldest,
    trigger: triggers[filter.trigger],
    deadband: filter.deadband,
  };
}

/** The built-in type of a node's value, as the value that it holds shows it. */
async function typeOf(session: UaSession, nodeId: string): Promise<number | undefined> {
  const [held] = await session.read([{ nodeId, attributeId: valueAttribute }]);
  const type = held?.value.dataType;
  return type === undefined || type === 0 ? undefined : type;
}

function closing(): GatewayError {
  return new GatewayError('link-closed', 'the connection is closed');
}

/** Settles with the call, or at once with the abort. */
function settled<T>(call: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(abortError(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    call.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
