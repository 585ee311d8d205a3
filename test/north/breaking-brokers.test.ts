/**
 * Brokers that say no by hanging up, or by saying nothing any more: over a class of topics, one topic, or size; for a time or for
 * ever. The rest flows, what is held back is named, and comes when it may.
 */
import t from 'tap';
import { benchOf, forbidden } from './odd-broker.js';
import { seedsOf, some } from '../support/effort.js';

/** How often everything is drawn anew. */
const seeds = seedsOf(2);

interface Case {
  readonly what: string;
  readonly isOdd: (topic: string, bytes: number) => boolean;
  readonly how: 'hangs-up' | 'is-silent';
  readonly until: number;
  readonly seed: number;
}

function* cases(): Generator<Case> {
  for (let seed = 1; seed <= seeds; seed++)
    for (const how of ['hangs-up', 'is-silent'] as const)
      for (const until of [600_000, Infinity])
        for (const [what, topics] of Object.entries(forbidden)) {
          if (what === 'everything') continue;
          yield { what, isOdd: (topic) => topics.test(topic), how, until, seed };
        }
}

void t.test('a topic that breaks the connection is held back, and the others flow', async (t) => {
  for (const { what, isOdd, how, until, seed } of some([...cases()], 3)) {
    const said = `${what}, ${how}, until ${String(until)}, seed ${String(seed)}`;
    const bench = await benchOf({ seed });
    const { broker, r } = bench;
    const begin = r.clock.mono();
    const isNow = (): boolean => r.clock.mono() - begin < until;
    broker.breaks = (topic, bytes) => (isNow() && isOdd(topic, bytes) ? how : undefined);
    await bench.load(550_000);
    const isForbidden = (name: string): boolean => isOdd(bench.made.get(name) ?? '', 0);
    if (broker.tries.length > 0) {
      t.ok(bench.forwarder.held.length > 0, `${said}: it is named`);
      t.match(bench.forwarder.held.map(({ why }) => why).join(), /connection breaks/, said);
    }
    // While it is looked for, and at each try, the others wait in the journal, and come; unless that is what is refused.
    const from = r.clock.mono() - 60_000;
    await r.pass(40_000);
    const others = bench.missing().filter((name) => !isForbidden(name));
    const late = isOdd('dev/D/hist/fast', 0)
      ? others.filter((name) => bench.madeAt(name) > from)
      : others;
    // Each silence costs the live data of so many seconds, and where history is refused they wait there.
    const most = how === 'is-silent' && isOdd('dev/D/hist/fast', 0) ? 130 : 20;
    t.ok(late.length <= most, `${said}: ${String(late.length)} missing, first ${late[0] ?? ''}`);
    const minutes = (r.clock.mono() - begin) / 60_000;
    t.ok(broker.tries.length <= 60 + 4 * minutes, `${said}: ${String(broker.tries.length)} tries`);
    t.ok(bench.lines.length <= 60 + 12 * minutes, `${said}: ${String(bench.lines.length)} lines`);
    t.same(broker.gaps, [], `${said}: nothing was given up`);
    if (until === Infinity) continue;
    await bench.load(1_300_000);
    await r.pass(20_000);
    t.same(bench.missing(), [], `${said}: everything came`);
    t.same(bench.forwarder.held, [], said);
  }
});
