/** What stands on retained topics, where others write there, too: bridges, late wills, people, gateways with the same root. */
import t from 'tap';
import { benchOf, root, type Bench } from './odd-broker.js';

const online = 'online 1';

/** How long until the broker has this again, s. */
async function untilBack(bench: Bench, topic: string, payload: string): Promise<number> {
  for (let seconds = 0; seconds < 1_500; seconds++) {
    if (bench.broker.retained.get(topic) === payload) return seconds;
    await bench.r.pass(1_000);
  }
  return Infinity;
}

void t.test(
  'a late will is answered at once; where nobody may listen, when it is its turn',
  async (t) => {
    for (const lets of ['agrees', 'refuses', 'hangs-up'] as const) {
      const bench = await benchOf({ seed: 1, lets });
      const { broker, r } = bench;
      await r.pass(5_000);
      const now = [...broker.retained].find(([topic]) => topic === 'status')?.[1] ?? '';
      t.match(now, /^online/);
      broker.say('status', 'offline 0 lost');
      const seconds = await untilBack(bench, 'status', now);
      t.ok(seconds <= (lets === 'agrees' ? 1 : 600), `${lets}: after ${String(seconds)} s`);
      t.ok(broker.sessions <= 3, `${lets}: ${String(broker.sessions)} connections`);
      await r.pass(1_800_000);
      t.equal(broker.watches, 1, `${lets}: asked once`);
      await r.pass(3_600_000);
      broker.cut();
      await r.pass(5_000);
      t.equal(broker.watches, 2, `${lets}: and again on another connection, after an hour`);
    }
  },
);

void t.test('two gateways with one root do not answer each other for ever', async (t) => {
  const bench = await benchOf({ seed: 1 });
  const { broker, r } = bench;
  let answers = 0;
  for (let i = 0; i < 600; i++) {
    await r.pass(1_000);
    if (broker.retained.get('status') !== online) continue;
    answers++;
    broker.say('status', 'online elsewhere');
  }
  t.ok(answers <= 62, `${String(answers)} answers in ten minutes`);
  t.match(bench.forwarder.weaknesses.join(), /somebody else writes edge\/g1\/status/);
  await r.pass(700_000);
  t.same(bench.forwarder.weaknesses, []);
});

void t.test(
  'what was cleared or overwritten stands again within its time, a second apart',
  async (t) => {
    for (const topics of [3, 50, 1_500]) {
      const bench = await benchOf({ seed: 1 });
      const { broker, board, r } = bench;
      for (let i = 0; i < topics; i++)
        board.post(`${root}alarm/B${String(i)}`, `{"i":${String(i)}}`);
      board.post(`${root}alarm/gone`, '{}');
      board.post(`${root}alarm/gone`, '');
      await r.pass(10_000);
      const before = new Map(broker.retained);
      for (const topic of broker.retained.keys()) broker.retained.set(topic, 'odd');
      const { published } = bench.forwarder.stats;
      const seconds = Math.max(600, topics + 10) + 130;
      await r.pass(seconds * 1_000);
      before.delete('alarm/gone');
      for (const [topic, payload] of before) t.equal(broker.retained.get(topic), payload, topic);
      const sent = bench.forwarder.stats.published - published;
      t.ok(sent <= seconds, `${String(sent)} in ${String(seconds)} s`);
    }
  },
);
