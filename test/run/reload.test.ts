import t from 'tap';
import { GatewayError, Quality, ms, type SubscriptionSink } from '../../gateway/contract/index.js';
import { Script, device, scriptedLink } from '../scan/script.js';
import { config } from '../support/config.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { type Gateway, gateway } from './rig.js';

function shown(g: Gateway, name: string): string {
  const { image } = g.runtime.field;
  const index = image.table.get(name)?.index ?? -1;
  return `${String(image.numbers[index])}/${String(image.qualities[index])}`;
}

void t.test(
  'a reload never puts values or quality of a link that leaves on other tags',
  async (t) => {
    for (let offset = 0; offset < 30; offset++) {
      const clock = new VirtualClock();
      const [a, b] = [new Script(clock), new Script(clock)];
      for (let i = 1; i <= 4; i++) {
        a.values.set(`A.t${String(i)}`, 100 + i);
        b.values.set(`B.t${String(i)}`, 200 + i);
      }
      const period = { period: ms(50), stale: ms(10_000) };
      const links = [
        scriptedLink('a', a, [device('A', 'a', [1, 2, 3, 4], period)]),
        scriptedLink('b', b, [device('B', 'b', [1, 2, 3, 4], period)]),
      ];
      const g = await gateway(config({ links }), clock);
      await g.pass(500 + offset * 2);
      const link = g.runtime.field.links.get('b');
      await g.until(
        g.runtime.reload(config({ links: links.slice(1), revision: 'r2' }), {
          who: { name: 'me', roles: [] },
          keepTrips: false,
        }),
      );
      await g.pass(200);
      for (let i = 1; i <= 4; i++)
        t.equal(shown(g, `B.t${String(i)}`), `${String(200 + i)}/0`, `at ${String(offset * 2)} ms`);
      t.equal(g.runtime.field.links.get('b'), link, 'the link that is the same keeps running');
      t.equal(b.connections, 1);
      t.equal(g.runtime.field.image.table.get('A.t1'), undefined);
      await g.stop();
    }
  },
);

void t.test('samples that wait for their tick are put on no other tag by a reload', async (t) => {
  const clock = new VirtualClock();
  const [a, b] = [new Script(clock), new Script(clock)];
  const terms = { interval: ms(500), alive: ms(60_000) };
  b.terms = terms;
  let sink: SubscriptionSink | undefined;
  b.onSubscribe = (_, to) => {
    sink = to;
    return Promise.resolve([]);
  };
  const told = { subscribed: terms, stale: ms(90_000) };
  const links = [
    scriptedLink('a', a, [device('A', 'a', [1, 2])]),
    scriptedLink('b', b, [device('B', 'b', [1_000, 1_001, 1_002], told)]),
  ];
  const g = await gateway(config({ links }), clock);
  await g.pass(2_000);
  // Five of one tag: five ticks.
  const column = [1, 2, 3, 4, 5];
  sink?.samples({
    count: 5,
    positions: column.map(() => 0),
    numbers: column,
    qualities: column.map(() => Quality.good),
    ages: column.map(() => NaN),
    wide: undefined,
  });
  await g.until(
    g.runtime.reload(config({ links: links.slice(1), revision: 'r2' }), {
      who: { name: 'me', roles: [] },
      keepTrips: false,
    }),
  );
  await g.pass(200);
  t.equal(shown(g, 'B.t1000'), '5/0');
  for (const name of ['B.t1001', 'B.t1002'])
    t.equal(shown(g, name), `0/${String(Quality.waiting)}`, `${name} was told nothing`);
  await g.stop();
});

void t.test(
  'a link that changed is opened anew, what it knew is not good until it answers',
  async (t) => {
    const clock = new VirtualClock();
    const script = new Script(clock);
    script.values.set('A.t1', 7);
    const g = await gateway(
      config({ links: [scriptedLink('a', script, [device('A', 'a', [1])])] }),
      clock,
    );
    await g.pass(2_000);
    t.equal(shown(g, 'A.t1'), '7/0');
    script.hangConnect = true;
    const wider = [scriptedLink('a', script, [device('A', 'a', [1, 2])])];
    await g.until(
      g.runtime.reload(config({ links: wider, revision: 'r2' }), {
        who: { name: 'me', roles: [] },
        keepTrips: false,
      }),
    );
    await g.pass(100);
    t.equal(shown(g, 'A.t1'), `7/${String(Quality.notConnected)}`);
    script.hangConnect = false;
    await g.pass(8_000);
    t.equal(shown(g, 'A.t1'), '7/0');
    t.equal(shown(g, 'A.t2'), '0/0');
    await g.stop();
  },
);

void t.test('a driver that cannot close holds up neither a reload nor the end', async (t) => {
  const clock = new VirtualClock();
  const [a, b] = [new Script(clock), new Script(clock)];
  a.hangClose = true;
  const links = [
    scriptedLink('a', a, [device('A', 'a', [1])]),
    scriptedLink('b', b, [device('B', 'b', [1])]),
  ];
  const g = await gateway(config({ links }), clock);
  await g.pass(2_000);
  const diff = await g.until(
    g.runtime.reload(config({ links: links.slice(1), revision: 'r2' }), {
      who: { name: 'me', roles: [] },
      keepTrips: false,
    }),
  );
  t.strictSame(diff.linksRemoved, ['a']);
  b.hangClose = true;
  await g.stop();
  const { state } = await g.store.reopen().open();
  t.match(state.get('epoch'), /^\{"n":1,"clean":true,/);
});

void t.test('rules that do not compile are refused while the old ones run on', async (t) => {
  const clock = new VirtualClock();
  const script = new Script(clock);
  const links = [scriptedLink('a', script, [device('A', 'a', [1])])];
  const rule = (value: string): { file: string; index: number; rule: unknown } => ({
    file: 'r.yaml',
    index: 0,
    rule: { signal: 'twice', value },
  });
  const g = await gateway(config({ links, rules: [rule('A.t1 * 2')] }), clock);
  script.values.set('A.t1', 4);
  await g.pass(2_000);
  t.equal(shown(g, 'twice'), '8/0');
  const bad = g.runtime.reload(config({ links, rules: [rule('A.nothing * 2')], revision: 'r2' }), {
    who: { name: 'me', roles: [] },
    keepTrips: false,
  });
  await t.rejects(g.until(bad), { code: 'config-invalid' });
  script.values.set('A.t1', 5);
  await g.pass(2_000);
  t.equal(shown(g, 'twice'), '10/0');
  t.equal(g.runtime.config.revision, 'r1');
  await t.rejects(gateway(config({ links, rules: [rule('A.nothing')] }), new VirtualClock()), {
    code: 'config-invalid',
  });
  const other = config({
    links,
    gateway: { id: 'g2', site: undefined, language: 'en', firstStart: 'normal' },
  });
  await t.rejects(
    g.until(g.runtime.reload(other, { who: { name: 'me', roles: [] }, keepTrips: false })),
    /restart: gateway/,
  );
  g.store.fault = 'journal-io';
  const unaudited = g.runtime.reload(config({ links, revision: 'r3' }), {
    who: { name: 'me', roles: [] },
    keepTrips: false,
  });
  await t.rejects(g.until(unaudited), GatewayError, 'no reload without its audit record');
  t.equal(g.runtime.config.revision, 'r1');
  g.store.fault = undefined;
  const two = [
    g.until(
      g.runtime.reload(config({ links, revision: 'r4' }), {
        who: { name: 'me', roles: [] },
        keepTrips: false,
      }),
    ),
    g.until(
      g.runtime.reload(config({ links, revision: 'r5' }), {
        who: { name: 'me', roles: [] },
        keepTrips: false,
      }),
    ),
  ];
  const ends = await Promise.allSettled(two);
  t.strictSame(
    ends.map(({ status }) => status),
    ['fulfilled', 'rejected'],
    'one at a time',
  );
  await g.stop();
});
