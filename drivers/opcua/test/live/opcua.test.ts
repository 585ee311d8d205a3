import { join } from 'node:path';
import { copyFile } from 'node:fs/promises';
import t from 'tap';
import { GatewayError, Quality } from '../../../../gateway/contract/index.js';
import { exerciseServer, type Witness } from '../../../../test/support/opcua-exercise.js';
import { UaServer } from '../../../../test/support/opcua-server.js';
import { freePort, scratch } from '../../../../test/support/scratch.js';
import { waitFor } from '../../../../test/support/wait.js';
import {
  Bench,
  groupOf,
  Listener,
  never,
  readOne,
  Rig,
} from '../../../../test/support/opcua-rig.js';

void t.test('what was told but did not arrive is told again, in order', async (t) => {
  const rig = await Rig.start(t);
  const tag = rig.tag('@count', 'uint32', { sampling: '0ms', queue: 100 });
  const first = await rig.connected(t, { publishing: '50ms' });
  const before = new Listener();
  await first.subscribe?.(groupOf([tag]), before, never);
  const count = async (value: number, told: Listener): Promise<void> => {
    rig.server.set('count', value);
    await waitFor(() => told.values(0).includes(value), `${String(value)} is told`, 10_000);
  };
  await count(1, before);
  before.isDeaf = true;
  await count(2, before);
  await count(3, before);
  await first.close(new GatewayError('link-closed', 'the thread was slow'));
  const second = await rig.connected(t, { publishing: '50ms' });
  const after = new Listener();
  await second.subscribe?.(groupOf([tag]), after, never);
  await count(4, after);
  // This server tells the last value once more, on its own, when a session is taken up again.
  const values = after.values(0);
  t.same(
    values.filter((value, at) => value !== values[at - 1]),
    [2, 3, 4],
  );
});

/** Asks the server in this process. */
function witnessOf({ server }: Rig): Witness {
  return {
    held: (name) => Promise.resolve(heldAs(name, server.value(name))),
    set: (name, value, { name: status }) => Promise.resolve(server.set(name, value, status)),
    sessions: () => Promise.resolve(server.sessions),
  };
}

/** The package keeps 64-bit integers as pairs. */
function heldAs(name: string, value: unknown): string {
  if (name !== 'Int64' && name !== 'UInt64') return String(value);
  const [high, low] = value as [number, number];
  const bits = (BigInt(high) << 32n) | BigInt(low);
  return String(name === 'Int64' ? BigInt.asIntN(64, bits) : bits);
}

exerciseServer('node-opcua', async (t) => {
  const bench = await Rig.start(t, { before: ['urn:other'] });
  return { bench, witness: witnessOf(bench) };
});

void t.test('the index of a namespace, and ranges that make no sense', async (t) => {
  const bench = await Rig.start(t, { before: ['urn:a', 'urn:b', 'urn:c'] });
  const driver = await bench.connected(t);
  t.equal(
    await readOne(driver, bench.tag('/5:Line/5:Double')),
    Math.PI,
    'by index: urn:a, b and c come first',
  );
  t.equal(await readOne(driver, bench.tag('/5:Line/5:Nothing')), Quality.configuration);
  t.throws(() => bench.tag('@Doubles', 'float64', { range: '0:2' }), /several elements/);
  for (const range of ['2:2', '3:1', 'x', '1:', '0:1:2'])
    t.throws(() => bench.tag('@Doubles', 'string', { range }), /not a part/, range);
});

void t.test(
  'a subscription tells what changes, in order, with its age, and that it lives',
  async (t) => {
    const rig = await Rig.start(t);
    const driver = await rig.connected(t, { publishing: '100ms', keepAlive: '500ms' });
    const listener = new Listener();
    await driver.subscribe?.(
      groupOf([rig.tag('@count', 'uint32', { sampling: '0ms' }), rig.tag('@Double')]),
      listener,
      never,
    );
    rig.server.count(20);
    await waitFor(() => listener.values(0).length > 50, 'fifty samples', 10_000);
    const counted = listener.values(0) as number[];
    t.same(
      counted,
      Array.from(counted, (_, i) => (counted[0] ?? 0) + i),
      'each once, in order',
    );
    const ages = listener.told.filter(({ position }) => position === 0).map(({ age }) => age);
    t.ok(Number.isNaN(ages[0]), 'the first stands now');
    t.ok(
      ages.slice(1).every((age) => age >= 0 && age < 2_000),
      'the others are as old as they are',
    );
    t.equal(listener.values(1).length, 1, 'what does not change is told once');
    const before = listener.beats;
    await waitFor(() => listener.beats > before + 2, 'it says that it lives', 5_000);
  },
);

void t.test('a server that nobody trusts is refused, and named', async (t) => {
  const folder = await scratch(t);
  const port = await freePort();
  const server = await UaServer.start({ port, folder });
  t.teardown(() => server.stop());
  const rig = new Bench(folder, port);
  const driver = rig.driver();
  await t.rejects(driver.connect(never), {
    code: 'certificate-refused',
    kind: 'auth',
    message: /not trusted.*thumbprint [0-9a-f]{40}/,
  });
  await driver.close();
  // As a person does who has a file manager, and no command line.
  const own = join(folder, 'server-pki', 'own', 'certs', 'certificate.pem');
  await copyFile(own, join(folder, 'pki', 'trusted', 'certs', 'line.pem'));
  const next = await rig.connected(t);
  t.equal(await readOne(next, rig.tag('@Double')), Math.PI, 'once trusted, it is served');
});

void t.test('a session is taken up again, and nothing is lost or told twice', async (t) => {
  const rig = await Rig.start(t);
  const tag = rig.tag('@count', 'uint32', { sampling: '0ms', queue: 1_000 });
  const steady = rig.tag('@Double');
  const link = { publishing: '100ms', keepAlive: '500ms' };
  const values: number[] = [];
  rig.server.count(25);
  for (let round = 0; round < 4; round++) {
    const driver = rig.driver(link);
    await driver.connect(never);
    const listener = new Listener();
    await driver.subscribe?.(groupOf([tag, steady]), listener, never);
    await waitFor(() => listener.values(0).length > 20, `round ${String(round)}`, 10_000);
    t.equal(rig.server.sessions, 1, 'one session');
    t.equal(rig.server.subscriptions, 1, 'one subscription');
    await driver.close(round < 3 ? new GatewayError('link-closed', 'in doubt') : undefined);
    const told = listener.values(0) as number[];
    if (round > 0) t.equal(told[0], (values.at(-1) ?? 0) + 1, 'it goes on where it was');
    values.push(...told);
    t.same(listener.values(1), [Math.PI], 'what has not changed is told to the new listener');
    // What happens while nobody is there is told afterwards.
    const left = rig.server.counted;
    await waitFor(() => rig.server.counted >= left + 5, 'it goes on counting', 5_000);
  }
  t.same(
    values,
    Array.from(values, (_, i) => (values[0] ?? 0) + i),
    'each once, without a hole',
  );
  t.equal(rig.server.sessions, 0, 'closed for good: no session is left');
  t.same(rig.counts, [], 'nothing was lost');
});
