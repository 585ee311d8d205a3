import {
  AgedRows,
  groupBy,
  type DurationMs,
  type QualityCode,
  type SubscriptionSink,
} from '../../../gateway/contract/index.js';
import type { OpcuaAddress } from '../plan/address.js';
import type { Notification, Status, UaValue } from '../service/client.js';
import type { EventItem, EventWord } from './events.js';
import type { ServerSubscription } from './publisher.js';
import { Standing } from './standing.js';
import { hasOverflow, isBad } from '../service/status.js';
import { blankReading, readValue, stampOf, type Reading } from '../values/values.js';

/** Samples on their way to one sink. */
export class Outgoing extends AgedRows {
  readonly sink: SubscriptionSink;

  constructor(sink: SubscriptionSink) {
    super();
    this.sink = sink;
  }

  /** @param always also when there is nothing: then somebody is there all the same */
  send(always = false): void {
    if (always || this.count > 0) this.sink.samples(this);
    this.clear();
  }
}

/** One monitored item. It outlives connections if its subscription does. */
export class Item {
  readonly handle: number;
  readonly nodeId: string;
  readonly address: OpcuaAddress;
  /** Everything that the server was told of it, as a text. */
  readonly signature: string;
  /** What it is, for as long as the gateway runs: the same under another session, and another id. */
  readonly key: string;
  name = '';
  device = '';
  /** Who listens; undefined between two connections. */
  out: Outgoing | undefined;
  position = 0;
  /** What the server told last. */
  readonly last: Reading = blankReading();
  isTold = false;
  /** Status of its value, for as long as that is bad; 0 while it is not. */
  badStatus = 0;
  /** The server has said that it watches it. */
  isMonitored = false;
  /**
   * Source time of what the server told last, its Unix ms; NaN = nothing yet, or it does not say. (A number:
   * ten thousand dates that live until the next notification double the cost of a value.)
   */
  toldUntil: number = NaN;
  /** Number of the notification that told of it last, within its set. */
  toldIn = 0;
  /** As `toldUntil`, before the notifications that are not in safe hands. */
  safeUntil: number = NaN;
  /** Its sink is new, and what the server kept meanwhile may come before what it told last still stands. */
  mustRetell = false;
  /** False: samples before the next one were not told. */
  isWhole = false;

  constructor(handle: number, nodeId: string, address: OpcuaAddress) {
    this.handle = handle;
    this.nodeId = nodeId;
    this.address = address;
    this.signature = signatureOf(nodeId, address);
    const { node, range, field, type, aspect } = address;
    this.key = JSON.stringify([node, range, field, type, aspect]);
  }

  /** Tells what the server told last, to a sink that is new: it has told of nothing else since. */
  retell(): void {
    if (this.mustRetell && this.isTold) this.out?.tell(this.position, this.last, NaN);
    this.mustRetell = false;
  }
}

export function signatureOf(
  nodeId: string,
  { range, field, type, aspect, subscription }: OpcuaAddress,
): string {
  return JSON.stringify([nodeId, range, field, type, aspect, subscription]);
}

/** Tells a tag as bad that the server does not serve. */
export function tellBad(out: Outgoing, position: number, quality: QualityCode): void {
  out.tell(position, { number: NaN, quality, wide: undefined }, NaN);
  out.send();
}

/** What was asked for, and what the server made of it. */
interface SetTerms {
  /** How often it is to publish. */
  readonly asked: DurationMs;
  /** How often it does, ms. */
  readonly interval: number;
  readonly alive: DurationMs;
}

/** The items of one subscription of the server. */
export class ItemSet {
  readonly server: ServerSubscription;
  /** By their handle: dense, as handles are counted from zero in each set. */
  readonly #items: (Item | undefined)[] = [];
  readonly #events = new Map<number, EventItem>();
  readonly standing: Standing = new Standing(this.#events);
  /** Notifications that were handed over, and those of them that are in safe hands. */
  #told = 0;
  #safe = 0;
  readonly #outs = new Set<Outgoing>();
  #mayRetell = false;
  readonly #terms: SetTerms;
  /** How long it may say that there is more before all stands, ms. */
  readonly #patience: number;
  /** When the server said first that it had more to tell, by its own clock, Unix ms; NaN = it has not. */
  #withheldSince = NaN;

  constructor(server: ServerSubscription, terms: SetTerms) {
    this.server = server;
    this.#terms = terms;
    this.#patience = terms.alive / 2;
  }

  /** How often it was asked to publish. */
  get interval(): DurationMs {
    return this.#terms.asked;
  }
  /** Its longest silence, by the server's own terms. */
  get alive(): DurationMs {
    return this.#terms.alive;
  }
  /** Does it publish more slowly than it was asked to? For people. */
  get slowness(): string | undefined {
    const { asked, interval } = this.#terms;
    if (!(interval > asked)) return undefined;
    return `the server publishes every ${String(interval)} ms, not every ${String(asked)} ms`;
  }

  get all(): readonly Item[] {
    return this.#items.filter((item) => item !== undefined);
  }

  /**
   * Before the server is asked for it: its first notification may come before the answer. Handles are never
   * used twice: late notifications find nobody.
   */
  add(make: (handle: number) => Item): Item {
    const item = make(this.#items.length);
    this.#items.push(item);
    return item;
  }
  remove(item: Item): void {
    this.#items[item.handle] = undefined;
  }
  /** Somebody who listens to items of this set, until they are released. */
  listen(out: Outgoing): void {
    this.#outs.add(out);
  }

  /** Nothing that it asked for is served. */
  unlisten(out: Outgoing): void {
    this.#outs.delete(out);
  }

  /** Items that nobody listens to: kept from an earlier connection. */
  get unclaimed(): readonly Item[] {
    return this.all.filter(({ out }) => !out);
  }

  /** Whose tags and events are in it. */
  get devices(): ReadonlySet<string> {
    const told = [...this.all.filter(({ out }) => out), ...this.#events.values()];
    return new Set(told.map(({ device }) => device));
  }

  /** As {@link add}. */
  addEvents(make: (handle: number) => EventItem): EventItem {
    const item = make(this.#items.length);
    this.#items.push(undefined);
    this.#events.set(item.handle, item);
    return item;
  }
  removeEvents({ handle }: EventItem): void {
    this.#events.delete(handle);
  }
  eventItem(signature: string): EventItem | undefined {
    return [...this.#events.values()].find((item) => item.signature === signature);
  }
  get hasEvents(): boolean {
    return this.#events.size > 0;
  }

  /** A server that always has more to tell must not keep what stands from being said for good. */
  #isEnough({ sentAt, isRepeated }: Notification): boolean {
    if (Number.isNaN(this.#withheldSince)) this.#withheldSince = sentAt;
    return !isRepeated && sentAt - this.#withheldSince > this.#patience;
  }

  /** What an item told last on an earlier connection is told again, if nothing comes before. */
  retellLater(item: Item): void {
    item.mustRetell = true;
    this.#mayRetell = true;
  }

  #retell(): void {
    this.#mayRetell = false;
    for (const item of this.all) item.retell();
  }

  /** Is what this item told last in safe hands? Otherwise the server tells it again. */
  isSafe({ toldIn }: Item): boolean {
    return toldIn <= this.#safe;
  }

  /** The connection is gone; the items stay with the server. */
  release(): void {
    this.#outs.clear();
    this.#withheldSince = NaN;
    this.standing.abandon();
    for (const item of this.all) {
      item.out = undefined;
      // Whether the server has it is not known: it is asked for anew.
      if (!item.isMonitored) this.remove(item);
    }
    for (const item of [...this.#events.values()]) {
      item.sink = undefined;
      if (!item.isMonitored) this.removeEvents(item);
    }
  }

  /**
   * Hands over what a notification brings; when it is the last, then that nothing else has changed.
   * @returns what the server itself has to say of events
   */
  deliver(notification: Notification, found: Findings): readonly Said[] {
    const { changes, events, sentAt, hasMore } = notification;
    this.#told++;
    for (const { clientHandle, value } of changes) {
      const item = this.#items[clientHandle];
      if (!item) continue;
      if (this.isSafe(item)) item.safeUntil = item.toldUntil;
      item.toldIn = this.#told;
      take(item, value, sentAt, found);
    }
    const said = events.length > 0 ? this.#takeEvents(events, sentAt) : silence;
    const isAll = !hasMore || this.#isEnough(notification);
    if (isAll) this.#withheldSince = NaN;
    if (isAll && this.#mayRetell) this.#retell();
    for (const out of this.#outs) out.send(!isAll);
    if (isAll) for (const out of this.#outs) out.sink.alive();
    for (const { sink } of this.#events.values()) sink?.alive();
    return said;
  }

  /** Settles when all that was handed over is in safe hands; undefined: it is. */
  confirmed(): Promise<void> | undefined {
    const until = this.#told;
    const sinks = [...this.#outs].map(({ sink }) => sink);
    const listeners = [...this.#events.values()].flatMap(({ sink }) => sink ?? []);
    const open = [...sinks, ...listeners].flatMap((sink) => sink.confirmed?.() ?? []);
    if (open.length === 0) {
      this.#safe = until;
      return undefined;
    }
    return Promise.all(open).then(() => {
      this.#safe = Math.max(this.#safe, until);
    });
  }

  #takeEvents(events: Notification['events'], sentAt: number): readonly Said[] {
    const byItem = groupBy(events, ({ clientHandle }) => clientHandle);
    return [...byItem].flatMap(([handle, some]) => {
      const item = this.#events.get(handle);
      const fields = some.map((one) => one.fields);
      return item ? [...item.take(fields, sentAt)].map((word) => ({ item, word })) : [];
    });
  }
}

/** What shows while samples are handed over. */
export interface Findings {
  /** The server could not keep all samples of an item. */
  onOverflow: (item: Item) => void;
  /** The value has become bad for another reason, or good again (undefined). */
  onBad: (item: Item, why: Status | undefined) => void;
  /** Samples between these times of the server, Unix ms, were not told. */
  onHole: (item: Item, from: number, to: number) => void;
}

/** What the server itself has to say of events, and to whom. */
export interface Said {
  readonly item: EventItem;
  readonly word: EventWord;
}
const silence: readonly Said[] = [];

function take(item: Item, value: UaValue, sentAt: number, found: Findings): void {
  const { statusCode, sourceTimestamp } = value;
  const time = stampOf(sourceTimestamp);
  if (statusCode.value !== 0 && hasOverflow(statusCode.value)) {
    found.onOverflow(item);
    item.isWhole = false;
  }
  if (!item.isWhole) {
    item.isWhole = true;
    if (time > item.toldUntil) found.onHole(item, item.toldUntil, time);
  }
  if (!Number.isNaN(time)) item.toldUntil = time;
  readValue(value, item.address, item.last);
  const badStatus = isBad(statusCode.value) ? statusCode.value : 0;
  if (badStatus !== item.badStatus) {
    item.badStatus = badStatus;
    found.onBad(item, badStatus === 0 ? undefined : statusCode);
  }
  // The first value may have stood for days: it stands now. All others are as old as the server's own
  // clock says, so that it need not agree with ours.
  const age = item.isTold ? Math.max(0, sentAt - time) : NaN;
  item.isTold = true;
  item.mustRetell = false;
  item.out?.tell(item.position, item.last, age);
}
