/** When a connection lasts, and what it costs that it does not. */
import t from 'tap';
import { GatewayError, isGood, ms, Quality } from '../../gateway/contract/index.js';
import { must } from '../support/must.js';
import { Bench } from './bench.js';
import { device, lost } from './script.js';

const slow = [device('D', 'l', [1, 2], { period: ms(10_000), stale: ms(30_000) })];

void t.test('a peer that closes while nothing is asked costs nothing', async (t) => {
  const b = new Bench();
  const link = b.start(slow);
  await b.pass(12_000);
  for (let i = 0; i < 10; i++) {
    b.script.lose(lost());
    for (let n = 0; n < 50; n++) {
      await b.pass(200);
      t.ok(isGood(b.quality('D.t1') ?? 0xff));
      t.equal(link.state, 'connected');
    }
  }
  t.equal(link.lastError, undefined);
  t.equal(b.script.count(/^connect/), 11, 'opened when there was something to ask');
  t.equal(b.script.count(/^read/), 11 + 1, 'no scan was left out');
});

void t.test('one that is away is seen at the next scan', async (t) => {
  const b = new Bench();
  const link = b.start(slow);
  await b.pass(12_000);
  b.script.refuse = lost();
  b.script.lose(lost());
  await b.pass(5_000);
  t.ok(isGood(b.quality('D.t1') ?? 0xff), 'nobody has asked yet');
  await b.pass(4_000);
  t.equal(b.quality('D.t1'), Quality.notConnected);
  t.not(link.state, 'connected');
});

void t.test('a driver that dies when it is closed while idle is no such peer', async (t) => {
  const b = new Bench();
  const link = b.start(slow);
  await b.pass(12_000);
  b.script.closeFails = new GatewayError('driver-died', 'the thread of the driver ended: the test');
  b.script.lose(lost());
  await b.pass(10);
  t.equal(link.state, 'waiting');
  t.match(link.lastError, { code: 'driver-died' });
  b.script.closeFails = undefined;
  await b.pass(22_000);
  t.equal(link.state, 'connected', 'it is up again');
  t.equal(link.lastError, undefined);
});

void t.test('one that closes without an answer is no such peer', async (t) => {
  const b = new Bench();
  b.script.silent.add('D');
  const link = b.start(slow);
  await b.pass(1_000);
  b.script.lose(lost());
  await b.pass(10);
  t.equal(link.state, 'waiting');
});

void t.test('a write opens a connection that was closed while idle', async (t) => {
  const b = new Bench();
  const link = b.start(slow);
  await b.pass(12_000);
  b.script.lose(lost());
  await b.pass(100);
  const [binding] = link.config.bindings;
  must(binding !== undefined, 'a binding');
  const written = link.write(binding, 7, true);
  await b.pass(100);
  t.same(await written, { ok: true });
  t.equal(b.script.count(/^write/), 1);
});

void t.test('a connection for each scan, or for each request', async (t) => {
  for (const closesAfter of ['scan', 'request'] as const) {
    const b = new Bench();
    b.script.bounds = { closesAfter };
    b.start([device('D', 'l', [1, 2]), device('E', 'l', [1, 20])]);
    await b.pass(10_500);
    const from = b.clock.mono();
    await b.pass(10_000);
    for (const name of ['D.t1', 'E.t1', 'E.t20']) t.ok(isGood(b.quality(name) ?? 0xff), name);
    t.equal(b.script.count(/^read/, from), 30);
    const connects = b.script.count(/^connect/, from);
    t.equal(connects, closesAfter === 'scan' ? 10 : 30);
    t.equal(b.script.count(/^close/, from), connects);
  }
});

void t.test('a device that wants a rest after the connection gets it', async (t) => {
  const b = new Bench();
  b.script.bounds = { connectDelay: ms(2_000) };
  b.start([device('D', 'l', [1])]);
  await b.pass(1_900);
  t.equal(b.script.count(/^read/), 0);
  await b.pass(1_200);
  t.ok(isGood(b.quality('D.t1') ?? 0xff));
});

void t.test('a link that never came up is not connected, not waiting', async (t) => {
  const b = new Bench();
  b.script.refuse = lost();
  b.start([device('D', 'l', [1, 2])]);
  await b.pass(100);
  for (const name of ['D.t1', 'D.t2']) t.equal(b.quality(name), Quality.notConnected);
});
