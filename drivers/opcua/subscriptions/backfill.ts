import { asGatewayError, type Log } from '../../../gateway/contract/index.js';
import { Attribute, type HistoryItem, type UaSession } from '../service/client.js';
import { Outgoing, type Item } from './items.js';
import { isBad } from '../service/status.js';
import { blankReading, readValue } from '../values/values.js';

/** Samples that are missing of one item: later than `from` and earlier than `to`, server's Unix ms. */
interface Hole {
  readonly key: string;
  from: number;
  readonly to: number;
}

/** What outlives a connection, because it shows where it must be gone on. */
export interface Backlog {
  /** Source time of the last sample of each item, by its key. */
  readonly told: Map<string, number>;
  /** Holes that are not filled yet. */
  readonly holes: Set<Hole>;
}

export interface BackfillOptions {
  readonly session: UaSession;
  readonly log: Log;
  readonly backlog: Backlog;
  /** Samples that stay missing. */
  onLost: (device: string) => void;
}

/** Nodes in one request, and samples of each: a server must answer within the time-out. */
const nodesAtOnce = 10;
const samplesAtOnce = 1_000;
/** Samples of one hole, at most; what is older than the rest comes first. */
const mostSamples = 20_000;
/** Holes that wait: one a tag, for the biggest gateway. */
const mostHoles = 200_000;
/** Bit of an access level: the node keeps its history. */
const historyBit = 4;

/**
 * Asks a server for what it remembers of the time in which it could not tell. Goes on in the background, one
 * request after the other; what is not done when the connection ends is done after the next.
 */
export class Backfill {
  readonly #o: BackfillOptions;
  readonly #items = new Map<Hole, Item>();
  readonly #waiting: Hole[] = [];
  #running = false;
  #stopped = false;

  constructor(options: BackfillOptions) {
    this.#o = options;
  }

  /** An item is subscribed: holes of earlier connections are its own. */
  resume(items: readonly Item[]): void {
    const byKey = new Map(items.map((item) => [item.key, item]));
    for (const hole of this.#o.backlog.holes) {
      const item = byKey.get(hole.key);
      if (item) this.#enqueue(hole, item);
    }
  }

  /** Samples of this item between these times were not told. */
  add(item: Item, from: number, to: number): void {
    const { holes } = this.#o.backlog;
    // Whole milliseconds: nothing fits in between.
    if (to - from <= 1) return;
    // A status that changed last an hour ago was not missing since: the hole would be all that was well.
    if (item.address.subscription?.filter.trigger === 'status') return;
    if (holes.size >= mostHoles) {
      this.#o.onLost(item.device);
      return;
    }
    const hole: Hole = { key: item.key, from, to };
    holes.add(hole);
    this.#enqueue(hole, item);
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Asked anew after each wait. */
  #isStopped(): boolean {
    return this.#stopped;
  }

  #enqueue(hole: Hole, item: Item): void {
    this.#items.set(hole, item);
    this.#waiting.push(hole);
    if (this.#running || this.#stopped) return;
    this.#running = true;
    // What else is found in this turn goes into the same requests.
    void Promise.resolve().then(() => this.#run());
  }

  async #run(): Promise<void> {
    try {
      while (this.#waiting.length > 0 && !this.#isStopped())
        await this.#fill(await this.#withHistory(this.#waiting.splice(0, nodesAtOnce)));
    } catch (thrown) {
      const { kind, message } = asGatewayError(thrown);
      this.#o.log.info('the history of the server cannot be read', { why: message });
      // What is not done when the link is lost, or nobody answers, is done after the next connection.
      if (kind !== 'link' && kind !== 'timeout') this.#forgetAll();
    } finally {
      this.#running = false;
    }
  }

  /** A server without history refuses the service: it will not have it in a minute. */
  #forgetAll(): void {
    for (const hole of this.#items.keys()) this.#done(hole);
    this.#waiting.length = 0;
  }

  /** Those whose node keeps a history. */
  async #withHistory(holes: readonly Hole[]): Promise<Hole[]> {
    const ids = holes.flatMap((hole) => this.#items.get(hole)?.nodeId ?? []);
    const levels = await this.#o.session.read(
      ids.map((nodeId) => ({ nodeId, attributeId: Attribute.userAccessLevel })),
    );
    return holes.filter((hole, at) => {
      const keeps = (Number(levels[at]?.value.value) & historyBit) !== 0;
      if (!keeps) this.#done(hole);
      return keeps;
    });
  }

  async #fill(holes: readonly Hole[]): Promise<void> {
    let open: Asked[] = holes.map((hole) => ({
      hole,
      item: this.#items.get(hole),
      got: 0,
      point: undefined,
    }));
    while (open.length > 0 && !this.#isStopped()) {
      const asked = open.map(({ hole, item, point }) => requestOf(hole, item, point));
      const { pages, sentAt } = await this.#o.session.history(asked, samplesAtOnce);
      if (this.#isStopped()) return;
      const tooLong: typeof open = [];
      open = open.flatMap((one, at) => {
        const page = pages[at];
        if (!page || !one.item || isBad(page.status.value)) {
          this.#done(one.hole);
          return [];
        }
        const got = one.got + tell(one.item, one.hole, page.values, sentAt);
        const point = page.point;
        if (point && got < mostSamples) return [{ ...one, got, point }];
        if (point) tooLong.push({ ...one, point });
        this.#done(one.hole);
        return [];
      });
      for (const { item } of tooLong) if (item) this.#o.onLost(item.device);
      // Servers have few points.
      if (tooLong.length > 0)
        await this.#o.session.history(
          tooLong.map(({ hole, item, point }) => requestOf(hole, item, point)),
          0,
        );
    }
  }

  #done(hole: Hole): void {
    this.#items.delete(hole);
    this.#o.backlog.holes.delete(hole);
  }
}

/** A hole that is being filled. */
interface Asked {
  readonly hole: Hole;
  readonly item: Item | undefined;
  readonly got: number;
  readonly point: Uint8Array | undefined;
}

function requestOf(
  { from, to }: Hole,
  item: Item | undefined,
  point: Uint8Array | undefined,
): HistoryItem {
  const { nodeId = '', address } = item ?? {};
  const serverTime = address?.aspect === 'serverTime';
  return { nodeId, indexRange: address?.range, serverTime, from, to, point };
}

/** Hands over those that lie within the hole. @returns how many the server gave */
function tell(
  item: Item,
  hole: Hole,
  values: Parameters<typeof readValue>[0][],
  sentAt: number,
): number {
  const { out, address, position } = item;
  if (!out?.sink.history) return values.length;
  const rows = new Outgoing(out.sink);
  const reading = blankReading();
  for (const value of values) {
    const time = value.sourceTimestamp?.getTime() ?? NaN;
    if (!(time > hole.from && time < hole.to)) continue;
    readValue(value, address, reading);
    rows.tell(position, reading, Math.max(0, sentAt - time));
    // Of a page that was told, nothing is asked again after the next connection.
    hole.from = time;
  }
  if (rows.count > 0) out.sink.history(rows);
  return values.length;
}
