import { join } from 'node:path';
import { copyFile, readFile } from 'node:fs/promises';
import t, { type Test } from 'tap';
import {
  GatewayError,
  Quality,
  type TagBinding,
  type TagType,
} from '../../gateway/contract/index.js';
import { UaServer, uri } from '../../test/support/opcua-server.js';
import { freePort, scratch } from '../../test/support/scratch.js';
import { waitFor } from '../../test/support/wait.js';
import type { OpcuaAddress } from './index.js';
import { pkiOf } from './pki.js';
import { groupOf, Listener, never, readOne, Rig } from '../../test/support/opcua-rig.js';

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

void t.test('every built-in type, read and subscribed, whole and as text', async (t) => {
  const rig = await Rig.start(t, { before: ['urn:other'] });
  const driver = await rig.connected(t);
  const cases: readonly (readonly [name: string, type: TagType, value: unknown])[] = [
    ['Boolean', 'bool', 1],
    ['SByte', 'int8', -128],
    ['Byte', 'uint8', 255],
    ['Int16', 'int16', -32_768],
    ['UInt16', 'uint16', 65_535],
    ['Int32', 'int32', -2_147_483_648],
    ['UInt32', 'uint32', 4_294_967_295],
    ['Int64', 'int64', -9_223_372_036_854_775_807n],
    ['UInt64', 'uint64', 18_446_744_073_709_551_614n],
    ['Float', 'float32', 1.5],
    ['Double', 'float64', Math.PI],
    ['String', 'string', 'Förderband 带'],
    ['DateTime', 'string', '2026-02-03T04:05:06.789Z'],
    ['DateTime', 'float64', Date.UTC(2026, 1, 3, 4, 5, 6, 789)],
    ['Guid', 'string', '72962B91-FA75-4AE6-8D28-B404DC7DAF63'],
    ['ByteString', 'string', '0001feff'],
    ['LocalizedText', 'string', 'Läuft'],
    ['QualifiedName', 'string', 'Speed'],
    ['NodeId', 'string', 'ns=1;s=Elsewhere'],
    // What does not fit is bad, and never bent to fit.
    ['Int16', 'uint16', Quality.decode],
    ['Double', 'int32', Quality.decode],
    ['String', 'float64', Quality.decode],
    ['UInt64', 'int64', Quality.decode],
    ['nowhere', 'float64', Quality.configuration],
  ];
  const tags = cases.map(([name, type]) => rig.tag(`@${name}`, type));
  for (const [at, [name, type, value]] of cases.entries())
    t.same(
      await readOne(driver, tags[at] as TagBinding<OpcuaAddress>),
      value,
      `${name} as ${type}`,
    );
  const listener = new Listener();
  const refused = await driver.subscribe?.(groupOf(tags), listener, never);
  t.same(refused, [cases.length - 1], 'the node that is not there');
  await waitFor(() => listener.told.length >= cases.length, 'every tag is told once', 5_000);
  for (const [at, [name, type, value]] of cases.entries()) {
    const told = listener.told.filter(({ position }) => position === at);
    t.equal(told.length, 1, `${name} is told once`);
    const shown = (told[0]?.quality ?? 0xff) >= 0x80 ? told[0]?.quality : told[0]?.value;
    t.same(shown, value, `${name} as ${type} is told`);
  }
});

void t.test('elements of arrays, paths, and the index of the namespace', async (t) => {
  const rig = await Rig.start(t, { before: ['urn:a', 'urn:b', 'urn:c'] });
  const driver = await rig.connected(t);
  const read = (address: string, type: TagType, keys?: Record<string, unknown>): Promise<unknown> =>
    readOne(driver, rig.tag(address, type, keys));
  t.equal(await read('@Doubles', 'float64', { range: '2' }), 3);
  t.equal(await read('@Doubles', 'float64', { range: 1 }), 2);
  t.equal(await read('@UInt64s', 'uint64', { range: '1' }), 4_294_967_296n);
  t.equal(await read('@Doubles', 'float64', { range: '7' }), Quality.configuration, 'not so long');
  t.equal(await read('@Doubles', 'float64'), Quality.decode, 'an array is no number');
  t.equal(await read(`/nsu=${uri};Line/nsu=${uri};Double`, 'float64'), Math.PI);
  t.equal(
    await read('/5:Line/5:Double', 'float64'),
    Math.PI,
    'by index: urn:a, b and c come first',
  );
  t.equal(await read('/5:Line/5:Nothing', 'float64'), Quality.configuration);
  t.equal(await read('i=2258', 'string').then((text) => typeof text), 'string', 'server time');
  t.equal(await read('i=2256', 'float64', { field: 'state' }), 0, 'a field of a structure');
  t.equal(
    await read('i=2256', 'string', { field: 'BuildInfo.ProductName' }).then((text) => typeof text),
    'string',
    'a field in a field',
  );
  t.equal(await read('i=2256', 'string', { field: 'no.such' }), Quality.decode);
  t.equal(await read('nsu=urn:unknown;s=x', 'float64'), Quality.configuration);
});

void t.test('a write has the type of the node, or is not sent', async (t) => {
  const rig = await Rig.start(t);
  const driver = await rig.connected(t);
  const write = async (address: string, type: TagType, value: never, keys = {}): Promise<unknown> =>
    driver.write?.(rig.tag(address, type, keys), value, never);
  const good: readonly (readonly [string, TagType, unknown, unknown])[] = [
    ['Boolean', 'bool', false, false],
    ['Byte', 'uint8', 7, 7],
    ['Int16', 'int16', -5, -5],
    ['UInt64', 'uint64', 18_446_744_073_709_551_615n, [0xffff_ffff, 0xffff_ffff]],
    ['Int64', 'int64', -2n, [0xffff_ffff, 0xffff_fffe]],
    ['Float', 'float32', 0.25, 0.25],
    ['Double', 'float64', 1e300, 1e300],
    ['String', 'string', 'neu', 'neu'],
  ];
  for (const [name, type, value, held] of good) {
    t.same(await write(`@${name}`, type, value as never), { ok: true }, name);
    t.same(rig.server.value(name), held);
  }
  for (const [name, type, value] of [
    ['Byte', 'float64', 256],
    ['Int16', 'float64', 1.5],
    ['Boolean', 'float64', 2],
    ['String', 'float64', 2],
    ['Double', 'string', 'x'],
    ['LocalizedText', 'string', 'x'],
  ] as const)
    t.match(await write(`@${name}`, type, value as never), { ok: false, code: /fit/ }, name);
  t.same(rig.server.value('Byte'), 7, 'nothing was sent');
  t.match(await write('@nowhere', 'float64', 1 as never), { ok: false });
  t.match(await write('i=2258', 'string', 'x' as never), { ok: false });
  t.same(await write('@Doubles', 'float64', 9 as never, { range: '1' }), { ok: true });
  t.same([...(rig.server.value('Doubles') as Float64Array)], [1, 9, 3], 'one element only');
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

void t.test('status codes of values', async (t) => {
  const rig = await Rig.start(t);
  const driver = await rig.connected(t, { publishing: '50ms' });
  const listener = new Listener();
  await driver.subscribe?.(groupOf([rig.tag('@Double')]), listener, never);
  const quality = (): number | undefined => listener.told.at(-1)?.quality;
  for (const [status, expected] of [
    ['BadSensorFailure', Quality.sensorFailure],
    ['UncertainLastUsableValue', Quality.lastKnown],
    ['BadOutOfService', Quality.outOfService],
    ['GoodLocalOverride', Quality.forced],
    ['BadInternalError', Quality.device],
    ['Good', Quality.good],
  ] as const) {
    rig.server.set('Double', 1, status);
    await waitFor(() => quality() === expected, status, 5_000);
    t.pass(status);
  }
});

/** PEM texts, as they come from secrets. */
async function userCertificate(t: Test): Promise<{ certificate: string; key: string }> {
  const pki = await pkiOf(await scratch(t), 'user', new Date());
  return {
    certificate: await readFile(pki.certificate, 'utf8'),
    key: await readFile(pki.key, 'utf8'),
  };
}

for (const policy of ['Aes256_Sha256_RsaPss', 'Aes128_Sha256_RsaOaep', 'Basic256Sha256', 'None'])
  void t.test(`security: ${policy}`, async (t) => {
    const rig = await Rig.start(t);
    const isNone = policy === 'None';
    const security = { policy, allowWeak: isNone };
    const driver = await rig.connected(t, { security });
    t.equal(await readOne(driver, rig.tag('@Double')), Math.PI, 'anonymous');
    t.same(
      [...rig.expiries.keys()],
      isNone ? [] : ['certificate of the gateway', 'certificate of the server'],
      'it is told when certificates end',
    );
    t.ok([...rig.expiries.values()].every((at) => at > Date.now()));
    await driver.close();
    t.equal(rig.server.sessions, 0, 'no session is left');
    if (isNone) {
      t.throws(() => rig.config({ security: { policy } }), /protects nothing/);
      t.throws(() => rig.config({ security: { ...security, user: 'x' } }), /open channel/);
      return;
    }
    const user = await rig.connected(t, {
      security: { policy, user: 'operator', password: 'secret' },
    });
    t.equal(await readOne(user, rig.tag('@Double')), Math.PI, 'with a password');
    const { certificate, key } = await userCertificate(t);
    const certified = await rig.connected(t, { security: { policy, certificate, key } });
    t.equal(await readOne(certified, rig.tag('@Double')), Math.PI, 'by the certificate of a user');
    const another = (await userCertificate(t)).key;
    const forged = rig.driver({ security: { policy, certificate, key: another } });
    await t.rejects(forged.connect(never), GatewayError, 'whose key it must be');
    await forged.close();
    const signed = await rig.connected(t, { security: { policy, mode: 'Sign' } });
    t.equal(await readOne(signed, rig.tag('@Double')), Math.PI, 'signed only');
    const wrong = rig.driver({ security: { policy, user: 'operator', password: 'wrong' } });
    await t.rejects(wrong.connect(never), { code: 'auth-failed' });
    await wrong.close();
  });

void t.test('a server that nobody trusts is refused, and named', async (t) => {
  const folder = await scratch(t);
  const port = await freePort();
  const server = await UaServer.start({ port, folder });
  t.teardown(() => server.stop());
  const rig = Object.assign(Object.create(Rig.prototype) as Rig, {
    folder,
    port,
    server,
    url: `opc.tcp://127.0.0.1:${String(port)}/line`,
    memory: new Map(),
    expiries: new Map(),
    counts: [],
  });
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
  const link = { publishing: '100ms', keepAlive: '500ms' };
  const values: number[] = [];
  rig.server.count(25);
  for (let round = 0; round < 4; round++) {
    const driver = rig.driver(link);
    await driver.connect(never);
    const listener = new Listener();
    await driver.subscribe?.(groupOf([tag]), listener, never);
    await waitFor(() => listener.values(0).length > 20, `round ${String(round)}`, 10_000);
    t.equal(rig.server.sessions, 1, 'one session');
    t.equal(rig.server.subscriptions, 1, 'one subscription');
    await driver.close(round < 3 ? new GatewayError('link-closed', 'in doubt') : undefined);
    const told = listener.values(0) as number[];
    t.equal(
      round === 0 ? told[0] : values.at(-1),
      told[0],
      'the last is told again to the new listener',
    );
    values.push(...(round === 0 ? told : told.slice(1)));
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
