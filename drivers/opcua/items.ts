import { Quality, type QualityCode, type SubscriptionSink } from '../../gateway/contract/index.js';
import type { OpcuaAddress } from './address.js';
import type { DataChange, Notification } from './client.js';
import type { ServerSubscription } from './publisher.js';
import { hasOverflow } from './status.js';
import { readValue, type Reading } from './values.js';

/** Columns that grow, for what goes to one sink. */
class Columns {
  readonly positions: number[] = [];
  readonly numbers: number[] = [];
  readonly qualities: number[] = [];
  readonly ages: number[] = [];
  wide: Map<number, string | bigint> | undefined;

  get count(): number {
    return this.positions.length;
  }

  add(position: number, { number, quality, wide }: Reading, age: number): void {
    if (wide !== undefined) (this.wide ??= new Map()).set(this.count, wide);
    this.positions.push(position);
    this.numbers.push(number);
    this.qualities.push(quality);
    this.ages.push(age);
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
  sink: SubscriptionSink | undefined;
  position = 0;
  /** What the server told last; undefined = nothing yet. */
  last: Reading | undefined;

  constructor(handle: number, nodeId: string, address: OpcuaAddress) {
    this.handle = handle;
    this.nodeId = nodeId;
    this.address = address;
    this.signature = signatureOf(nodeId, address);
  }

  /** Tells what the server told last, to a sink that is new. */
  retell(): void {
    if (this.last) tellOne(this.sink, this.position, this.last);
  }
}

export function signatureOf(
  nodeId: string,
  { range, field, type, subscription }: OpcuaAddress,
): string {
  return JSON.stringify([nodeId, range, field, type, subscription]);
}

function tellOne(sink: SubscriptionSink | undefined, position: number, reading: Reading): void {
  const columns = new Columns();
  columns.add(position, reading, NaN);
  sink?.samples(columns);
}

/** Tells a tag as bad that the server does not serve. */
export function tellBad(sink: SubscriptionSink, position: number, quality: QualityCode): void {
  tellOne(sink, position, { number: NaN, quality, wide: undefined });
}

/** The items of one subscription of the server. */
export class ItemSet {
  readonly server: ServerSubscription;
  readonly #items = new Map<number, Item>();

  constructor(server: ServerSubscription) {
    this.server = server;
  }

  get all(): Iterable<Item> {
    return this.#items.values();
  }

  add(item: Item): void {
    this.#items.set(item.handle, item);
  }
  remove(item: Item): void {
    this.#items.delete(item.handle);
  }

  /** An item of this signature that nobody listens to: kept from an earlier connection. */
  unclaimed(signature: string): Item | undefined {
    for (const item of this.#items.values())
      if (!item.sink && item.signature === signature) return item;
    return undefined;
  }

  /** The connection is gone; the items stay with the server. */
  release(): void {
    for (const item of this.#items.values()) item.sink = undefined;
  }

  /**
   * Hands over what a notification brings, then that nothing else has changed.
   * @param onOverflow the server could not keep all samples of an item
   */
  deliver({ changes, sentAt }: Notification, onOverflow: (item: Item) => void): void {
    const bySink = new Map<SubscriptionSink, Columns>();
    for (const change of changes) {
      const item = this.#items.get(change.clientHandle);
      if (!item) continue;
      if (hasOverflow(change.value.statusCode.value)) onOverflow(item);
      const isFirst = item.last === undefined;
      const reading = (item.last ??= { number: NaN, quality: Quality.waiting, wide: undefined });
      readValue(change.value, item.address, reading);
      if (!item.sink) continue;
      let columns = bySink.get(item.sink);
      if (!columns) bySink.set(item.sink, (columns = new Columns()));
      // The first value may have stood for days: it stands now.
      columns.add(item.position, reading, isFirst ? NaN : ageOf(change, sentAt));
    }
    for (const [sink, columns] of bySink) sink.samples(columns);
    this.alive();
  }

  alive(): void {
    const sinks = new Set<SubscriptionSink>();
    for (const { sink } of this.#items.values()) if (sink) sinks.add(sink);
    for (const sink of sinks) sink.alive();
  }
}

/** By the server's own clock, so that it need not agree with ours. */
function ageOf({ value }: DataChange, sentAt: number): number {
  const taken = value.sourceTimestamp ?? value.serverTimestamp;
  return taken ? Math.max(0, sentAt - taken.getTime()) : NaN;
}
