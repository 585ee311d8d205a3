/** The half that polls, while the one that stores and talks does not come, comes late, or refuses. */
import t from 'tap';
import { GatewayError, mono, ms } from '../../gateway/contract/index.js';
import type { RuntimeOptions } from '../../gateway/run/runtime.js';
import { joinedPorts } from '../../gateway/run/wall/joined.js';
import type { MemoryStore } from '../../gateway/journal/memory-store.js';
import { device, Script, scriptedLink } from '../scan/script.js';
import { copied } from '../support/carry.js';
import { config } from '../support/config.js';
import { StateFolder } from '../support/memory-files.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';
import { gateway, type Gateway } from './rig.js';

const rules = [
  {
    file: 'r.yaml',
    index: 0,
    rule: {
      interlock: 'HIGH',
      cause: 'A.t1 > 50',
      latch: 'manual',
      effects: [{ set: 'A.t3', to: 0, level: 'trip' }],
    },
  },
];
const permit = {
  tag: 'A.t3',
  allow: new Set(['rules'] as const),
  range: undefined,
  ratePerSecond: undefined,
  verify: undefined,
  expect: false,
};

async function start(
  script: Script,
  clock: VirtualClock,
  extra: Partial<RuntimeOptions>,
  store?: MemoryStore,
): Promise<Gateway> {
  const links = [scriptedLink('a', script, [device('A', 'a', [1, 2, 3], { period: ms(100) })])];
  return gateway(
    config({ links, rules, writes: new Map([['A.t3', permit]]) }),
    clock,
    extra,
    store,
  );
}

const stateOf = (g: Gateway): string | undefined => g.runtime.field.engine.states().get('HIGH');
const alarmsOf = (g: Gateway): readonly string[] => g.runtime.own.all().map(({ id }) => id);

/** Nothing between the halves for as long as it is so. */
function away(clock: VirtualClock, until: number): Pick<RuntimeOptions, 'pipes'> {
  return {
    pipes: () => {
      if (clock.mono() < until) throw new GatewayError('half-down', 'it does not start');
      return joinedPorts(copied);
    },
  };
}

/** A device whose value is well. */
function bench(): { readonly clock: VirtualClock; readonly script: Script } {
  const clock = new VirtualClock();
  const script = new Script(clock);
  script.values.set('A.t1', 10);
  return { clock, script };
}

/** What a gateway leaves that ran for a while and was stopped. */
async function afterOneBoot(): Promise<
  ReturnType<typeof bench> & { readonly folder: StateFolder; readonly store: MemoryStore }
> {
  const { clock, script } = bench();
  const folder = new StateFolder();
  const first = await start(script, clock, { memoryFiles: folder.open() });
  await first.pass(2_000);
  await first.stop();
  return { clock, script, folder, store: first.store };
}

void t.test(
  'it does not come: the gateway polls and trips, and all of it is stored later',
  async (t) => {
    const { clock, script, folder, store } = await afterOneBoot();
    const extra = { ...away(clock, 60_000), memoryFiles: folder.open() };
    const g = await start(script, clock, extra, store.reopen());
    await g.pass(2_000);
    t.equal(stateOf(g), 'NORMAL', 'what is known beside the journal counts');
    t.same(alarmsOf(g), ['NORTH-DOWN']);
    script.values.set('A.t1', 99);
    await g.pass(1_000);
    t.equal(stateOf(g), 'TRIPPED', 'it trips');
    t.equal(g.broker.messages.length, 0);

    await g.pass(90_000);
    t.same(alarmsOf(g), [], 'it is back');
    t.equal(stateOf(g), 'TRIPPED');
    const all = g.broker.messages
      .filter(({ topic }) => /dev\/A\/(data|hist)\//.test(topic))
      .map(
        ({ payload }) => JSON.parse(Buffer.from(payload).toString()) as { ep: number; sq: number },
      );
    t.ok(all.length > 0, 'values are published');
    t.equal(Math.min(...all.map(({ sq }) => sq)), 1, 'from the first one on');
    t.same([...new Set(all.map(({ ep }) => ep))], [2], 'all of one boot');
    await g.stop();
  },
);

void t.test('trips that happen meanwhile are known to the next start', async (t) => {
  const { clock, script, folder, store } = await afterOneBoot();
  const life = clock.process();
  const extra = { clock: life, ...away(clock, Infinity), memoryFiles: folder.open() };
  const g = await start(script, clock, extra, store.reopen());
  script.values.set('A.t1', 99);
  await g.pass(2_000);
  t.equal(stateOf(g), 'TRIPPED');
  script.values.set('A.t1', 10);
  await g.pass(2_000);
  life.kill();
  const next = await start(script, clock, { memoryFiles: folder.open() }, store.reopen());
  await next.pass(2_000);
  t.match(stateOf(next), /^TRIPPED/, 'it is held on');
  await next.stop();
});

void t.test(
  'it comes late: nobody waits for it longer than said, and one that refuses ends the start',
  async (t) => {
    const { clock, script } = bench();
    let isOpen = false;
    const late = {
      last: async (): Promise<number> => {
        while (!isOpen) await new Promise<void>((go) => clock.at(mono(clock.mono() + 1_000), go));
        return 0;
      },
      record: () => Promise.resolve(),
    };
    const starting = start(script, clock, { epochs: late });
    const g = await starting;
    t.equal(stateOf(g), 'TRIPPED', 'nothing is known at all: it starts tripped');
    isOpen = true;
    await g.pass(5_000);
    t.notOk(alarmsOf(g).includes('NORTH-DOWN'));
    t.match(stateOf(g), /^TRIPPED/, 'until somebody resets it');
    await g.stop();

    const refused = new GatewayError('config-invalid', 'another gateway has the journal');
    const refusing = { last: () => Promise.resolve(0), record: () => Promise.reject(refused) };
    await t.rejects(start(script, clock, { epochs: refusing }), /another gateway/);
  },
);

void t.test(
  'one that opens too late is left: there is one at a time, and all goes on with it',
  async (t) => {
    const { clock, script } = bench();
    let lives = 0;
    const openings: (() => void)[] = [];
    const late = {
      // The first one takes longer than anybody waits.
      last: async (): Promise<number> => {
        if (++lives === 1) await new Promise<void>((go) => openings.push(go));
        return 0;
      },
      record: () => Promise.resolve(),
    };
    const g = await start(script, clock, { epochs: late });
    await g.pass(120_000);
    openings[0]?.();
    await g.pass(60_000);
    t.equal(lives, 2);
    t.ok(g.runtime.fieldHalf.link.isOpen);
    t.notOk(alarmsOf(g).includes('NORTH-DOWN'));
    await g.stop();
  },
);

void t.test('a configuration that changed while another one began is known to it', async (t) => {
  const { clock, script } = bench();
  const g = await start(script, clock, {});
  await g.pass(2_000);
  const links = [scriptedLink('a', script, [device('A', 'a', [1, 2, 3, 4], { period: ms(100) })])];
  const next = config({ links, rules, writes: new Map([['A.t3', permit]]), revision: 'r2' });
  const reload = g.runtime.reload(next, { who: { name: 'me', roles: [] }, keepTrips: false });
  // It dies as soon as it has recorded what is about to be.
  await settle();
  g.runtime.dropNorth();
  await g.until(reload.catch(() => undefined));
  await g.pass(30_000);
  t.equal(
    g.runtime.northHalf.plan.config.revision,
    g.runtime.config.revision,
    'both go by the same',
  );
  const again = g.runtime.reload(next, { who: { name: 'me', roles: [] }, keepTrips: false });
  await g.until(again);
  t.equal(g.runtime.northHalf.plan.config.revision, 'r2');
  await g.stop();
});
