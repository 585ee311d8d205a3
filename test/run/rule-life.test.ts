/**
 * Rules in a whole gateway: commands with roles, what a rule doubts, retries at the gate, and the record of a
 * trip (point 35 of the semantics: what was before and after it, in one file).
 */
import t from 'tap';
import type { TripRecord } from '../../gateway/run/black-box.js';
import type { RecordedTrip } from '../../gateway/run/past-why.js';
import { Control } from '../../gateway/run/control.js';
import { ms } from '../../gateway/contract/index.js';
import { Script, scriptedLink } from '../scan/script.js';
import { config, tag } from '../support/config.js';
import { MemoryStore } from '../../gateway/journal/memory-store.js';
import { StateFolder } from '../support/memory-files.js';
import { shelfOf } from '../support/trip-shelf.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { gateway, type Gateway } from './rig.js';

interface Plant {
  readonly g: Gateway;
  readonly script: Script;
  readonly trips: Map<string, TripRecord>;
  readonly ask: (op: string, args: Record<string, unknown>, who?: string) => Promise<unknown>;
}

interface Before {
  readonly store?: Gateway['store'];
  readonly value?: number;
  readonly folder?: StateFolder;
}
async function plant(rules: readonly object[], before?: Before): Promise<Plant> {
  const clock = new VirtualClock();
  const script = new Script(clock);
  const trips = new Map<string, TripRecord>();
  const tags = [
    tag('P', 't1', 'a', { type: 'float32', unit: 'bar' }),
    tag('P', 't2', 'a', { type: 'bool' }),
    tag('P', 't3', 'a', { type: 'bool' }),
  ];
  const devices = [{ name: 'P', link: 'a', tags, primary: 't1', events: undefined }];
  const permit = {
    tag: 'P.t2',
    allow: new Set(['rules'] as const),
    range: undefined,
    ratePerSecond: undefined,
    expect: false,
    verify: { by: 'P.t2', within: ms(3_000) },
  };
  const whole = config({
    links: [scriptedLink('a', script, devices)],
    writes: new Map([['P.t2', permit]]),
    roles: new Map([['shift', ['ann']]]),
    rules: rules.map((rule, index) => ({ file: 'r.yaml', index, rule })),
  });
  script.values
    .set('P.t1', before?.value ?? 1)
    .set('P.t2', 1)
    .set('P.t3', 1);
  const kept = shelfOf(new Map());
  const extra: Parameters<typeof gateway>[2] = {
    trips: {
      ...kept,
      save: (name, json) => {
        trips.set(name, JSON.parse(json) as TripRecord);
        return kept.save(name, json);
      },
    },
    ...(before?.folder ? { memoryFiles: before.folder.open() } : {}),
  };
  const g = await gateway(whole, clock, extra, before?.store);
  const control = new Control(g.runtime.northHalf);
  await g.pass(3_000);
  return {
    g,
    script,
    trips,
    ask: (op, args, who = 'ann') =>
      g.until(Promise.resolve().then(() => control.handle({ op, args, who }))),
  };
}

const high = {
  interlock: 'HIGH',
  cause: 'P.t1 > 10 bar',
  effects: [{ set: 'P.t2', to: false, verify: { expect: 'not P.t3', within: '5s', retry: 1 } }],
  bypass: { per_input: true, max: '1h', role: 'shift' },
};

void t.test('a bypass by command: role, audit, alarm, end', async (t) => {
  const { g, ask } = await plant([high]);
  const args = { rule: 'HIGH', input: 'P.t1', for: '10min', reason: 'transmitter out' };
  await t.rejects(ask('bypass', args, 'bob'), /needs the role shift/);
  await t.rejects(ask('bypass', { ...args, for: undefined }), /for is missing/);
  await t.rejects(ask('bypass', { ...args, for: 'long' }), /for: long is no time/);
  t.same(await ask('bypass', args), { bypass: 'HIGH' });
  await g.pass(1_000);
  t.match(await ask('alarms', {}), [{ id: 'HIGH-BYPASSED', state: 'UNACK' }]);
  t.match(await ask('why', { rule: 'HIGH' }), { text: [/./, /./, /P.t1 is bypassed by ann/] });
  const audit = g.broker.under('audit') as { action?: string; after?: string; result?: string }[];
  t.match(
    audit.filter(({ action }) => action === 'bypass').map(({ result }) => result),
    ['requested', 'refused', 'requested', 'done'],
  );
  t.match(audit.at(-1)?.after, /input P.t1, duration 600000, reason transmitter out/);
  await g.pass(600_000);
  await t.rejects(ask('unbypass', { rule: 'HIGH', input: 'P.t1' }), /not bypassed/);
  await g.stop();
});

void t.test('point 26: what the plant does not follow is written again, and told', async (t) => {
  const { g, script, ask } = await plant([high]);
  let writes = 0;
  script.onWrite = () => {
    writes++;
    return undefined;
  };
  script.values.set('P.t1', 11);
  await g.pass(4_000);
  t.equal(writes, 1);
  await g.pass(5_000);
  t.equal(writes, 2, 'once more, though the device says that it is done');
  await g.pass(6_000);
  t.equal(writes, 2);
  t.match(await ask('alarms', {}), [
    { id: 'HIGH-WRITE-FAILED', state: 'UNACK', text: /had no effect/ },
  ]);
  script.values.set('P.t3', 0);
  await g.pass(3_000);
  t.match(await ask('alarms', {}), [{ id: 'HIGH-WRITE-FAILED', state: 'RTN_UNACK' }]);
  await g.stop();
});

void t.test(
  'point 35: a trip is recorded with the minute before and the half minute after',
  async (t) => {
    const { g, script, trips } = await plant([high]);
    await g.pass(30_000);
    script.values.set('P.t1', 11);
    await g.pass(3_000);
    script.values.set('P.t1', 2);
    await g.pass(20_000);
    t.match([...trips.values()], [{ covers: [/./, 0] }], 'begun with the trip');
    await g.pass(15_000);
    const [name, record] = [...trips][0] ?? [];
    t.match(name, /^HIGH-\d+$/);
    t.match(record, { rule: 'HIGH', event: { to: 'TRIPPED' }, states: { HIGH: 'TRIPPED' } });
    t.match(record?.source, /cause: P.t1 > 10 bar/);
    const values = record?.samples.filter(([, tag]) => tag === 'P.t1') ?? [];
    const before = values.filter(([at, , , quality]) => at < 0 && quality === 'good');
    const after = values.filter(([at]) => at > 0);
    t.ok(before.length >= 20 && before.every(([, , value]) => value === 1), 'what was before');
    t.ok(after.length >= 10 && after.some(([, , value]) => value === 2), 'and after');
    t.ok(
      values.some(([at, , value]) => at === 0 && value === 11),
      'and what tripped',
    );
    t.ok(
      record?.samples.some(([, tag, value]) => tag === 'P.t2' && value === false),
      'the output too',
    );
    t.match(record?.covers[1], 30_000);
    t.same(
      record?.events.map(({ to }) => to),
      ['NORMAL', 'TRIPPED', 'TRIPPED_CLEAR', 'UNACK'],
      'the alarm that the plant did not follow among them',
    );
    await g.stop();
  },
);

void t.test('point 35: why it was as it was then', async (t) => {
  const told = { ...high, alarm: { priority: 'high', consequence: 'c', response: 'r' } };
  const p = await plant([told, { ...high, interlock: 'OTHER' }]);
  await p.g.pass(70_000);
  const start = p.g.runtime.wall.now();
  p.script.values.set('P.t1', 11);
  await p.g.pass(2_000);
  await p.ask('ack', { alarm: 'HIGH' });
  await p.g.pass(3_000);
  p.script.values.set('P.t1', 2);
  await p.g.pass(60_000);
  const [trip, ...more] = (await p.ask('trips', { rule: 'HIGH' })) as RecordedTrip[];
  t.same(more, []);
  t.match(trip, { text: /HIGH tripped.*P.t1 > 10 bar/ });
  const at = (ms: number): Promise<unknown> => p.ask('why', { rule: 'HIGH', at: start + ms });
  t.match(await at(-5_000), {
    state: 'NORMAL',
    since: undefined,
    evidence: [],
    tags: [{ tag: 'P.t1', value: 1, quality: 'good' }, { tag: 'P.t2' }],
  });
  t.match(await at(3_000), {
    state: 'TRIPPED',
    since: trip?.time,
    text: /HIGH tripped/,
    evidence: [{ tag: 'P.t1', value: 11, limit: 10 }],
    tags: [
      { tag: 'P.t1', value: 11 },
      { tag: 'P.t2', value: false },
    ],
    source: /cause: P.t1 > 10 bar/,
  });
  t.match(await at(20_000), { state: 'TRIPPED_CLEAR', tags: [{ value: 2 }, {}] });
  await t.rejects(at(600_000), /none of the 1 recorded trip of HIGH was near that time/);
  await t.rejects(p.ask('why', { rule: 'NONE', at: start }), /none of the 0 recorded trips/);
  await p.g.stop();
});

void t.test(
  'point 35: a plant that goes down as a whole leaves a record of each trip',
  async (t) => {
    const names = Array.from({ length: 40 }, (_, i) => `HIGH${i}`);
    const p = await plant(
      names.map((interlock) => ({
        interlock,
        cause: 'P.t1 > 10 bar',
        latch: 'manual',
        effects: [],
      })),
    );
    p.script.values.set('P.t1', 11);
    const whole = (): number =>
      [...p.trips.values()].filter(({ covers }) => covers[1] === 30_000).length;
    // The scan that sees it comes within a second, and the records are begun within another.
    await p.g.pass(2_000);
    t.same([...p.trips.values()].map(({ rule }) => rule).sort(), [...names].sort(), 'begun');
    t.equal(whole(), 0);
    await p.g.pass(30_000);
    t.ok(whole() > 0 && whole() < names.length, 'and completed a few at a time');
    await p.g.pass(30_000);
    t.equal(whole(), names.length);
    t.equal(p.trips.size, names.length);
    await p.g.stop();
  },
);

void t.test('a trip that no disk has taken is there after a kill', async (t) => {
  const folder = new StateFolder();
  const p = await plant([high], { folder });
  p.g.store.fault = 'disk-full';
  let noted = 0;
  p.script.onWrite = () => {
    // At the very write: what it says is known to the next start already.
    const file = new TextDecoder().decode(folder.notes.open().before);
    noted = file.split('"state":"TRIPPED"').length - 1;
    return undefined;
  };
  p.script.values.set('P.t1', 11);
  await p.g.pass(1_100);
  t.equal(noted, 1, 'noted before it is written');
  const { commits } = p.g.store;

  // A start that cannot store anything either, and another kill.
  const sick = p.g.store.reopen();
  sick.fault = 'disk-full';
  const between = await plant([high], { store: sick, value: 1, folder });
  t.equal(between.g.runtime.field.engine.states().get('HIGH'), 'TRIPPED_CLEAR');
  const again = await plant([high], { store: p.g.store.reopen(), value: 1, folder });
  t.equal(again.g.runtime.field.engine.states().get('HIGH'), 'TRIPPED_CLEAR');
  t.match(again.g.runtime.field.engine.why('HIGH'), { firstOut: { tag: 'P.t1', value: 11 } });
  t.equal(p.g.store.commits, commits, 'nothing of it was committed');
  await again.ask('reset', { rule: 'HIGH' });
  await again.g.pass(1_000);
  const third = await plant([high], { store: again.g.store.reopen(), value: 1, folder });
  t.equal(third.g.runtime.field.engine.states().get('HIGH'), 'NORMAL', 'a note counts once');
  await third.g.stop();
});

void t.test('that all trips are unknown is known after a kill, too', async (t) => {
  const folder = new StateFolder();
  const damaged = new MemoryStore();
  const open = damaged.open.bind(damaged);
  damaged.open = async () => ({ ...(await open()), quarantined: 'old.db' });
  const p = await plant([high], { store: damaged, folder });
  p.g.store.fault = 'disk-full';
  t.equal(p.g.runtime.field.engine.states().get('HIGH'), 'TRIPPED_CLEAR');
  const again = await plant([high], { store: damaged.reopen(), folder });
  t.equal(again.g.runtime.field.engine.states().get('HIGH'), 'TRIPPED_CLEAR');
  await again.g.stop();
});

void t.test('the figures of the alarm system go on over a restart', async (t) => {
  const alarm = { alarm: 'HI', when: 'P.t1 > 10 bar', priority: 'high' };
  const p = await plant([alarm]);
  p.script.values.set('P.t1', 11);
  await p.g.pass(2_000);
  const figures = (g: Gateway): unknown => g.runtime.alarms.figures(g.clock.mono());
  t.match(figures(p.g), { lastDay: 1, standing: 1 });
  await p.g.stop();
  const again = await plant([alarm], { store: p.g.store, value: 11 });
  t.match(figures(again.g), { lastDay: 1, standing: 1 }, 'and what stands is not counted twice');
  await again.g.stop();
});

void t.test('a tag that a rule doubts is uncertain, and good again afterwards', async (t) => {
  const doubt = {
    alarm: 'ODD',
    when: 'not P.t3',
    priority: 'low',
    quality: { 'P.t1': 'uncertain' },
  };
  const { g, script, ask } = await plant([doubt]);
  const quality = async (): Promise<unknown> => {
    const view = (await ask('read', { tag: 'P.t1' })) as { quality: string; reason: string };
    return `${view.quality} ${view.reason}`;
  };
  t.equal(await quality(), 'good measured');
  script.values.set('P.t3', 0);
  await g.pass(3_000);
  t.equal(await quality(), 'uncertain suspect');
  script.values.set('P.t1', 5);
  await g.pass(3_000);
  t.equal(await quality(), 'uncertain suspect', 'new values too');
  script.values.set('P.t3', 1);
  await g.pass(3_000);
  t.equal(await quality(), 'good measured', 'though the device said nothing new of it');
  await g.stop();
});
