/** What a shared line needs: gaps learned, silent units bounded, requests at once found out, times kept. */
import t from 'tap';
import { type ByteStream, Quality, mono, ms } from '../../gateway/contract/index.js';
import { limits } from '../../gateway/limits.js';
import { DeviceState } from '../../gateway/scan/device.js';
import { TimeHistogram } from '../../gateway/scan/histogram.js';
import { LineLoad } from '../../gateway/scan/load.js';
import { ProbeBudget } from '../../gateway/scan/probes.js';
import { Ramp } from '../../gateway/scan/ramp.js';
import { Tap } from '../../gateway/scan/tap.js';
import { must } from '../support/must.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { Bench } from './bench.js';
import { device, lost } from './script.js';

void t.test(
  'a gap that the device refuses is learned; all else is read together again',
  async (t) => {
    const b = new Bench();
    b.script.refused.add(3);
    const addresses = [1, 2, 4, 5, 6, 7, 8, 9];
    const link = b.start([device('D', 'l', addresses)]);
    await b.pass(2_500);
    for (const i of addresses) t.equal(b.quality(`D.t${String(i)}`), Quality.good);
    t.strictSame(link.jobs[0]?.refused, [], 'no tag is to blame');
    t.equal(link.jobs[0]?.breaks.size, 1);
    // What was learned rests for 2, 4, 8 … s; then it is tried again.
    await b.pass(65_000);
    const from = b.clock.mono();
    await b.pass(5_000);
    t.equal(b.script.count(/^read D 1\.\.2$/, from), 5);
    t.equal(b.script.count(/^read D 4\.\.9$/, from), 5, 'bisected further, and merged again');
    t.equal(b.script.count(/^read/, from), 10);
    b.script.lose(lost());
    await b.pass(3_000);
    const again = b.clock.mono();
    await b.pass(3_000);
    t.equal(b.script.count(/^read D 1\.\.9$/, again), 0, 'remembered over a reconnect');
    b.script.refused.clear();
    await b.pass(limits.refusedRetryMs);
    const merged = b.clock.mono();
    await b.pass(3_000);
    t.equal(b.script.count(/^read D 1\.\.9$/, merged), 3, 'tried again after a while');
  },
);

void t.test('silent units cost the others at most their share of the line', async (t) => {
  for (const dead of [1, 5]) {
    const b = new Bench();
    b.script.latency = 20;
    const names = Array.from({ length: 32 }, (_, i) => `U${String(i)}`);
    const link = b.start(names.map((name) => device(name, 'l', [1, 2])));
    await b.pass(5_000);
    for (const name of names.slice(0, dead)) b.script.dead.add(name);
    const from = b.clock.mono();
    await b.pass(600_000);
    const lostMs = b.script.steps
      .filter(({ at, what }) => at >= from && /^read U(\d+) /.test(what))
      .filter(({ what }) => Number(/^read U(\d+) /.exec(what)?.[1]) < dead).length;
    // Each question to one of them holds the line for a time-out of 200 ms, or less for a probe.
    const share = (lostMs * 200) / 600_000;
    t.ok(share <= limits.probeShare, `${String(dead)} of 32: ${(share * 100).toFixed(1)} %`);
    t.equal(b.script.count(new RegExp(`^read U${String(dead)} `), from), 600, 'the others keep up');
    t.equal(link.devices.filter(({ demoted }) => demoted).length, dead);
    b.script.dead.clear();
    await b.pass(130_000);
    t.equal(link.devices.filter(({ demoted }) => demoted).length, 0, 'all are taken back');
  }
});

void t.test('one probe at a time, and those that have waited longest first', (t) => {
  const devices: DeviceState[] = [];
  const budget = new ProbeBudget(() => devices);
  for (const name of ['A', 'B', 'C']) devices.push(new DeviceState(name, budget));
  const [a, b, c] = devices;
  for (const one of [a, b])
    for (let i = 0; i < limits.demoteAfter; i++) one?.failed(mono(0), 'x', 100);
  t.notOk(a?.mayProbe(mono(3_000)), 'the line has been held for 400 ms');
  t.ok(a?.mayProbe(mono(8_000)));
  a?.probe(mono(8_000));
  t.notOk(b?.mayProbe(mono(8_000)), 'one at a time');
  a?.failed(mono(8_100), 'x', 100);
  t.ok(b?.mayProbe(mono(20_000)), 'it is the turn of the other one');
  t.notOk(a?.mayProbe(mono(20_000)));
  b?.probe(mono(20_000));
  b?.failed(mono(20_100), 'x', 100);
  t.ok(a?.mayProbe(mono(30_000)));
  t.notOk(c?.mayProbe(mono(0)), 'who answers is read, not probed');
  c?.failed(mono(0), 'x', 0);
  c?.failed(mono(0), 'x', 0);
  t.ok(c?.mayProbe(mono(13_000)), 'where nobody answers there is nobody to spare');
  t.end();
});

void t.test('a probe waits no longer than the device ever took', (t) => {
  const state = new DeviceState('D', new ProbeBudget(() => []));
  t.equal(state.timeoutOf(1_000), 1_000);
  for (let i = 0; i < 30; i++) state.times.add(60);
  t.equal(state.timeoutOf(1_000), 1_000, 'not while it answers');
  state.failed(mono(0), 'x', 1_000);
  state.failed(mono(0), 'x', 1_000);
  t.equal(state.timeoutOf(1_000), 180);
  t.equal(state.timeoutOf(150), 150);
  t.end();
});

void t.test(
  'how many requests at once a device takes is found out, and nothing is lost over it',
  async (t) => {
    const b = new Bench();
    b.script.bounds = { inFlight: 8, ramp: true };
    let onWire = 0;
    let most = 0;
    const takes = 3;
    b.script.onRead = () => {
      most = Math.max(most, onWire + 1);
      // What is too much is lost without a word.
      if (onWire >= takes) return new Promise(() => undefined);
      onWire++;
      return new Promise((resolve) => {
        b.clock.at(mono(b.clock.mono() + 5), () => {
          onWire--;
          resolve('done');
        });
      });
    };
    const groups = Array.from({ length: 10 }, (_, i) => 1 + i * 20);
    const link = b.start([device('D', 'l', groups, { period: ms(500) })]);
    await b.pass(100);
    t.equal(link.stats['in_flight'], 1, 'it begins with one');
    await b.pass(20_000);
    t.equal(link.stats['in_flight'], 2, 'four were too many, two are not');
    t.ok(most > takes, 'more were tried');
    t.notOk(link.devices[0]?.demoted);
    const bad = b.items.filter(({ kind }) => kind === 'bad');
    t.equal(
      bad.filter(({ quality }) => quality === Quality.timeout).length,
      0,
      'what was dropped in the trial was asked again',
    );
    t.end();
  },
);

void t.test('the ramp proves a width for a time-out, with all of it in use', (t) => {
  const timeout = 1_000;
  const ramp = new Ramp(8, true, timeout);
  let now = 0;
  const answer = (n: number, busy = ramp.width): void => {
    for (let i = 0; i < n; i++) ramp.answered(mono(now), mono((now += 5)), busy);
  };
  answer(limits.rampAfter);
  t.equal(ramp.width, 2, 'one needs no proof');
  answer(100);
  t.equal(ramp.width, 2, 'what is lost shows after a time-out only');
  ramp.broken(mono(now));
  t.equal(ramp.width, 1, 'a link that breaks in a trial');
  t.end();
});

void t.test('the ramp goes on while all goes well, and back when it does not', (t) => {
  const timeout = 1_000;
  const ramp = new Ramp(8, true, timeout);
  let now = 0;
  const answer = (n: number, busy = ramp.width): void => {
    for (let i = 0; i < n; i++) ramp.answered(mono(now), mono((now += 5)), busy);
  };
  answer(limits.rampAfter);
  t.equal(ramp.width, 2);
  now += timeout;
  answer(100, 1);
  t.equal(ramp.width, 2, 'not proven while only one was used');
  answer(limits.rampAfter);
  t.equal(ramp.width, 4);
  const inTrial = now + 1;
  now += 50;
  t.ok(ramp.lost(mono(inTrial), mono(now)), 'too many');
  t.ok(ramp.lost(mono(inTrial), mono(now + 5)), 'all that were sent meanwhile are asked again');
  t.equal(ramp.width, 2);
  now += 10 * timeout;
  answer(100);
  t.equal(ramp.width, 2, 'not tried again');
  for (let i = 0; i < limits.linkTimeouts; i++)
    t.notOk(
      ramp.lost(mono(now), mono(now)),
      'what is lost at a proven width is the trouble of the device',
    );
  t.equal(ramp.width, 1, 'but when it goes on, fewer are asked');
  const fixed = new Ramp(3, false, timeout);
  for (let i = 0; i < 10; i++) fixed.lost(mono(0), mono(0));
  t.equal(fixed.width, 3, 'what was typed stays');
  t.end();
});

void t.test('percentiles to within a fifth, the longest exactly', (t) => {
  const times = new TimeHistogram();
  t.equal(times.percentile(0.5), 0);
  for (let i = 1; i <= 1_000; i++) times.add(i);
  for (const share of [0.1, 0.5, 0.95, 0.99])
    t.ok(Math.abs(times.percentile(share) / (share * 1_000) - 1) < 0.2, String(share));
  t.equal(times.percentile(1), 1_000);
  t.equal(times.max, 1_000);
  times.add(1e9);
  t.equal(times.total, 1_001);
  t.end();
});

void t.test('how busy a line is, over ten seconds', (t) => {
  const load = new LineLoad();
  for (let at = 0; at < 30_000; at += 100) load.carried(mono(at), mono(at + 30), 1);
  t.ok(Math.abs(load.busy(mono(30_000)) - 0.3) < 0.01);
  t.equal(load.busy(mono(60_000)), 0, 'nothing for a while');
  const lanes = new LineLoad();
  for (let at = 0; at < 15_000; at += 100) lanes.carried(mono(at), mono(at + 100), 4);
  t.ok(Math.abs(lanes.busy(mono(15_000)) - 0.25) < 0.01, 'one lane of four');
  t.end();
});

void t.test(
  'a tap hears both ways while somebody listens, and forgets when nobody does',
  async (t) => {
    const clock = new VirtualClock();
    const tap = new Tap(clock);
    let arrive: (bytes: Uint8Array) => void = () => undefined;
    const sent: number[] = [];
    const inner: ByteStream = {
      onBytes: (handler) => (arrive = handler),
      onEnd: () => undefined,
      write: (bytes) => sent.push(...bytes),
      close: () => undefined,
    };
    const stream = tap.wrap(inner);
    const got: number[] = [];
    stream.onBytes((bytes) => got.push(...bytes));
    stream.write(Uint8Array.of(1));
    t.same(tap.fetch(0), { pieces: [], lost: 0 }, 'nobody listened');
    stream.write(Uint8Array.of(2));
    arrive(Uint8Array.of(3));
    const { pieces } = tap.fetch(0);
    t.match(pieces, [
      { n: 1, sent: true, bytes: Uint8Array.of(2) },
      { n: 2, sent: false, bytes: Uint8Array.of(3) },
    ]);
    t.same([sent, got], [[1, 2], [3]], 'and everything went on its way');
    for (let i = 0; i < limits.traceFrames + 5; i++) stream.write(Uint8Array.of(4));
    t.equal(tap.fetch(2).lost, 5, 'bounded, and what was shed is counted');
    await clock.run(clock.mono() + limits.traceIdleMs + 1);
    stream.write(Uint8Array.of(5));
    t.same(tap.fetch(9_999).pieces, [], 'nobody came for it');
  },
);

void t.test(
  'silence between an answer and the next request is kept, to the millisecond',
  async (t) => {
    const b = new Bench();
    b.script.bounds = { requestGap: ms(4) };
    b.start([device('D', 'l', [1, 20, 40, 60])]);
    await b.pass(1_000);
    const reads = b.script.steps.filter(({ what }) => what.startsWith('read')).map(({ at }) => at);
    t.ok(reads.length >= 4);
    for (let i = 1; i < 4; i++)
      t.equal(
        (reads[i] ?? 0) - (reads[i - 1] ?? 0),
        b.script.latency + 4,
        'the answer, and the gap',
      );
  },
);

void t.test(
  'a poll that was on its way when a value was written does not bring the old one back',
  async (t) => {
    const b = new Bench();
    b.script.bounds = { inFlight: 2, requestTimeout: ms(2_000) };
    b.script.values.set('D.t1', 1);
    const link = b.start([device('D', 'l', [1])]);
    await b.pass(1_500);
    const [binding] = link.config.bindings;
    if (!binding) return;
    // A poll that the device answers slowly, with what it held before the write.
    b.script.onRead = () => {
      b.script.onRead = undefined;
      return new Promise((resolve) => {
        b.clock.at(mono(b.clock.mono() + 300), () => resolve('done'));
      });
    };
    link.readSoon(binding);
    await b.pass(20);
    const seen: number[] = [];
    void link.write(binding, 2, false);
    for (let i = 0; i < 100; i++) {
      link.readSoon(binding);
      await b.pass(10);
      const value = b.seen.get('D.t1')?.value;
      if (value !== undefined && value !== seen.at(-1)) seen.push(value);
    }
    t.equal(b.script.count(/^write/), 1);
    t.equal(seen.at(-1), 2);
    t.notOk(seen.slice(seen.indexOf(2)).includes(1), `never back: ${seen.join()}`);
  },
);

void t.test(
  'point 28: a command that waits for an output is overruled by the trip that comes for it',
  async (t) => {
    const b = new Bench();
    const link = b.start([device('A', 'l', [1, 20, 40, 60])]);
    await b.pass(1_002);
    const [output, other] = link.config.bindings;
    if (!output || !other) return;
    const command = link.write(output, 1, false);
    const unrelated = link.write(other, 7, false);
    const trip = link.write(output, 0, true);
    command.catch(() => undefined);
    await b.pass(200);
    await t.rejects(command, { code: 'held-by-rule' });
    t.same([await trip, await unrelated], [{ ok: true }, { ok: true }]);
    t.equal(b.script.count(/^write A\.t1=1/), 0, 'never sent');
    t.equal(b.script.values.get('A.t1'), 0);
  },
);

void t.test('outputs held on a dead unit do not take the line from the others', async (t) => {
  const b = new Bench();
  b.script.bounds = { requestTimeout: ms(200) };
  const link = b.start([device('A', 'l', [1]), device('B', 'l', [1, 2, 3])]);
  await b.pass(3_000);
  b.script.dead.add('B');
  const held = link.config.bindings.filter(({ device: name }) => name === 'B');
  const from = b.clock.mono();
  // As the gate does it: again, three seconds after each failure.
  let until = from + 120_000;
  const hold = async (binding: (typeof held)[number]): Promise<void> => {
    while (b.clock.mono() < until) {
      await link.write(binding, 1, true).catch(() => undefined);
      await new Promise<void>((resolve) => b.clock.at(mono(b.clock.mono() + 3_000), resolve));
    }
  };
  const working = held.map(hold);
  await b.pass(120_000);
  until = 0;
  t.ok(b.script.count(/^read A/, from) >= 118, `${String(b.script.count(/^read A/, from))} of 120`);
  t.equal(b.script.connections, 1, 'and the link is not in doubt');
  await b.pass(10_000);
  await Promise.all(working);
});

void t.test('beats for a dead unit do not fill the queue that trips wait in', async (t) => {
  const b = new Bench();
  b.script.bounds = { requestTimeout: ms(200) };
  const link = b.start([device('A', 'l', [1]), device('B', 'l', [1])]);
  await b.pass(3_000);
  b.script.dead.add('B');
  const of = (name: string): (typeof link.config.bindings)[number] | undefined =>
    link.config.bindings.find(({ device: one }) => one === name);
  const [trip, beat] = [of('A'), of('B')];
  must(trip !== undefined && beat !== undefined, 'bindings');
  let waiting = 0;
  let most = 0;
  for (let i = 0; i < 3 * limits.pendingWrites; i++) {
    most = Math.max(most, ++waiting);
    void link
      .write(beat, i, true)
      .catch(() => undefined)
      .then(() => waiting--);
    await b.pass(100);
  }
  t.ok(most <= 3, `${String(most)} beats wait at once`);
  const tripped = link.write(trip, 0, true);
  await b.pass(1_000);
  t.same(await tripped, { ok: true });
  b.script.dead.clear();
  const from = b.clock.mono();
  await b.pass(limits.probeMaxMs);
  t.ok(b.script.count(/^write B/, from) <= 1, 'and the old ones are not written later');
});

void t.test('a device that is back is read whole at once, also what is read rarely', async (t) => {
  const b = new Bench();
  const fast = device('A', 'l', [1], { scanClass: 'fast', period: ms(500) });
  const slow = device('A', 'l', [20], { scanClass: 'slow', period: ms(900_000) });
  const other = device('S', 'l', [1], { scanClass: 'slow', period: ms(900_000) });
  const well = device('W', 'l', [1]);
  b.start([{ ...fast, tags: [...fast.tags, ...slow.tags] }, other, well]);
  await b.pass(5_000);
  t.equal(b.quality('A.t20'), Quality.good);
  for (const name of ['A', 'S']) b.script.dead.add(name);
  await b.pass(10_000);
  t.equal(b.quality('A.t20'), Quality.timeout);
  b.script.dead.delete('A');
  await b.pass(limits.probeMaxMs);
  t.equal(b.quality('A.t1'), Quality.good, 'though another one is silent and its slot is far away');
  t.equal(b.quality('A.t20'), Quality.good);
});

void t.test('a device that refuses everything for a while is asked again soon', async (t) => {
  const b = new Bench();
  const addresses = [1, 2, 3, 4, 5, 6];
  for (const address of addresses) b.script.refused.add(address);
  b.start([device('D', 'l', addresses)]);
  await b.pass(6_000);
  t.ok((b.quality('D.t1') ?? 0) >= 0x80);
  b.script.refused.clear();
  await b.pass(9_000);
  for (const i of addresses) t.equal(b.quality(`D.t${String(i)}`), Quality.good);
});
