import t from 'tap';
import { ms, type RuleLanguage } from '../../gateway/contract/index.js';
import { limits } from '../../gateway/limits.js';
import { Control } from '../../gateway/run/control.js';
import { Tick, type TickParts } from '../../gateway/run/tick.js';
import { WallClock } from '../../gateway/run/wall-clock.js';
import { Inbox } from '../../gateway/scan/inbox.js';
import { ruleLanguage } from '../../rules/index.js';
import { Script, device, scriptedLink } from '../scan/script.js';
import { config, tag } from '../support/config.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { gateway, type Gateway } from './rig.js';

void t.test(
  'wall time: a step opens an epoch and is told once, drift is followed slowly',
  async (t) => {
    const clock = new VirtualClock();
    const wall = new WallClock(clock);
    const at = async (time: number): Promise<number> => {
      await clock.run(time);
      return wall.check(time);
    };
    clock.stepWall(3_600_000);
    t.equal(await at(100), 0, 'not looked at so often');
    t.equal(await at(250), 3_600_000);
    t.equal(wall.epoch, 2);
    t.equal(wall.now(), clock.wall());
    clock.stepWall(-7_200_000);
    t.equal(await at(500), -7_200_000);
    clock.stepWall(400);
    let before = wall.now();
    for (let time = 750; time <= 20_000; time += 250) {
      t.equal(await at(time), 0);
      const jump = wall.now() - before - 250;
      t.ok(jump >= -1 && jump <= 41, `${String(jump)} ms at once`);
      before = wall.now();
    }
    t.equal(wall.epoch, 3, 'no new epoch');
    t.ok(Math.abs(wall.now() - clock.wall()) <= 2, 'and it arrives');
  },
);

/** What the rules saw: when they ran. */
function watched(scans: number[]): RuleLanguage['start'] {
  return (program, options) => {
    const engine = ruleLanguage.start(program, options);
    return {
      scan: (now) => {
        scans.push(now);
        return engine.scan(now);
      },
      command: (id, command, by, now) => engine.command(id, command, by, now),
      why: (id) => engine.why(id),
      alarms: () => engine.alarms(),
      states: () => engine.states(),
      retained: (of) => engine.retained(of),
      held: (of) => engine.held(of),
      orphans: () => engine.orphans(),
      remarks: () => engine.remarks(),
      lost: () => engine.lost(),
      obeyed: (output, reason) => engine.obeyed(output, reason),
    };
  };
}

void t.test(
  'ticks: soon when something comes, never closer than the gap, seldom when idle',
  async (t) => {
    const clock = new VirtualClock();
    const script = new Script(clock);
    const scans: number[] = [];
    const links = [scriptedLink('a', script, [device('A', 'a', [1], { period: ms(2_000) })])];
    const rules = { ...ruleLanguage, start: watched(scans) };
    const g = await gateway(config({ links }), clock, { rules });
    await g.pass(3_000);
    const gaps = scans.slice(1).map((at, i) => at - (scans[i] ?? 0));
    t.ok(Math.min(...gaps) >= limits.tickGapMs, `${String(Math.min(...gaps))} ms`);
    t.ok(Math.max(...gaps) <= limits.tickIdleMs);
    await g.pass(30_000);
    t.ok(scans.length < 33 * 8, `${String(scans.length)} ticks in 33 s`);
    const answered = script.steps
      .filter(({ what }) => what.startsWith('read'))
      .map(({ at }) => at + script.latency);
    for (const at of answered.slice(1)) {
      t.ok(
        scans.some((scan) => scan >= at && scan <= at + limits.tickGapMs),
        'evaluated at once',
      );
    }
    const busy = new Script(clock);
    busy.latency = 1;
    const many = Array.from({ length: 8 }, (_, i) =>
      device(`B${String(i)}`, 'b', [1, 20, 40], { period: ms(20) }),
    );
    await g.until(
      g.runtime.reload(config({ links: [scriptedLink('b', busy, many)], revision: 'r2' }), {
        who: { name: 'me', roles: [] },
        keepTrips: false,
      }),
    );
    const from = scans.length + 1;
    await g.pass(1_000);
    const close = scans.slice(from).map((at, i) => at - (scans[from + i - 1] ?? 0));
    t.ok(
      Math.min(...close) >= limits.tickGapMs && close.length <= 1_000 / limits.tickGapMs,
      'coalesced',
    );
    await g.stop();
  },
);

void t.test(
  'what completes a scan that a tick has cut in two does not wait for the gap',
  async (t) => {
    const clock = new VirtualClock();
    const script = new Script(clock);
    script.latency = 1;
    const scans: number[] = [];
    const addresses = [1, 100, 200, 300, 400, 500, 600, 700];
    const links = [scriptedLink('a', script, [device('A', 'a', addresses, { period: ms(1_000) })])];
    const rules = { ...ruleLanguage, start: watched(scans) };
    const g = await gateway(config({ links }), clock, { rules });
    await g.pass(5_000);
    const reads = script.steps.filter(({ what }) => what.startsWith('read')).map(({ at }) => at);
    const ends = reads.filter((at, i) => (reads[i + 1] ?? 0) > at + 100);
    t.ok(ends.length >= 3, 'scans of eight milliseconds');
    for (const last of ends.slice(1)) {
      const begin = last - 7;
      const during = scans.filter((at) => at > begin && at <= last + script.latency + 1);
      t.equal(during.length, 2, 'one for what there is after five of them, one when all is there');
      t.ok(
        scans.every((at) => at <= last + 2 || at >= last + limits.tickGapMs),
        'then the gap',
      );
    }
    await g.stop();
  },
);

void t.test('the gap holds for everything else, however long a scan is under way', async (t) => {
  const clock = new VirtualClock();
  const nothing = { stats: {}, nextDue: () => undefined };
  const does = new Proxy(nothing, {
    get: (of, key): unknown => Reflect.get(of, key) ?? (() => undefined),
  });
  const parts = { image: {}, staleness: does, engine: undefined, gate: does, reporter: does };
  const inbox = new Inbox(() => undefined);
  const tick = new Tick(parts as unknown as TickParts, {
    clock,
    wall: { check: () => 0 } as unknown as WallClock,
    inbox,
  });
  tick.start();
  inbox.scanBegan();
  for (let at = 1; at <= 1_000; at++) {
    await clock.run(at);
    tick.wake();
  }
  t.ok(tick.stats.ticks > 50 && tick.stats.ticks <= 101, `${String(tick.stats.ticks)} ticks`);
  tick.stop();
});

/** A pump that an interlock may stop, and an alarm. */
async function pump(): Promise<{ g: Gateway; script: Script; control: Control; order: string[] }> {
  const clock = new VirtualClock();
  const script = new Script(clock);
  const order: string[] = [];
  const tags = [
    tag('P', 't1', 'a', { type: 'float32' }),
    tag('P', 't2', 'a', { type: 'bool' }),
    tag('P', 't3', 'a', { type: 'float32', unit: 'bar' }),
  ];
  const links = [
    scriptedLink('a', script, [{ name: 'P', link: 'a', tags, primary: 't1', events: undefined }]),
  ];
  const permit = {
    range: [0, 100] as const,
    ratePerSecond: undefined,
    expect: false,
    verify: { by: 'P.t2', within: ms(3_000) },
  };
  const plant = config({
    links,
    writes: new Map([
      ['P.t2', { ...permit, tag: 'P.t2', allow: new Set(['rules', 'operator'] as const) }],
      [
        'P.t3',
        {
          ...permit,
          tag: 'P.t3',
          allow: new Set(['operator'] as const),
          verify: { by: 'P.t3', within: ms(3_000) },
        },
      ],
    ]),
    rules: [
      {
        interlock: 'HIGH',
        cause: 'P.t1 > 10',
        latch: 'manual',
        effects: [{ set: 'P.t2', to: false, level: 'trip' }],
      },
      { alarm: 'WARM', when: 'P.t1 > 5', priority: 'low' },
    ].map((rule, index) => ({ file: 'r.yaml', index, rule })),
  });
  script.onWrite = (name) => {
    order.push(`write ${name}`);
    return undefined;
  };
  const g = await gateway(plant, clock, { reload: () => Promise.resolve('reloaded') });
  const { journal } = g.runtime.north;
  const take = journal.takeRecord.bind(journal);
  journal.takeRecord = (n, c, json, now) => {
    order.push(`record ${c}`);
    return take(n, c, json, now);
  };
  script.values.set('P.t2', 1);
  script.values.set('P.t1', 1);
  await g.pass(3_000);
  const control = new Control(g.runtime.northHalf);
  return { g, script, control, order };
}

void t.test(
  'a trip is on the wire before anything is recorded, and stays until it is reset',
  async (t) => {
    const { g, script, control, order } = await pump();
    const ask = (op: string, args: Record<string, unknown> = {}): Promise<unknown> =>
      g.until(Promise.resolve().then(() => control.handle({ op, args, who: 'ann' })));
    order.length = 0;
    script.values.set('P.t1', 11);
    await g.pass(1_100);
    t.equal(order[0], 'write P.t2', order.join());
    t.ok(order.includes('record event') && order.includes('record audit'));
    t.match(await ask('rules'), { HIGH: 'TRIPPED' });
    await t.rejects(ask('reset', { rule: 'HIGH' }), { code: 'reset-refused' });
    await t.rejects(ask('write', { tag: 'P.t2', value: true }), { code: 'held-by-rule' });
    script.values.set('P.t1', 1);
    await g.pass(1_500);
    t.match(await ask('rules'), { HIGH: 'TRIPPED_CLEAR' });
    t.match(await ask('reset', { rule: 'HIGH' }), { reset: 'HIGH' });
    await g.pass(100);
    t.match(await ask('rules'), { HIGH: 'NORMAL' });
    await g.stop();
  },
);

void t.test('what the command line asks is answered, and each refusal says why', async (t) => {
  const { g, script, control } = await pump();
  const ask = (op: string, args: Record<string, unknown> = {}): Promise<unknown> =>
    g.until(Promise.resolve().then(() => control.handle({ op, args, who: 'ann' })));
  t.match(await ask('read', { tag: 'P' }), {
    name: 'P.t1',
    value: 1,
    quality: 'good',
    reason: 'measured',
  });
  t.match(await ask('tags', { pattern: 'P.t[3]' }), []);
  t.strictSame(((await ask('tags', { pattern: '*.t?' })) as unknown[]).length, 3);
  t.match(await ask('status'), {
    gateway: 'g1',
    epoch: 1,
    links: [{ state: 'connected' }],
    sinks: [{ connected: true }],
  });
  t.match(await ask('write', { tag: 'P.t3', value: '12.5' }), {
    before: 0,
    after: 12.5,
    verified: true,
  });
  t.equal(script.values.get('P.t3'), 12.5);
  t.match(await ask('why', { rule: 'HIGH' }), { rule: 'HIGH', state: 'NORMAL' });
  t.equal(await ask('reload'), 'reloaded');
  script.values.set('P.t1', 6);
  await g.pass(1_500);
  t.match(await ask('alarms'), [{ id: 'WARM', state: 'UNACK' }]);
  t.match(await ask('ack', { alarm: 'WARM' }), { ack: 'WARM' });
  await g.pass(100);
  t.match(await ask('alarms'), [{ state: 'ACKED' }]);
  const refusals: readonly [string, Record<string, unknown>, string][] = [
    ['dance', {}, 'bad-request'],
    ['read', {}, 'bad-request'],
    ['read', { tag: 'P.none' }, 'unknown-name'],
    ['write', { tag: 'P.t3', value: {} }, 'bad-request'],
    ['write', { tag: 'P.t3', value: 'much' }, 'bad-request'],
    ['write', { tag: 'P.t3', value: 101 }, 'out-of-range'],
    ['write', { tag: 'P.t1', value: 1 }, 'not-writable'],
    ['why', { rule: 'NONE' }, 'unknown-name'],
  ];
  for (const [op, args, code] of refusals)
    await t.rejects(ask(op, args), { code }, `${op} ${JSON.stringify(args)}`);
  for (const op of ['read', 'why', 'tags'])
    t.doesNotThrow(() => {
      control
        .handle({ op, args: { tag: 1, rule: 1, pattern: 1 }, who: 'ann' })
        .catch(() => undefined);
    }, `${op} rejects, it does not throw`);
  await g.stop();
});
