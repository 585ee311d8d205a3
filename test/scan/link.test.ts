import t from 'tap';
import { GatewayError, Quality, mono, ms } from '../../gateway/contract/index.js';
import { limits } from '../../gateway/limits.js';
import { Backoff } from '../../gateway/scan/backoff.js';
import { DeviceState } from '../../gateway/scan/device.js';
import { Inbox } from '../../gateway/scan/inbox.js';
import { ScanJob } from '../../gateway/scan/job.js';
import { ProbeBudget } from '../../gateway/scan/probes.js';
import { must } from '../support/must.js';
import { Seeded } from '../support/random.js';
import { Bench } from './bench.js';
import { device, lost } from './script.js';

void t.test('back-off grows to its cap, is cut by a bounded share, and starts small again', (t) => {
  const backoff = new Backoff(new Seeded(3));
  let full: number = limits.backoffFirstMs;
  for (let i = 0; i < 20; i++) {
    const wait = backoff.next();
    t.ok(
      wait <= full && wait >= full * (1 - limits.backoffJitter),
      `${String(i)}: ${String(wait)}`,
    );
    full = Math.min(limits.backoffMaxMs, full * 2);
  }
  backoff.reset();
  t.ok(backoff.next() <= limits.backoffFirstMs);
  t.end();
});

void t.test(
  'point 6: slots keep their phase; what is late is counted, skipped, and not made up for',
  (t) => {
    const job = new ScanJob(new DeviceState('D', new ProbeBudget(() => [])), 'c', ms(100), []);
    job.due = mono(1_030);
    t.equal(job.slot(mono(1_030)), false, 'nothing to read, nothing begins');
    t.equal(job.due, 1_130);
    job.slot(mono(1_199));
    t.equal(job.due, 1_230);
    t.equal(job.stats.overruns, 0, 'less than a period late is no overrun');
    job.slot(mono(1_555));
    t.equal(job.due, 1_630, 'the phase stays');
    t.equal(job.stats.overruns, 3);
    job.next = 0;
    job.slot(mono(1_630));
    t.equal(job.stats.overruns, 4, 'a scan under way is not interrupted');
    t.end();
  },
);

void t.test('a device is demoted after failures in a row and probed ever more rarely', (t) => {
  const state = new DeviceState('D', new ProbeBudget(() => []));
  t.equal(state.failed(mono(0), 'x', 0), true, 'the first is news');
  t.equal(state.failed(mono(10), 'x', 0), false);
  t.ok(state.demoted);
  const waits: number[] = [];
  for (let at = 10; waits.length < 8;) {
    waits.push(state.probeAt - at);
    t.notOk(state.mayProbe(mono(state.probeAt - 1)));
    t.ok(state.mayProbe(state.probeAt));
    at = state.probeAt;
    state.failed(mono(at), 'x', 0);
  }
  t.strictSame(waits, [2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  t.equal(state.succeeded(mono(0)), true, 'it has come back');
  t.ok(!state.mayProbe(mono(0)) && !state.demoted && state.lastError === undefined);
  t.end();
});

void t.test('a full inbox sheds the newest readings, never a bad quality', (t) => {
  const b = new Bench();
  const link = b.start([device('D', 'l', [1])]);
  link.remap(Int32Array.of(0));
  const inbox = new Inbox(() => undefined);
  for (let i = 0; i < limits.inboxGroups; i++)
    inbox.bad(Int32Array.of(0), Quality.timeout, 0, 'D', '');
  inbox.bad(Int32Array.of(0), Quality.timeout, 0, 'D', '');
  t.equal(inbox.take().length, limits.inboxGroups + 1);
  t.ok(inbox.isEmpty);
  t.end();
});

void t.test(
  'one bad address is alone bad within two scans, and its neighbours are read together again',
  async (t) => {
    const b = new Bench();
    b.script.refused.add(4);
    b.start([device('D', 'l', [1, 2, 3, 4, 5, 6, 7, 8])]);
    await b.pass(2_100);
    for (const i of [1, 2, 3, 5, 6, 7, 8]) t.equal(b.quality(`D.t${String(i)}`), Quality.good);
    t.ok((b.quality('D.t4') ?? 0) >= 0x80, 'the culprit is bad');
    // It rests for 2, 4, 8 … s; then it is asked again, alone.
    await b.pass(65_000);
    const from = b.clock.mono();
    await b.pass(10_000);
    t.equal(b.script.count(/^read D 1\.\.3$/, from), 10, 'one read left of it');
    t.equal(b.script.count(/^read D 5\.\.8$/, from), 10, 'one right of it');
    t.equal(b.script.count(/^read/, from), 20, 'and none of it');
    b.script.refused.clear();
    await b.pass(limits.refusedRetryMs);
    t.equal(b.quality('D.t4'), Quality.good, 'tried again after a while');
    const merged = b.clock.mono();
    await b.pass(3_000);
    t.equal(b.script.count(/^read D 1\.\.8$/, merged), 3, 'and merged again');
  },
);

void t.test(
  'a hole that may not be read parts the block, and no tag is called refused',
  async (t) => {
    const b = new Bench();
    b.script.refused.add(4);
    const link = b.start([device('D', 'l', [1, 2, 3, 5, 6, 7])]);
    await b.pass(3_500);
    for (const i of [1, 2, 3, 5, 6, 7]) t.equal(b.quality(`D.t${String(i)}`), Quality.good);
    t.strictSame(link.jobs[0]?.refused, []);
    await b.pass(65_000);
    const from = b.clock.mono();
    await b.pass(5_000);
    t.equal(b.script.count(/^read/, from), 10, 'two reads a scan');
  },
);

void t.test(
  'a refused tag is good again at its next answer, though its bytes are the same',
  async (t) => {
    const b = new Bench();
    b.script.values.set('D.t1', 7);
    b.start([device('D', 'l', [1])]);
    await b.pass(2_500);
    t.equal(b.quality('D.t1'), Quality.good);
    b.script.refused.add(1);
    const binding = b.link?.config.bindings[0];
    must(binding !== undefined, 'a binding');
    b.link?.readSoon(binding);
    await b.pass(20);
    t.ok((b.quality('D.t1') ?? 0) >= 0x80);
    b.script.refused.clear();
    await b.pass(1_000);
    t.equal(b.quality('D.t1'), Quality.good);
  },
);

void t.test('one dead unit of three costs little; the others keep their period', async (t) => {
  const b = new Bench();
  b.start(['A', 'B', 'C'].map((name) => device(name, 'l', [1, 2])));
  await b.pass(3_500);
  b.script.dead.add('B');
  await b.pass(10_000);
  t.equal(b.quality('B.t1'), Quality.timeout);
  const from = b.clock.mono();
  await b.pass(120_000);
  t.equal(b.script.count(/^read A/, from), 120);
  t.equal(b.script.count(/^read C/, from), 120);
  t.ok(b.script.count(/^read B/, from) <= 8, 'a probe now and then');
  t.equal(b.script.connections, 1, 'the link stays');
  b.script.dead.clear();
  await b.pass(61_000);
  t.equal(b.quality('B.t1'), Quality.good, 'and it is taken back');
});

void t.test(
  'a gateway that answers for a device: its tags are bad, the link is not in doubt',
  async (t) => {
    const b = new Bench();
    b.script.silent.add('B');
    b.start(['A', 'B'].map((name) => device(name, 'l', [1])));
    await b.pass(20_000);
    t.equal(b.quality('A.t1'), Quality.good);
    t.equal(b.quality('B.t1'), Quality.timeout);
    t.equal(b.script.connections, 1);
  },
);

void t.test(
  'a driver that ignores the abort holds no lane, and what it says later is not heard',
  async (t) => {
    const b = new Bench();
    let late: (() => void) | undefined;
    b.start([device('A', 'l', [1]), device('B', 'l', [1])]);
    await b.pass(1_500);
    b.script.onRead = (group) => {
      if (group.device !== 'A') return undefined;
      return new Promise((resolve) => {
        late = () => resolve('done');
      });
    };
    await b.pass(5_000);
    t.equal(b.quality('A.t1'), Quality.timeout);
    t.equal(b.quality('B.t1'), Quality.good, 'the others are read');
    late?.();
    await b.pass(20);
    t.equal(b.quality('A.t1'), Quality.timeout);
  },
);

void t.test('a driver that throws is trouble of its link, not of the gateway', async (t) => {
  const b = new Bench();
  b.script.onRead = () => {
    throw new GatewayError('internal', 'a defect');
  };
  const link = b.start([device('A', 'l', [1])]);
  await b.pass(400);
  t.equal(link.state, 'waiting');
  t.equal(link.lastError?.kind, 'bug');
  b.script.onRead = undefined;
  await b.pass(3_000);
  t.equal(b.quality('A.t1'), Quality.good);
});

void t.test(
  'a link that accepts and falls silent is not hammered, though it answered once',
  async (t) => {
    const b = new Bench();
    b.script.bounds = { afterTimeout: 'reconnect' };
    b.start([device('A', 'l', [1], { period: ms(500) })]);
    await b.pass(5_000);
    t.equal(b.quality('A.t1'), Quality.good);
    b.script.dead.add('A');
    await b.pass(120_000);
    const from = b.clock.mono();
    await b.pass(120_000);
    t.ok(
      b.script.count(/^connect/, from) <= 10,
      `${String(b.script.count(/^connect/, from))} in two minutes`,
    );
  },
);

void t.test('writes go before polls, in order, and nothing is kept for later', async (t) => {
  const b = new Bench();
  const link = b.start([device('A', 'l', [1, 20, 40, 60])]);
  const [binding, other, third] = link.config.bindings;
  must(binding !== undefined && other !== undefined && third !== undefined, 'bindings');
  await t.rejects(link.write(binding, 1, true), { code: 'not-connected' }, 'not while connecting');
  await b.pass(1_002);
  const from = b.steps();
  const results = [binding, other, third].map((one, i) => link.write(one, i + 2, i === 2));
  await b.pass(60);
  t.strictSame(await Promise.all(results), [{ ok: true }, { ok: true }, { ok: true }]);
  const order = b.script.steps.slice(from).map(({ what }) => what);
  t.strictSame(
    order.filter((w) => w.startsWith('write')),
    ['write A.t40=4', 'write A.t1=2', 'write A.t20=3'],
  );
  t.ok(order.slice(0, 4).filter((w) => w.startsWith('read')).length <= 1, order.join());

  b.script.latency = 150;
  const waiting = [5, 6].map((value) => link.write(binding, value, false));
  const flood = Array.from({ length: limits.pendingWrites + 5 }, (_, i) =>
    link.write(binding, i, false),
  );
  for (const w of [...waiting, ...flood]) w.catch(() => undefined);
  b.script.lose(lost());
  const ends = await Promise.allSettled([...waiting, ...flood]);
  const codes = ends.map((e) => (e.status === 'rejected' ? (e.reason as GatewayError).code : 'ok'));
  t.ok([6, 7].includes(codes.filter((c) => c === 'too-many').length), 'bounded');
  t.notOk(codes.includes('ok'));
  const cut = b.steps();
  await b.pass(10_000);
  t.equal(b.script.steps.slice(cut).filter(({ what }) => what.startsWith('write')).length, 0);
  t.equal(link.state, 'connected');
});

void t.test(
  'a link that is refused waits longer and longer; one that hangs is given up in time',
  async (t) => {
    const b = new Bench();
    b.script.refuse = new GatewayError('link-refused', 'no');
    const link = b.start([device('A', 'l', [1])]);
    await b.pass(60_000);
    const refused = b.script.count(/^connect/);
    t.ok(refused >= 6 && refused <= 9, String(refused));
    t.equal(link.state, 'waiting');
    b.script.refuse = new GatewayError('auth-failed', 'no');
    await b.pass(40_000);
    const from = b.clock.mono();
    await b.pass(180_000);
    t.ok(b.script.count(/^connect/, from) <= 3, 'a refused password is not solved by hurry');
    b.script.refuse = undefined;
    b.script.hangConnect = true;
    await b.pass(62_000);
    t.match(link.lastError, { code: 'connect-timeout' });
    b.script.hangConnect = false;
    await b.pass(62_000);
    t.equal(b.quality('A.t1'), Quality.good);
  },
);

void t.test('a link can be stopped in every state, and stays silent then', async (t) => {
  for (const when of [0, 1, 3, 1_005, 1_500]) {
    const b = new Bench();
    const link = b.start([device('A', 'l', [1])]);
    await b.pass(when);
    const stopping = link.stop();
    await b.pass(10);
    await stopping;
    await link.stop();
    t.equal(link.state, 'stopped');
    const from = b.steps();
    await b.pass(5_000);
    t.equal(b.script.steps.length, from, `stopped after ${String(when)} ms`);
  }
});
