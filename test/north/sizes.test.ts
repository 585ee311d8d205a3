/**
 * Brokers that take only so many bytes, and say so, hang up, or are silent: samples come in parts, dictionaries with less in
 * them, and where there is none frames carry names.
 */
import t from 'tap';
import type { Entry } from '../../gateway/journal/entry.js';
import { messagesOf } from '../../gateway/north/mqtt/messages.js';
import { packetBytes } from '../../gateway/north/mqtt/port.js';
import { Topics } from '../../gateway/north/mqtt/topics.js';
import type { Dictionary } from '../../gateway/north/dictionary.js';
import { shorterHealth, shorterMeta } from '../../gateway/north/shorter.js';
import { block, rig } from '../journal/rig.js';
import { Bench, root } from './odd-broker.js';
import { Seeded } from '../support/random.js';
import { seedsOf } from '../support/effort.js';

/** How often everything is drawn anew. */
const seeds = seedsOf(2);

const ways = ['says so', 'hangs-up', 'is-silent'] as const;

function dictionaryOf(tags: number, random: Seeded): Dictionary {
  const entries = Array.from({ length: tags }, (_, i) => ({
    name: `tag${String(i)}`,
    type: 'float32',
    unit: 'bar',
    description: '压力'.repeat(random.int(1, 20)),
    group: 'fast',
  }));
  const json = JSON.stringify({ v: 1, dev: 'D', r: 'r1', tags: entries });
  return { device: 'D', revision: 'r1', names: entries.map(({ name }) => name), json };
}

interface Frame {
  readonly r: string;
  readonly i: number | readonly number[];
  readonly n?: readonly string[];
  readonly x: readonly unknown[];
}

void t.test('every sample comes, and can be read, whatever the broker takes', async (t) => {
  for (let seed = 1; seed <= 4 * seeds; seed++)
    for (const way of ways) {
      const random = new Seeded(seed);
      const most = random.int(1_100, 9_000);
      const dictionary = dictionaryOf(random.int(20, 200), random);
      const said = `${way}, ${String(most)} bytes, ${String(dictionary.names.length)} tags, seed ${String(seed)}`;
      const bench = new Bench(await rig({ sinks: ['a'] }), seed, dictionary);
      const { broker, r } = bench;
      let largest = 0;
      broker.limits = { ...broker.limits, maximumPacketSize: way === 'says so' ? most : 1e9 };
      broker.breaks = (_topic, bytes) => {
        if (bytes <= most) largest = Math.max(largest, bytes);
        if (bytes <= most || way === 'says so') return undefined;
        return way;
      };
      bench.board.post(`${root}dev/D/meta`, dictionary.json, {
        shorter: shorterMeta(dictionary.json),
      });
      bench.forwarder.start();
      // As many as do not fit, and one alone.
      for (const count of [dictionary.names.length * 3, 1]) {
        for (let i = 0; i < 10; i++) {
          bench.note(r.journal.appendBlock(block(count, i, 'fast', 'D', 'r1'), r.clock.wall()));
          await r.pass(1_000);
        }
      }
      await bench.load(600_000);
      await r.pass(60_000);
      t.same(bench.missing(), [], `${said}: everything came`);
      t.same(broker.gaps, [], said);
      t.ok(largest <= most, said);
      const meta = broker.retained.get('dev/D/meta');
      const names =
        meta === undefined
          ? undefined
          : (JSON.parse(meta) as { tags: { name: string }[] }).tags.map(({ name }) => name);
      if (names) t.same(names, dictionary.names, `${said}: positions are what they were`);
      for (const { payload, hadMeta } of broker.frames) {
        const frame = JSON.parse(payload) as Frame;
        if (frame.r !== 'r1') continue;
        if (!hadMeta) t.equal(frame.n?.length, frame.x.length, `${said}: names instead`);
      }
      if (way !== 'says so' && dictionary.json.length * 2 > 3 * most)
        t.match(bench.forwarder.weaknesses.join(), /break the connection/, said);
    }
});

void t.test('a message with its topic is never larger than was asked for', (t) => {
  const frames = { gateway: 'g1', dictionary: () => undefined, currentRevision: () => 'r' };
  const body = block(60);
  const entry = { pos: 1, epoch: 1, seq: 1, count: 60, stream: 'D/fast', class: 'sample', body };
  for (let maxBytes = 200; maxBytes < 600; maxBytes++) {
    const messages = messagesOf(entry as Entry, false, {
      topics: new Topics('edge/g1'),
      form: 'frame',
      frames,
      maxBytes,
    });
    const largest = Math.max(...messages.map((m) => packetBytes(m.topic, m.payload)));
    t.ok(largest <= maxBytes, `${String(largest)} of ${String(maxBytes)}`);
  }
  t.end();
});

void t.test('health that does not fit says what is wrong, then only how bad it is', (t) => {
  const check = (level: string, i: number): object => ({ check: `link l${String(i)}`, level });
  const checks = [check('ok', 1), check('warn', 2), check('ok', 3)];
  const [failing, none] = shorterHealth(
    JSON.stringify({ v: 1, ts: 5, level: 'warn', checks, counters: { a: 1 } }),
  ).map((form) => JSON.parse(form()) as unknown);
  const head = { v: 1, ts: 5, level: 'warn', cut: true };
  t.same(failing, { ...head, checks: [check('warn', 2)] });
  t.same(none, { ...head, checks: [] });
  t.end();
});
