import {
  asGatewayError,
  GatewayError,
  ms,
  Quality,
  type DeviceOutcome,
  type DurationMs,
  type DriverEvent,
  type EventSink,
  type Log,
  type ReadGroup,
  type SubscriptionSink,
} from '../../../gateway/contract/index.js';
import { longestSilence, type NodeRef, type OpcuaAddress } from '../plan/address.js';
import { Backfill, type Backlog } from './backfill.js';
import {
  itemOf,
  type EventFilterTerm,
  type Notification,
  type SubscriptionTerms,
  type UaSession,
} from '../service/client.js';
import type { OpcuaConfig } from '../plan/config.js';
import type { EventSource } from '../plan/events.js';
import { askedFields, EventItem, onlyOf, serverItself } from './events.js';
import { Item, ItemSet, Outgoing, signatureOf, tellBad } from './items.js';
import type { Methods } from './methods.js';
import { monitor } from './monitoring.js';
import type { Nodes } from '../nodes/nodes.js';
import { Publisher } from './publisher.js';
import { orAnswer } from '../service/failures.js';
import type { Asked, Refusals } from '../nodes/refusals.js';
import type { Remarks, Tell } from '../nodes/remarks.js';
import { isBad, isRefusal } from '../service/status.js';

/** The server keeps a subscription whose client is silent for so many of its keep-alives. */
const lifetimeInKeepAlives = 20;
/** Events that the server keeps between two notifications. */
const eventQueue = 1_000;

/** What outlives a connection, because the server keeps it. */
export interface Kept {
  readonly session: UaSession;
  readonly nodes: Nodes;
  /** By publishing interval. */
  readonly subscriptions: Map<number, ItemSet>;
  readonly remarks: Remarks;
  readonly refusals: Refusals;
}

export interface SubscriptionsOptions {
  readonly config: OpcuaConfig;
  readonly log: Log;
  readonly kept: Kept;
  readonly backlog: Backlog;
  readonly tell: Tell;
  count: (event: DriverEvent, device: string, times?: number) => void;
  onTrouble: (error: GatewayError) => void;
  /** The server has said something, if only that it is there. */
  onWord: () => void;
}

/** The subscriptions of one connection: what the server tells by itself, and what was missed of it. */
export class Subscriptions {
  /** The server has told something on this connection. */
  heard = false;
  readonly #o: SubscriptionsOptions;
  readonly #publisher: Publisher;
  readonly #backfill: Backfill;
  #stopped = false;

  constructor(options: SubscriptionsOptions) {
    this.#o = options;
    const { kept, log, backlog } = options;
    const { session } = kept;
    this.#publisher = new Publisher({
      session,
      onNotification: ({ id }, notification) => this.#deliver(this.#setOf(id), notification),
      onHole: ({ id }, count) => void this.#refresh(this.#setOf(id), count),
      onTrouble: (error) => options.onTrouble(error),
    });
    this.#backfill = new Backfill({
      session,
      log,
      backlog,
      onLost: (device) => options.count('lost', device),
    });
  }

  /** Of the subscriptions that are taken up again, drops those that the server no longer has. */
  async forgetEnded(): Promise<void> {
    const { session, subscriptions } = this.#o.kept;
    for (const [interval, { server }] of subscriptions) {
      try {
        const again = await orAnswer(session.republish(server.id, server.safe));
        if (!(again instanceof GatewayError)) continue;
        // What it does not tell again cannot be gone on with: it is made anew.
        await this.#drop(server.id);
      } catch (thrown) {
        // Only if the server says so: after a time-out it may still have it.
        if (!/BadSubscriptionIdInvalid|BadNoSubscription/.test(asGatewayError(thrown).message))
          throw thrown;
      }
      subscriptions.delete(interval);
    }
  }

  /** Has the server tell of these tags. @returns positions of those that it refuses, told as bad */
  async subscribe(
    { tags }: ReadGroup<OpcuaAddress>,
    sink: SubscriptionSink,
    methods: Methods,
  ): Promise<readonly number[]> {
    const { session, nodes } = this.#o.kept;
    const ids = await nodes.find(tags.map(({ address }) => address.node));
    const set = await this.#subscription(
      tags[0]?.address.subscription?.publishing ?? this.#o.config.publishing,
    );
    this.#refuseWhenStopped();
    if (set instanceof GatewayError) return this.#refuseAll(tags, new Outgoing(sink), set);
    // From here on nothing waits for the server until all that was kept is taken up, by whoever asked in the
    // same turn: what the server kept comes as soon as anybody publishes.
    const out = new Outgoing(sink);
    set.listen(out);
    this.#tellTerms(set, sink, tags[0]?.device);
    const kept = new Map(set.unclaimed.map((item) => [item.signature, item]));
    const refused: number[] = [];
    const asked: Asked[] = [];
    const items: Item[] = [];
    const fresh: Item[] = [];
    tags.forEach(({ name, address, device }, position) => {
      if (address.method) {
        methods.listen(name, out, position);
        return;
      }
      const nodeId = ids[position];
      if (nodeId === undefined) {
        refused.push(position);
        asked.push({ name, device, why: nodes.whyNot(address.node), isLasting: true });
        tellBad(out, position, Quality.configuration);
        return;
      }
      const signature = signatureOf(nodeId, address);
      const known = kept.get(signature);
      kept.delete(signature);
      const item = known ?? set.add((handle) => new Item(handle, nodeId, address));
      Object.assign(item, { name, device, out, position });
      items.push(item);
      // What was lost on the way is told again by the server, in its order.
      if (known && set.isSafe(known)) set.retellLater(known);
      if (!known) {
        if (this.#o.config.backfill) item.toldUntil = this.#o.backlog.told.get(item.key) ?? NaN;
        fresh.push(item);
      }
    });
    const watched = await monitor(session, set, fresh);
    this.#refuseWhenStopped();
    refused.push(...watched.refused);
    this.#tellRefusals([...asked, ...watched.asked]);
    for (const { device, about, text } of watched.shortfalls)
      this.#o.kept.remarks.say(this.#o.tell, device, about, text);
    if (refused.length === tags.length) set.unlisten(out);
    this.#publisher.add(set.server);
    if (this.#o.config.backfill) this.#backfill.resume(items);
    return refused;
  }

  /** The server makes no subscription for them. */
  #refuseAll(
    tags: ReadGroup<OpcuaAddress>['tags'],
    out: Outgoing,
    { message: why }: GatewayError,
  ): readonly number[] {
    this.#tellRefusals(tags.map(({ name, device }) => ({ name, device, why, isLasting: true })));
    for (const position of tags.keys()) tellBad(out, position, Quality.device);
    return [...tags.keys()];
  }

  /** The terms are the server's: what it did not keep to is said, and silence is measured by them. */
  #tellTerms(
    set: ItemSet,
    sink: { revised?: (alive: DurationMs) => void },
    device: string | undefined,
  ): void {
    const { config, kept, tell } = this.#o;
    if (set.alive > longestSilence(config, set.interval)) sink.revised?.(set.alive);
    if (device === undefined) return;
    const say = (about: string, text: string | undefined): void =>
      kept.remarks.say(tell, device, `${about} ${String(set.interval)}`, text);
    say('publishing', set.slowness);
    const { timeout } = kept.session;
    const isShort = timeout < config.sessionTimeout;
    say(
      'session',
      isShort
        ? `the server keeps a session that is lost for ${String(timeout)} ms only`
        : undefined,
    );
  }

  #tellRefusals(asked: readonly Asked[]): void {
    const { tell, kept } = this.#o;
    kept.refusals.heard(asked, tell, kept.remarks);
  }

  /** Has the server tell of the events of a node, and at once of all conditions that stand. */
  async listen(device: string, from: EventSource, sink: EventSink): Promise<DeviceOutcome> {
    const set = await this.#subscription(this.#o.config.publishing);
    if (set instanceof GatewayError) return { ok: false, code: set.message };
    this.#tellTerms(set, sink, device);
    const outcome = await this.#monitorEvents(set, device, from.node, onlyOf(from), sink);
    if (!outcome.ok) return outcome;
    // When all that stand were told, servers say to nobody but who listens to themselves.
    const { node, only } = serverItself;
    const end = await this.#monitorEvents(set, device, node, only, undefined);
    if (!end.ok)
      this.#o.log.info('the server does not say when it has told all alarms', { why: end.code });
    this.#publisher.add(set.server);
    await this.#tellStanding(set);
    return outcome;
  }

  async #monitorEvents(
    set: ItemSet,
    device: string,
    node: NodeRef,
    only: EventFilterTerm | undefined,
    sink: EventSink | undefined,
  ): Promise<DeviceOutcome> {
    const { session, nodes } = this.#o.kept;
    const [nodeId] = await nodes.find([node]);
    this.#refuseWhenStopped();
    if (nodeId === undefined) return { ok: false, code: nodes.whyNot(node) };
    const signature = JSON.stringify([nodeId, only, sink ? device : null]);
    const known = set.eventItem(signature);
    if (known) {
      known.sink = sink;
      return { ok: true };
    }
    const item = set.addEvents((handle) => new EventItem(handle, signature, device));
    item.sink = sink;
    const { statusCode } = await session.monitorEvents(set.server.id, {
      nodeId,
      handle: item.handle,
      queue: eventQueue,
      fields: askedFields,
      only,
    });
    this.#refuseWhenStopped();
    item.isMonitored = !isBad(statusCode.value);
    if (item.isMonitored) return { ok: true };
    set.removeEvents(item);
    return { ok: false, code: statusCode.name };
  }

  /** What goes on after the connection is gone must not touch what is kept for the next one. */
  #refuseWhenStopped(): void {
    if (this.#stopped) throw new GatewayError('link-closed', 'the connection is closed');
  }

  /** Nothing is told any more; what may be told after the next connection is noted. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#publisher.stop();
    this.#backfill.stop();
    const { kept, backlog, config } = this.#o;
    for (const set of kept.subscriptions.values()) {
      for (const item of config.backfill ? set.all : []) {
        const until = set.isSafe(item) ? item.toldUntil : item.safeUntil;
        if (!Number.isNaN(until)) backlog.told.set(item.key, until);
      }
      set.release();
    }
  }

  #deliver(set: ItemSet | undefined, notification: Notification): Promise<void> | undefined {
    this.heard = true;
    this.#o.onWord();
    this.#o.kept.remarks.repeat(this.#o.tell, notification.sentAt);
    if (!set) return undefined;
    const again = set.standing.next();
    const said = set.deliver(notification, {
      onBad: ({ name, device }, status) =>
        this.#tellRefusals([{ name, device, why: status?.name, isLasting: isRefusal(status) }]),
      onOverflow: ({ device }) => this.#o.count('lost', device),
      onHole: (item, from, to) => {
        if (this.#o.config.backfill) this.#backfill.add(item, from, to);
      },
    });
    for (const { item, word } of said) {
      if (word === 'told') set.standing.ended();
      else if (word === 'lost') this.#o.count('lost', item.device);
    }
    if (again || said.some(({ word }) => word !== 'told'))
      this.#tellStanding(set).catch((thrown: unknown) => this.#trouble(thrown));
    return set.confirmed();
  }

  #trouble(thrown: unknown): void {
    this.#o.onTrouble(asGatewayError(thrown));
  }

  #setOf(id: number): ItemSet | undefined {
    for (const set of this.#o.kept.subscriptions.values()) if (set.server.id === id) return set;
    return undefined;
  }

  /** The server's subscription of this interval: the one from before, or a new one; or why it makes none. */
  async #subscription(interval: number): Promise<ItemSet | GatewayError> {
    const { config, kept } = this.#o;
    const { subscriptions } = kept;
    const known = subscriptions.get(interval);
    if (known) return known;
    const made = await this.#make(interval);
    if (made instanceof GatewayError) return made;
    // Two groups may have asked at the same time.
    const meanwhile = subscriptions.get(interval);
    if (meanwhile) {
      await this.#drop(made.id);
      return meanwhile;
    }
    const beat = made.interval * made.keepAliveCount;
    const set = new ItemSet(
      { id: made.id, expected: 1, safe: 1 },
      {
        asked: ms(interval),
        interval: made.interval,
        alive: longestSilence(config, ms(interval), beat),
      },
    );
    subscriptions.set(interval, set);
    return set;
  }

  /** A server that keeps it all the same tells of what nobody listens to. */
  async #drop(id: number): Promise<void> {
    await orAnswer(this.#o.kept.session.deleteSubscriptions([id]));
  }

  #make(interval: number): Promise<SubscriptionTerms | GatewayError> {
    const { config, kept } = this.#o;
    const keepAlives = Math.max(1, Math.floor(config.keepAlive / interval));
    const lifetime = Math.ceil(config.sessionTimeout / interval);
    return orAnswer(
      kept.session.createSubscription(
        interval,
        keepAlives,
        Math.max(keepAlives * lifetimeInKeepAlives, lifetime),
      ),
    );
  }

  /** Conditions that stand are told again, framed: those that are not among them do not stand. */
  async #tellStanding(set: ItemSet): Promise<void> {
    const { session } = this.#o.kept;
    if (!set.standing.begin()) return;
    try {
      const { status } = await session.refreshConditions(set.server.id);
      if (isBad(status.value)) throw new GatewayError('device-refused', status.name);
    } catch (thrown) {
      set.standing.abandon();
      const { kind, message } = asGatewayError(thrown);
      if (kind === 'timeout' || kind === 'link') throw thrown;
      // A server with events need not have alarms.
      this.#o.log.info('the server does not tell which alarms stand', { why: message });
    }
  }

  /** Notifications are lost: what changed meanwhile is not known, so all values are read anew. */
  async #refresh(set: ItemSet | undefined, count: number): Promise<void> {
    if (!set) return;
    const items = set.all.filter(({ out }) => out);
    this.#o.log.warn('notifications of the server are lost', { count });
    for (const device of set.devices) this.#o.count('lost', device, count);
    try {
      const { session } = this.#o.kept;
      const values = await session.read(
        items.map(({ nodeId, address }) => itemOf(nodeId, address)),
      );
      const changes = items.flatMap(({ handle }, at) => {
        const value = values[at];
        return value ? [{ clientHandle: handle, value }] : [];
      });
      for (const item of items) item.isWhole = false;
      void this.#deliver(set, { ...nothingNew, subscription: set.server.id, changes });
      if (set.hasEvents) await this.#tellStanding(set);
    } catch (thrown) {
      this.#trouble(thrown);
    }
  }
}

/** A notification that nobody sent. */
const nothingNew = {
  sequence: 0,
  events: [],
  ended: undefined,
  isKeepAlive: false,
  // What waits behind a hole is not told yet.
  hasMore: true,
  isRepeated: true,
  sentAt: NaN,
} as const;
