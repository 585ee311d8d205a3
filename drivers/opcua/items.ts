import {
  enlarge,
  Quality,
  type QualityCode,
  type SubscriptionSink,
} from '../../gateway/contract/index.js';
import type { OpcuaAddress } from './address.js';
import type { Notification } from './client.js';
import type { ServerSubscription } from './publisher.js';
import { hasOverflow } from './status.js';
import { readValue, type Reading } from './values.js';

/** Columns on their way to one sink, used again and again. */
export class Outgoing {
  readonly sink: SubscriptionSink;
  count = 0;
  positions: Uint32Array = new Uint32Array(64);
  numbers: Float64Array = new Float64Array(64);
  qualities: Uint8Array = new Uint8Array(64);
  ages: Float64Array = new Float64Array(64);
  wide: Map<number, string | bigint> | undefined;

  constructor(sink: SubscriptionSink) {
    this.sink = sink;
  }

  add(position: number, { number, quality, wide }: Reading, age: number): void {
    const at = this.count++;
    if (at === this.positions.length) this.#grow();
    this.positions[at] = position;
    this.numbers[at] = number;
    this.qualities[at] = quality;
    this.ages[at] = age;
    if (wide !== undefined) (this.wide ??= new Map()).set(at, wide);
  }

  send(): void {
    if (this.count > 0) this.sink.samples(this);
    this.count = 0;
    this.wide = undefined;
  }

  #grow(): void {
    const size = this.positions.length * 2;
    this.positions = enlarge(this.positions, new Uint32Array(size));
    this.numbers = enlarge(this.numbers, new Float64Array(size));
    this.qualities = enlarge(this.qualities, new Uint8Array(size));
    this.ages = enlarge(this.ages, new Float64Array(size));
  }
}

/** One monitored item. It outlives connections if its subscription does. */
export class Item {
  readonly handle: number;
  readonly nodeId: string;
  readonly address: OpcuaAddress;
  /** Everything that the server was told of it, as a text. */
  readonly signature: string;
  device = '';
  /** Who listens; undefined between two connections. */
  out: Outgoing | undefined;
  position = 0;
  /** What the server told last. */
  readonly last: Reading = { number: NaN, quality: Quality.waiting, wide: undefined };
  isTold = false;

  constructor(handle: number, nodeId: string, address: OpcuaAddress) {
    this.handle = handle;
    this.nodeId = nodeId;
    this.address = address;
    this.signature = signatureOf(nodeId, address);
  }

  /** Tells what the server told last, to a sink that is new. */
  retell(): void {
    if (!this.isTold) return;
    this.out?.add(this.position, this.last, NaN);
    this.out?.send();
  }
}

export function signatureOf(
  nodeId: string,
  { range, field, type, subscription }: OpcuaAddress,
): string {
  return JSON.stringify([nodeId, range, field, type, subscription]);
}

/** Tells a tag as bad that the server does not serve. */
export function tellBad(out: Outgoing, position: number, quality: QualityCode): void {
  out.add(position, { number: NaN, quality, wide: undefined }, NaN);
  out.send();
}

/** The items of one subscription of the server. */
export class ItemSet {
  readonly server: ServerSubscription;
  /** By their handle: dense, as handles are counted from zero in each set. */
  readonly #items: (Item | undefined)[] = [];
  readonly #outs = new Set<Outgoing>();

  constructor(server: ServerSubscription) {
    this.server = server;
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

  /** The connection is gone; the items stay with the server. */
  release(): void {
    this.#outs.clear();
    for (const item of this.all) item.out = undefined;
  }

  /**
   * Hands over what a notification brings, then that nothing else has changed.
   * @param onOverflow the server could not keep all samples of an item
   */
  deliver({ changes, sentAt }: Notification, onOverflow: (item: Item) => void): void {
    for (const { clientHandle, value } of changes) {
      const item = this.#items[clientHandle];
      if (!item) continue;
      const { statusCode, sourceTimestamp } = value;
      if (statusCode.value !== 0 && hasOverflow(statusCode.value)) onOverflow(item);
      readValue(value, item.address, item.last);
      // The first value may have stood for days: it stands now. All others are as old as the server's own
      // clock says, so that it need not agree with ours.
      const isFirst = !item.isTold;
      item.isTold = true;
      const age =
        isFirst || !sourceTimestamp ? NaN : Math.max(0, sentAt - sourceTimestamp.getTime());
      item.out?.add(item.position, item.last, age);
    }
    for (const out of this.#outs) {
      out.send();
      out.sink.alive();
    }
  }
}
