import t, { type Test } from 'tap';
import {
  Batch,
  GatewayError,
  silentLog,
  type Driver,
  type DriverModule,
  type ErrorFields,
  type Log,
  type ReadGroup,
  type Samples,
  type TagBinding,
} from '../../gateway/contract/index.js';
import { systemClock, systemRandom } from '../../gateway/host/clock.js';
import { DriverMaker } from '../../gateway/host/isolated.js';
import { isolatedDriver } from '../support/isolated-driver.js';
import { waitFor } from '../support/wait.js';

const tag: TagBinding<unknown> = { tag: 0, name: 'D.a', device: 'D', type: 'float64', address: 1 };
const group: ReadGroup<unknown> = { label: 'a', device: 'D', tags: [tag] };
const never = new AbortController().signal;

/** Lines of a log, for looking at them. */
function lines(): { log: Log; seen: [string, ErrorFields][] } {
  const seen: [string, ErrorFields][] = [];
  const keep = (message: string, fields: ErrorFields = {}): void =>
    void seen.push([message, fields]);
  const log: Log = { debug: keep, info: keep, warn: keep, error: keep, child: () => log };
  return { log, seen };
}

function rig(t: Test): {
  make: () => Driver;
  counts: string[];
  seen: [string, ErrorFields][];
  order: (driver: Driver, what: string, signal?: AbortSignal) => Promise<unknown>;
} {
  const { log, seen } = lines();
  const maker = new DriverMaker('/a/folder', log);
  const counts: string[] = [];
  const made: Driver[] = [];
  t.teardown(() => Promise.all(made.map((driver) => driver.close().catch(() => undefined))));
  return {
    counts,
    seen,
    make: () => {
      const driver = maker.create(
        isolatedDriver,
        { greeting: 'hello' },
        {
          endpoint: { scheme: 'sim', host: 'x', port: 0, text: 'sim://x' },
          log,
          random: systemRandom,
          memory: new Map(),
          now: () => systemClock.mono(),
          expires: () => undefined,
          open: () => Promise.reject(new GatewayError('internal', 'not asked for')),
          count: (event, device, times) => void counts.push(`${event} ${device} ${String(times)}`),
          notice: () => undefined,
          refusal: () => undefined,
        },
      );
      made.push(driver);
      return driver;
    },
    order: (driver, what, signal = never) =>
      Promise.resolve(driver.write?.(tag, what, signal)).catch((thrown: unknown) => thrown),
  };
}

void t.test('calls, batches, logs and counts go both ways', async (t) => {
  const { make, counts, seen, order } = rig(t);
  const driver = make();
  await driver.connect(never);
  t.same(seen.at(-1), ['connecting', { folder: '/a/folder', greeting: 'hello' }]);
  const batch = new Batch(1);
  t.equal(await driver.read(group, batch, never), 'done');
  t.equal(batch.numbers[0], 1);
  batch.mustDecode = false;
  await driver.read(group, batch, never);
  t.equal(batch.isUnchanged, true);
  t.same(counts, ['late D 1', 'late D 1']);
  t.same(await order(driver, 'nothing'), { ok: true });
  t.match(await order(driver, 'refuse'), {
    code: 'device-refused',
    message: 'no',
    fields: { why: 'test' },
  });
  await order(driver, 'print');
  await waitFor(
    () => seen.some(([, { text }]) => text === 'printed by a library'),
    'what a library prints is in the log',
    5_000,
  );
  const again = make();
  await again.read(group, new Batch(1), never);
  t.equal(counts.at(-1), 'late D 2', 'the memory of the endpoint outlives a driver');
});

void t.test('an abort settles a call at once, on both sides', async (t) => {
  const { make, seen, order } = rig(t);
  const driver = make();
  const controller = new AbortController();
  const waiting = order(driver, 'wait', controller.signal);
  await order(driver, 'nothing');
  controller.abort(new GatewayError('request-timeout', 'late'));
  t.match(await waiting, { code: 'request-timeout' });
  await waitFor(() => seen.some(([text]) => text === 'aborted'), 'the driver hears of it', 5_000);
  t.match(await order(driver, 'nothing', controller.signal), { code: 'request-timeout' });
});

void t.test('samples arrive as they were told, with exact integers', async (t) => {
  const { make, order } = rig(t);
  const driver = make();
  const told: Samples[] = [];
  let alive = 0;
  const sink = {
    samples: (samples: Samples) => void told.push(samples),
    alive: () => {
      alive++;
    },
  };
  t.same(await driver.subscribe?.({ ...group, tags: [tag, tag] }, sink, never), [1]);
  await order(driver, 'tell');
  t.same([...(told[0]?.numbers as Float64Array)], [5, 6]);
  t.equal(told[0]?.wide?.get(1), 12345678901234567890n);
  t.equal(alive, 1);
  const losses: GatewayError[] = [];
  driver.onLost((why) => losses.push(why));
  await order(driver, 'lose');
  t.match(losses, [{ code: 'link-closed', message: 'cut' }]);
  await driver.close();
  t.match(await order(driver, 'tell'), { code: 'link-closed' });
  t.equal(told.length, 1, 'nothing after it was closed');
});

for (const death of ['die', 'throw', 'swell'])
  void t.test(
    `a thread that ends (${death}) is trouble of its links, and is started again`,
    async (t) => {
      const { make, seen, order } = rig(t);
      const drivers = [make(), make()];
      const losses: GatewayError[] = [];
      for (const driver of drivers) {
        driver.onLost((why) => losses.push(why));
        await driver.connect(never);
      }
      const [first] = drivers;
      const waiting = first && order(first, 'wait');
      const dying = first && order(first, death);
      t.match(await waiting, { code: 'driver-died', kind: 'link' });
      await dying;
      t.match(losses, [{ code: 'driver-died' }, { code: 'driver-died' }], 'both are told');
      t.ok(seen.some(([text]) => text === 'the thread of a driver ended'));
      t.match(await drivers[1]?.connect(never).catch((e: unknown) => e), { code: 'driver-died' });
      const next = make();
      await next.connect(never);
      const batch = new Batch(1);
      t.equal(await next.read(group, batch, never), 'done', 'a new one works');
    },
  );

void t.test('a driver that wants no thread is made here', (t) => {
  const maker = new DriverMaker('/a/folder', silentLog);
  const here: DriverModule = { ...isolatedDriver };
  Reflect.deleteProperty(here, 'isolated');
  t.throws(() => maker.create(here, {}, {} as never), { message: 'not in this thread' });
  t.end();
});
