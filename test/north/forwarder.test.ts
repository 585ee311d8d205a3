import t from 'tap';
import type { MqttSinkConfig } from '../../gateway/config/model.js';
import { GatewayError, mono, silentLog } from '../../gateway/contract/index.js';
import type { GapRecord } from '../../gateway/journal/entry.js';
import { limits } from '../../gateway/limits.js';
import { Board } from '../../gateway/north/mqtt/board.js';
import { Forwarder } from '../../gateway/north/mqtt/forwarder.js';
import type {
  BrokerLimits,
  ConnectOptions,
  MqttConnection,
  MqttPort,
  Outgoing,
} from '../../gateway/north/mqtt/port.js';
import { TokenBucket } from '../../gateway/north/mqtt/token-bucket.js';
import { type Rig, block, rig } from '../journal/rig.js';
import { sink } from '../support/config.js';
import { Seeded } from '../support/random.js';
import { VirtualClock, settle } from '../support/virtual-clock.js';

/** A broker by hand: messages wait until the test acknowledges, refuses or cuts. */
class Hand implements MqttPort {
  limits: BrokerLimits = {
    receiveMaximum: 100,
    maximumPacketSize: 1e6,
    retainAvailable: true,
    maximumQos: 1,
  };
  readonly got: Outgoing[] = [];
  waiting: { message: Outgoing; ack: () => void; fail: (error: GatewayError) => void }[] = [];
  most = 0;
  options: ConnectOptions | undefined;
  connects = 0;
  refuse: GatewayError | undefined;
  hangClose = false;
  readonly closed: boolean[] = [];
  cut: (why: GatewayError) => void = () => undefined;
  /** Acknowledges by itself what this lets through. */
  auto: (message: Outgoing) => boolean = () => false;

  connect(options: ConnectOptions): Promise<MqttConnection> {
    this.connects++;
    this.options = options;
    if (this.refuse) return Promise.reject(this.refuse);
    this.waiting = [];
    return Promise.resolve({
      limits: this.limits,
      publish: (message) => {
        this.got.push(message);
        if (this.auto(message)) return Promise.resolve();
        return new Promise<void>((ack, fail) => {
          this.waiting.push({ message, ack, fail });
          this.most = Math.max(this.most, this.waiting.length);
        });
      },
      watch: () => Promise.resolve(),
      onLost: (handler) => (this.cut = handler),
      close: (politely) => {
        this.closed.push(politely);
        return politely && this.hangClose ? new Promise(() => undefined) : Promise.resolve();
      },
    });
  }
  ackAll(): void {
    for (const { ack } of this.waiting.splice(0)) ack();
  }
  topics(): string[] {
    return this.got.map(({ topic }) => topic.replace('edge/g1/', ''));
  }
}

interface Bench extends Rig {
  readonly hand: Hand;
  readonly board: Board;
  readonly forwarder: Forwarder;
}
async function bench(extra: Partial<MqttSinkConfig> = {}, backlog = 0): Promise<Bench> {
  const r = await rig();
  for (let i = 0; i < backlog; i++) r.journal.appendBlock(block(2), r.clock.wall());
  await r.pass(1_500);
  const hand = new Hand();
  const board = new Board();
  const forwarder = new Forwarder(sink('cloud', { historyPerSecond: 1_000, ...extra }), {
    clock: r.clock,
    random: new Seeded(1),
    log: silentLog,
    port: hand,
    reader: r.journal.reader('a'),
    board,
    frames: { gateway: 'g1', dictionary: () => undefined, currentRevision: () => 'r' },
    online: (session) => `online ${String(session)}`,
    offline: (session, reason) => `offline ${String(session)} ${reason}`,
    backoff: { next: () => 500, reset: () => undefined },
    onState: () => undefined,
  });
  return { ...r, hand, board, forwarder };
}
const live = 'dev/D/data/fast';
const old = 'dev/D/hist/fast';
const lost = (): GatewayError => new GatewayError('broker-lost', 'the test pulled the plug');

void t.test(
  'the status comes before data, the will says lost; the history keeps its distance',
  async (t) => {
    const b = await bench({}, 40);
    b.hand.limits = { ...b.hand.limits, receiveMaximum: 65_535 };
    b.board.post('edge/g1/info', '{}');
    b.forwarder.start();
    await b.pass(100);
    t.strictSame(b.hand.topics().slice(0, 2), ['info', 'status']);
    t.match(b.hand.options?.will, { payload: 'offline 1 lost', retain: true, qos: 1 });
    t.equal(b.hand.topics().filter((x) => x === old).length, limits.historyFirstWindow);
    for (let i = 0; i < 140; i++) b.journal.appendBlock(block(1), b.clock.wall());
    await b.pass(0);
    t.equal(b.hand.waiting.length, limits.mqttWindow + limits.historyFirstWindow);
    t.equal(b.hand.topics().filter((x) => x === live).length, limits.mqttWindow - 2);
    for (let i = 0; i < 60; i++) {
      b.hand.ackAll();
      await b.pass(20);
    }
    t.ok(b.journal.reader('a').pending.isEmpty);
    t.equal(b.hand.topics().filter((x) => x === old).length, 40);
    t.equal(b.hand.topics().filter((x) => x === live).length, 140);
  },
);

void t.test('a broker that takes less gets less', async (t) => {
  const b = await bench({}, 20);
  b.hand.limits = { ...b.hand.limits, receiveMaximum: 3 };
  b.forwarder.start();
  for (let i = 0; i < 60; i++) {
    if (b.forwarder.connected && i < 40) {
      for (let k = 0; k < 3; k++) b.journal.appendBlock(block(1), b.clock.wall());
    }
    for (let k = 0; k < 4; k++) {
      await b.pass(5);
      b.hand.ackAll();
    }
  }
  t.equal(b.hand.most, 3);
  t.equal(b.hand.topics().filter((x) => x === old).length, 20, 'history gets through too');
});

void t.test(
  'history is limited a second, live data are not; in-order sends history first',
  async (t) => {
    const b = await bench({ historyPerSecond: 5 }, 40);
    b.hand.auto = () => true;
    b.forwarder.start();
    await b.pass(100);
    t.ok(b.hand.topics().filter((x) => x === old).length <= 6);
    b.journal.appendBlock(block(1), b.clock.wall());
    await b.pass(0);
    t.equal(b.hand.topics().at(-1), live);
    await b.pass(10_000);
    t.equal(b.hand.topics().filter((x) => x === old).length, 40);

    const ordered = await bench({ historyOrder: 'in-order' }, 30);
    ordered.hand.auto = () => true;
    ordered.forwarder.start();
    await settle();
    for (let i = 0; i < 5; i++) ordered.journal.appendBlock(block(1), ordered.clock.wall());
    await ordered.pass(2_000);
    const data = ordered.hand.topics().filter((x) => x === live || x === old);
    t.equal(data.length, 35);
    t.equal(data.indexOf(live), 30);
  },
);

void t.test(
  'a lost acknowledgement: sent again after the reconnect, marked as history',
  async (t) => {
    const b = await bench();
    b.forwarder.start();
    await b.pass(10);
    b.hand.ackAll();
    b.journal.appendBlock(block(3), b.clock.wall());
    await b.pass(0);
    t.equal(b.hand.topics().at(-1), live);
    const late = b.hand.waiting[0];
    b.hand.cut(lost());
    late?.ack();
    await b.pass(400);
    t.notOk(
      b.journal.reader('a').pending.isEmpty,
      'an acknowledgement of the dead connection counts for nothing',
    );
    t.equal(b.hand.connects, 1);
    b.hand.auto = () => true;
    await b.pass(2_000);
    t.equal(b.hand.connects, 2);
    t.equal(b.hand.topics().at(-1), old);
    t.match(JSON.parse(new TextDecoder().decode(b.hand.got.at(-1)?.payload as Uint8Array)), {
      sq: 1,
      h: 1,
    });
    t.ok(b.journal.reader('a').pending.isEmpty);
  },
);

void t.test(
  'a broker that never acknowledges is left; refused credentials are not tried in a hurry',
  async (t) => {
    const b = await bench();
    b.forwarder.start();
    await b.pass(limits.mqttAckMs - 100);
    t.equal(b.hand.connects, 1);
    await b.pass(1_000);
    t.equal(b.hand.connects, 2);
    t.match(b.forwarder.lastError ?? b.hand.closed, [false]);
    b.hand.refuse = new GatewayError('auth-failed', 'no');
    b.hand.cut(lost());
    await b.pass(600);
    const tries = b.hand.connects;
    await b.pass(limits.backoffAuthMs - 1_000);
    t.equal(b.hand.connects, tries);
    await b.pass(2_000);
    t.equal(b.hand.connects, tries + 1);
    await b.forwarder.stop();
  },
);

void t.test('a message that is refused is one gap, and does not block the lane', async (t) => {
  const b = await bench();
  b.hand.limits = { ...b.hand.limits, maximumPacketSize: 1_500 };
  b.forwarder.start();
  await b.pass(10);
  b.hand.ackAll();
  b.journal.appendBlock(block(1_000), b.clock.wall());
  b.journal.appendBlock(block(1), b.clock.wall());
  const gaps: GapRecord[] = [];
  for (let i = 0; i < 30; i++) {
    await b.pass(10);
    for (const { message, ack, fail } of b.hand.waiting.splice(0)) {
      if (message.topic.endsWith('/gap'))
        gaps.push(JSON.parse(String(message.payload)) as GapRecord);
      if (message.payload.length > 200 && !message.topic.endsWith('/gap'))
        fail(new GatewayError('too-large', 'no'));
      else ack();
    }
  }
  t.match(gaps, [{ stream: 'D/fast', from: 1, to: 1_000, why: 'refused' }]);
  t.equal(gaps.length, 1, 'though it took several messages');
  t.ok(b.journal.reader('a').pending.isEmpty);
  t.equal(b.hand.connects, 1);
});

void t.test('of a small window too a quarter is free for what is new', async (t) => {
  const b = await bench({}, 20);
  b.hand.limits = { ...b.hand.limits, receiveMaximum: 8 };
  b.forwarder.start();
  let most = 0;
  for (let i = 0; i < 20; i++) {
    await b.pass(20);
    const waiting = b.hand.waiting.filter(({ message }) => message.topic.endsWith(old));
    most = Math.max(most, waiting.length);
    b.hand.ackAll();
  }
  t.equal(most, 6);
});

void t.test('stop says so, waits a bounded time, and nothing is sent afterwards', async (t) => {
  for (const broker of ['well', 'hangs', 'gone'] as const) {
    const b = await bench({}, 2);
    if (broker === 'gone') b.hand.refuse = lost();
    b.hand.hangClose = broker === 'hangs';
    if (broker === 'well') b.hand.auto = () => true;
    b.forwarder.start();
    await b.pass(50);
    const stopping = b.forwarder.stop();
    await b.pass(3_000);
    await stopping;
    if (broker !== 'gone') t.equal(b.hand.got.at(-1)?.payload, 'offline 1 stopped', broker);
    const [sent, connects] = [b.hand.got.length, b.hand.connects];
    b.board.post('edge/g1/x', 'late');
    b.journal.appendBlock(block(1), b.clock.wall());
    await b.pass(60_000);
    t.strictSame([b.hand.got.length, b.hand.connects], [sent, connects], 'silent');
  }
});

void t.test(
  'the board: the latest counts, a new connection gets all of it, what was taken down stays down',
  (t) => {
    const board = new Board();
    let work = 0;
    board.onWork(() => work++);
    const drain = (): string[] => {
      const sent: string[] = [];
      for (let next = board.take(); next; next = board.take()) {
        sent.push(`${next.message.topic}=${String(next.message.payload)}`);
        t.ok(next.message.retain);
        next.done();
      }
      return sent;
    };
    board.post('a', '1');
    board.post('a', '2');
    board.post('b', '1', { expiry: 90 });
    t.strictSame(drain(), ['a=2', 'b=1']);
    board.post('a', '2');
    t.notOk(board.hasWork, 'the same again is no news');
    board.post('b', '1', { expiry: 90 });
    t.ok(board.hasWork, 'but what expires must be renewed');
    drain();
    board.post('a', '3');
    const flying = board.take();
    board.post('a', '4');
    flying?.done();
    t.strictSame(drain(), ['a=4'], 'an older acknowledgement does not settle it');
    board.post('b', '');
    t.strictSame(drain(), ['b=']);
    board.repost();
    t.strictSame(drain(), ['a=4']);
    board.post('a', '');
    board.take();
    board.repost();
    t.strictSame(drain(), ['a='], 'not acknowledged: taken down again');
    t.ok(work > 5);
    t.end();
  },
);

void t.test('the rate is kept over any time, after a burst of one second', async (t) => {
  for (const rate of [1, 7, 50]) {
    const clock = new VirtualClock();
    const bucket = new TokenBucket(clock, rate);
    let taken = 0;
    const pump = (): void => {
      while (bucket.take()) taken++;
      clock.at(mono(clock.mono() + bucket.wait()), pump);
    };
    pump();
    await clock.run(20_000);
    await settle();
    t.ok(Math.abs(taken - rate * 21) <= 1, `${String(taken)} in 20 s at ${String(rate)}`);
  }
});
