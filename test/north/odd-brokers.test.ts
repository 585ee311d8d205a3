/**
 * Brokers that refuse: every class of topics, one topic of a class, everything, or one message; for a time or for ever;
 * with a load, outages and restarts of the connection in between, by seed. What is not wrong in itself arrives, or waits;
 * the others flow; tries and lines of the log stay few.
 */
import t from 'tap';
import { GatewayError } from '../../gateway/contract/index.js';
import type { MqttPort, Outgoing } from '../../gateway/north/mqtt/port.js';
import { rig } from '../journal/rig.js';
import { Seeded } from '../support/random.js';
import { Bench, benchOf, forbidden } from './odd-broker.js';
import { seedsOf } from '../support/effort.js';

/** How often everything is drawn anew. */
const seeds = seedsOf(2);

interface Case {
  readonly what: string;
  readonly topics: RegExp;
  /** From when and until when the broker refuses, ms. */
  readonly from: number;
  readonly until: number;
  readonly seed: number;
}

function* cases(): Generator<Case> {
  for (let seed = 1; seed <= seeds; seed++)
    for (const [what, topics] of Object.entries(forbidden))
      for (const until of [8_000, 240_000, Infinity])
        for (const from of [0, 30_000]) yield { what, topics, from, until: from + until, seed };
}

void t.test(
  'what is refused for a time comes afterwards, and the others are not held up',
  async (t) => {
    for (const one of cases()) {
      const { what, topics, from, until } = one;
      const said = `${what}, from ${String(from)} to ${String(until)}, seed ${String(one.seed)}`;
      const bench = await benchOf(one);
      const { broker, r } = bench;
      const begin = r.clock.mono();
      broker.refuses = (topic) => {
        const at = r.clock.mono() - begin;
        return at >= from && at < until && topics.test(topic) ? 'Not authorized (0x87)' : undefined;
      };
      await bench.load(from + 60_000);
      const isForbidden = (name: string): boolean => topics.test(bench.made.get(name) ?? '');
      if (r.clock.mono() - begin < until) {
        const others = bench.missing().filter((name) => !isForbidden(name));
        // What waits in a lane of its own may be the last second's.
        t.ok(others.length <= 4, `${said}: the others come: ${others.join()}`);
        if (broker.tries.length > 0) t.ok(bench.forwarder.held.length > 0, `${said}: it is named`);
      }
      await bench.load(240_000);
      // A broker that refuses no longer is found out within the longest wait.
      if (until !== Infinity) {
        await bench.load(20_000);
        await r.pass(700_000);
        t.same(bench.missing(), [], `${said}: everything came`);
        t.same(bench.forwarder.held, [], `${said}: nothing is held`);
        t.ok(r.journal.reader('a').pending.isEmpty, said);
        t.equal(broker.retained.size, 8, `${said}: all that stands`);
      } else {
        const lost = bench.missing().filter((name) => !isForbidden(name));
        t.ok(lost.length <= 4, `${said}: ${lost.join()}`);
      }
      t.same(broker.gaps, [], `${said}: nothing was given up`);
      t.equal(r.journal.stats.evicted, 0, said);
      const minutes = (r.clock.mono() - begin) / 60_000;
      // Each refused topic, and what was on its way together, at the beginning; then a few a minute.
      t.ok(
        broker.tries.length <= 40 + 15 * minutes,
        `${said}: ${String(broker.tries.length)} tries`,
      );
      t.ok(bench.lines.length <= 20 + 4 * minutes, `${said}: ${String(bench.lines.length)} lines`);
    }
  },
);

void t.test(
  'a message that is refused again and again while others of its topic pass is one gap',
  async (t) => {
    for (const gaps of [1, 0]) {
      const bench = await benchOf({ seed: 3 });
      const isBad = (topic: string, payload: string): boolean =>
        gaps === 1
          ? topic.startsWith('dev/D/') && (JSON.parse(payload) as { sq: number }).sq === 7
          : topic === 'event/write';
      bench.broker.refuses = (topic, payload) =>
        isBad(topic, payload) ? 'Unspecified error (0x80)' : undefined;
      await bench.load(600_000);
      await bench.r.pass(20_000);
      if (gaps === 1) {
        t.equal(bench.broker.gaps.length, 1);
        t.match(JSON.parse(bench.broker.gaps[0] ?? '{}'), {
          stream: 'D/fast',
          from: 7,
          to: 7,
          why: 'refused',
        });
        t.same(bench.missing(), ['D/fast 7'], 'all the others came');
        t.match(bench.forwarder.weaknesses.join(), /1 messages were given up, last on .*dev\/D/);
      } else t.same(bench.broker.gaps, [], 'all of a topic: none of them is wrong in itself');
    }
  },
);

void t.test('outages and restarts of the connection while something is refused', async (t) => {
  for (let seed = 1; seed <= 5 * seeds; seed++) {
    const random = new Seeded(seed);
    const bench = await benchOf({ seed });
    const { broker } = bench;
    const [what, topics] = random.pick(Object.entries(forbidden));
    let isOdd = false;
    broker.refuses = (topic) => (isOdd && topics.test(topic) ? 'Quota exceeded (0x97)' : undefined);
    for (let i = 0; i < 12; i++) {
      isOdd = random.chance(0.5);
      broker.isAway = random.chance(0.3);
      if (broker.isAway || random.chance(0.3)) broker.cut();
      await bench.load(random.int(1, 40) * 1_000);
    }
    isOdd = broker.isAway = false;
    broker.cut();
    await bench.r.pass(1_300_000);
    t.same(bench.missing(), [], `seed ${String(seed)}, ${what}`);
    t.same(broker.gaps, [], `seed ${String(seed)}, ${what}`);
    t.ok(bench.r.journal.reader('a').pending.isEmpty);
  }
});

void t.test(
  'a broker without retained messages or QoS 1 is reached, and health says what it lacks',
  async (t) => {
    for (const lacking of [[0x9a], [0x9b], [0x9a, 0x9b], [0x9b, 0x9a]]) {
      const bench = new Bench(await rig({ sinks: ['a'] }), 1);
      const wills: Pick<Outgoing, 'qos' | 'retain'>[] = [];
      const port: MqttPort = {
        connect: ({ will }) => {
          wills.push({ qos: will.qos, retain: will.retain });
          const code = lacking.find((one) => (one === 0x9a ? will.retain : will.qos > 0));
          if (code !== undefined)
            return Promise.reject(new GatewayError('broker-lost', 'refused', { code }));
          return bench.broker.connect();
        },
      };
      const forwarder = bench.forwarderTo(port);
      forwarder.start();
      await bench.r.pass(200);
      const said = lacking.map(String).join();
      t.ok(forwarder.connected, said);
      t.equal(wills.length, 1 + lacking.length, `${said}: no more tries than it takes`);
      t.same(wills.at(-1), {
        qos: lacking.includes(0x9b) ? 0 : 1,
        retain: !lacking.includes(0x9a),
      });
    }
    const bench = await benchOf({ seed: 1 });
    t.same(bench.forwarder.weaknesses, []);
    bench.broker.limits = { ...bench.broker.limits, retainAvailable: false, maximumQos: 0 };
    bench.broker.cut();
    await bench.r.pass(1_000);
    t.match(bench.forwarder.weaknesses.join(), /no retained messages.*QoS 0 only/);
  },
);

void t.test(
  'connections that do not last are made ever more seldom, and named while they do',
  async (t) => {
    const bench = await benchOf({ seed: 1 });
    const { broker, forwarder, r } = bench;
    let named = 0;
    for (let i = 0; i < 600; i++) {
      if (forwarder.connected) broker.cut();
      if (
        /lost \d+ times in the last minute: .* id millrace-g1-a/.test(forwarder.weaknesses.join())
      )
        named++;
      await r.pass(1_000);
    }
    t.ok(forwarder.stats.sessions < 90, `${String(forwarder.stats.sessions)} in ten minutes`);
    t.ok(named > 400, `named in ${String(named)} of 600 seconds`);
    await r.pass(120_000);
    t.ok(forwarder.connected);
    t.same(forwarder.weaknesses, []);
  },
);
