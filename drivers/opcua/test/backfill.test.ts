import t from 'tap';
import { GatewayError, silentLog, type Samples } from '../../../gateway/contract/index.js';
import { parseTag } from '../plan/address.js';
import { Backfill, type Backlog } from '../subscriptions/backfill.js';
import type { HistoryItem, HistoryPage, UaSession, UaValue } from '../service/client.js';
import type { OpcuaConfig } from '../plan/config.js';
import { Item, Outgoing } from '../subscriptions/items.js';

const good = { value: 0, name: 'Good' };
/** When the fake server answers, its Unix ms. */
const sentAt = 1_000_000;

function settled(): Promise<void> {
  return new Promise((done) => setImmediate(() => setImmediate(() => setImmediate(done))));
}

function itemOf(name: string, heard: number[]): Item {
  const tag = { address: `ns=1;s=${name}`, type: 'float64' } as const;
  const parsed = parseTag({ publishing: 500 } as OpcuaConfig, {}, tag);
  if (!parsed.ok) throw new GatewayError('internal', 'an address');
  const item = new Item(0, `ns=1;s=${name}`, parsed.value);
  item.device = 'D';
  item.out = new Outgoing({
    samples: () => undefined,
    alive: () => undefined,
    history: ({ count, numbers, ages }: Samples) => {
      for (let i = 0; i < count; i++) {
        const value = numbers[i] as number;
        // As old as it is, or it does not count.
        heard.push(ages[i] === sentAt - value ? value : NaN);
      }
    },
  });
  return item;
}

/** Remembers one sample each millisecond, whose value is its time. */
class Memory {
  readonly asked: { from: number; to: number; most: number; points: number }[] = [];
  /** Access level of its nodes. */
  level = 5;
  failure: GatewayError | undefined;

  get session(): UaSession {
    const session: Pick<UaSession, 'read' | 'history'> = {
      read: (items) => Promise.resolve(items.map(() => valueOf(3, this.level))),
      history: (items, most) => this.#history(items, most),
    };
    return session as UaSession;
  }

  #history(
    items: readonly HistoryItem[],
    most: number,
  ): Promise<{ pages: HistoryPage[]; sentAt: number }> {
    const points = items.filter(({ point }) => point).length;
    const { from = 0, to = 0 } = items[0] ?? {};
    this.asked.push({ from, to, most, points });
    if (this.failure) return Promise.reject(this.failure);
    const pages = items.map((item): HistoryPage => {
      const begin = item.point ? new DataView(item.point.buffer).getFloat64(0) : item.from;
      const end = Math.min(item.to, begin + most - 1);
      const values = Array.from({ length: Math.max(0, end - begin + 1) }, (_, i) =>
        valueOf(11, begin + i, begin + i),
      );
      if (end >= item.to) return { status: good, values, point: undefined };
      const point = new Uint8Array(8);
      new DataView(point.buffer).setFloat64(0, end + 1);
      return { status: good, values, point };
    });
    return Promise.resolve({ pages, sentAt });
  }
}

function valueOf(dataType: number, value: number, time?: number): UaValue {
  return {
    value: { dataType, value },
    statusCode: good,
    sourceTimestamp: time === undefined ? null : new Date(time),
    serverTimestamp: null,
  };
}

function begin(memory: Memory): { backfill: Backfill; backlog: Backlog; lost: string[] } {
  const backlog: Backlog = { told: new Map(), holes: new Set() };
  const lost: string[] = [];
  const { session } = memory;
  const onLost = (device: string): number => lost.push(device);
  return { backfill: new Backfill({ session, log: silentLog, backlog, onLost }), backlog, lost };
}

void t.test('page by page, and nothing of the edges', async (t) => {
  const memory = new Memory();
  const { backfill, backlog, lost } = begin(memory);
  const heard: number[] = [];
  backfill.add(itemOf('a', heard), 100, 2_600);
  for (let i = 0; i < 10; i++) await settled();
  t.equal(heard.length, 2_499);
  t.equal(heard[0], 101);
  t.equal(heard.at(-1), 2_599);
  t.equal(memory.asked.length, 3);
  t.equal(backlog.holes.size, 0);
  t.same(lost, []);
  backfill.add(itemOf('a', heard), 100, 101);
  await settled();
  t.equal(memory.asked.length, 3, 'nothing fits in between');
});

void t.test('more than is taken is counted, and the point given back', async (t) => {
  const memory = new Memory();
  const { backfill, backlog, lost } = begin(memory);
  const heard: number[] = [];
  backfill.add(itemOf('a', heard), 0, 30_000);
  for (let i = 0; i < 60; i++) await settled();
  t.equal(heard.length, 19_999, 'the older ones');
  t.same(lost, ['D']);
  t.match(memory.asked.at(-1), { most: 0, points: 1 });
  t.equal(backlog.holes.size, 0);
});

void t.test('a node without a history, and a server without the service', async (t) => {
  const memory = new Memory();
  memory.level = 1;
  const { backfill, backlog } = begin(memory);
  backfill.add(itemOf('a', []), 0, 50);
  await settled();
  t.same(memory.asked, [], 'is not asked');
  t.equal(backlog.holes.size, 0);
  memory.level = 5;
  memory.failure = new GatewayError('device-refused', 'no such service');
  backfill.add(itemOf('a', []), 0, 50);
  backfill.add(itemOf('b', []), 0, 50);
  await settled();
  t.equal(memory.asked.length, 1);
  t.equal(backlog.holes.size, 0, 'it will not have it in a minute');
});

void t.test('what the end of the link interrupts goes on after the next', async (t) => {
  const memory = new Memory();
  memory.failure = new GatewayError('link-closed', 'gone');
  const { backfill, backlog } = begin(memory);
  const heard: number[] = [];
  backfill.add(itemOf('a', heard), 10, 15);
  await settled();
  t.equal(backlog.holes.size, 1, 'it is still to be done');
  backfill.stop();
  memory.failure = undefined;
  const { session } = memory;
  const next = new Backfill({ session, log: silentLog, backlog, onLost: () => undefined });
  next.resume([itemOf('another', heard), itemOf('a', heard)]);
  for (let i = 0; i < 4; i++) await settled();
  t.same(heard, [11, 12, 13, 14]);
  t.equal(backlog.holes.size, 0);
});
