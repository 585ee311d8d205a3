/**
 * What the OPC UA driver must do with every server, whoever made it: every type, parts of values, writes,
 * status codes, and every security policy with every kind of user.
 */
import { readFile } from 'node:fs/promises';
import t, { type Test } from 'tap';
import {
  type Driver,
  GatewayError,
  Quality,
  type TagBinding,
  type TagType,
  type Value,
} from '../../gateway/contract/index.js';
import type { OpcuaAddress } from '../../drivers/opcua/index.js';
import { pkiOf } from '../../drivers/opcua/security/pki.js';
import { type Bench, groupOf, Listener, never, readOne } from './opcua-rig.js';
import { uri } from './opcua-server.js';
import { scratch } from './scratch.js';
import { waitFor } from './wait.js';

/** What a test asks of a server behind the driver's back. */
export interface Witness {
  /** What a node holds, as a text; elements of an array with commas. */
  held(name: string): Promise<string>;
  set(name: string, value: number, status: StatusOfServer): Promise<void>;
  sessions(): Promise<number>;
}

export interface StatusOfServer {
  readonly name: string;
  readonly code: number;
}

/** A driver that is connected, and the server that it is connected to. */
interface Exercise {
  readonly t: Test;
  readonly bench: Bench;
  readonly driver: Driver<OpcuaAddress>;
  readonly witness: Witness;
}

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

async function readsEverything({ t, bench, driver }: Exercise): Promise<void> {
  const tags = cases.map(([name, type]) => bench.tag(`@${name}`, type));
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
}

/** Elements, slices, fields and paths. */
async function readsParts({ t, bench, driver }: Exercise): Promise<void> {
  const read = (address: string, type: TagType, keys?: Record<string, unknown>): Promise<unknown> =>
    readOne(driver, bench.tag(address, type, keys));
  t.equal(await read('@Doubles', 'float64', { range: '2' }), 3);
  t.equal(await read('@Doubles', 'float64', { range: 1 }), 2);
  t.equal(await read('@UInt64s', 'uint64', { range: '1' }), 4_294_967_296n);
  t.equal(await read('@Doubles', 'float64', { range: '7' }), Quality.configuration, 'not so long');
  t.equal(await read('@Doubles', 'float64'), Quality.decode, 'an array is no number');
  t.equal(await read('@UInt64s', 'uint64'), Quality.decode, 'nor one of two pairs');
  t.equal(await read('@Doubles', 'string'), '[1,2,3]', 'a whole array as a text');
  t.equal(await read('@Doubles', 'string', { range: '1:2' }), '[2,3]', 'a slice');
  t.equal(await read('@UInt64s', 'string'), '[1,4294967296]');
  t.equal(await read(`/nsu=${uri};Line/nsu=${uri};Double`, 'float64'), Math.PI);
  t.equal(await read('i=2258', 'string').then((text) => typeof text), 'string', 'server time');
  t.equal(await read('i=2256', 'float64', { field: 'state' }), 0, 'a field of a structure');
  t.equal(
    await read('i=2256', 'string', { field: 'BuildInfo.ProductName' }).then((text) => typeof text),
    'string',
    'a field in a field',
  );
  t.equal(await read('i=2256', 'string', { field: 'no.such' }), Quality.decode);
  t.equal(await read('nsu=urn:unknown;s=x', 'float64'), Quality.configuration);
}

async function writesEverything({ t, bench, driver, witness }: Exercise): Promise<void> {
  const write = async (address: string, type: TagType, value: Value, keys = {}): Promise<unknown> =>
    driver.write?.(bench.tag(address, type, keys), value, never);
  const good: readonly (readonly [string, TagType, Value, string])[] = [
    ['Boolean', 'bool', false, 'false'],
    ['SByte', 'int8', -7, '-7'],
    ['Byte', 'uint8', 7, '7'],
    ['Int16', 'int16', -5, '-5'],
    ['UInt16', 'uint16', 65_534, '65534'],
    ['Int32', 'int32', -2_147_483_647, '-2147483647'],
    ['UInt32', 'uint32', 4_294_967_294, '4294967294'],
    ['UInt64', 'uint64', 18_446_744_073_709_551_615n, '18446744073709551615'],
    ['Int64', 'int64', -2n, '-2'],
    ['Float', 'float32', 0.25, '0.25'],
    ['Double', 'float64', 1e300, '1e+300'],
    ['String', 'string', 'neu 带', 'neu 带'],
  ];
  for (const [name, type, value, held] of good) {
    t.same(await write(`@${name}`, type, value), { ok: true }, `${name} is written`);
    t.equal(await witness.held(name), held, `${name} is held`);
  }
  for (const [name, type, value] of [
    ['Byte', 'float64', 256],
    ['Int16', 'float64', 1.5],
    ['Boolean', 'float64', 2],
    ['String', 'float64', 2],
    ['Double', 'string', 'x'],
    ['LocalizedText', 'string', 'x'],
  ] as const)
    t.match(await write(`@${name}`, type, value), { ok: false, code: /fit/ }, name);
  t.equal(await witness.held('Byte'), '7', 'nothing was sent');
  t.match(await write('@nowhere', 'float64', 1), { ok: false });
  t.match(await write('i=2258', 'string', 'x'), { ok: false });
  t.match(await write('@Doubles', 'float64', 9), { ok: false, code: /an array/ });
  t.same(await write('@Doubles', 'float64', 9, { range: '1' }), { ok: true });
  t.equal(await witness.held('Doubles'), '1,9,3', 'one element only');
}

const statuses: readonly (readonly [name: string, code: number, quality: number])[] = [
  ['BadSensorFailure', 0x808c_0000, Quality.sensorFailure],
  ['UncertainLastUsableValue', 0x4090_0000, Quality.lastKnown],
  ['BadOutOfService', 0x808d_0000, Quality.outOfService],
  ['GoodLocalOverride', 0x0096_0000, Quality.forced],
  ['BadInternalError', 0x8002_0000, Quality.device],
  ['Good', 0, Quality.good],
];

/** The driver publishes fast. */
async function tellsStatus({ t, bench, driver, witness }: Exercise): Promise<void> {
  const listener = new Listener();
  await driver.subscribe?.(groupOf([bench.tag('@Double')]), listener, never);
  for (const [name, code, quality] of statuses) {
    await witness.set('Double', 1, { name, code });
    await waitFor(() => listener.told.at(-1)?.quality === quality, name, 5_000);
    t.pass(name);
  }
}

/** What stands beside the value, as tags of their own: nothing of it is lost. */
async function tellsAspects({ t, bench, driver, witness }: Exercise): Promise<void> {
  const aspects = [
    bench.tag('@Double', 'string', { aspect: 'status' }),
    bench.tag('@Double', 'uint32', { aspect: 'status' }),
    bench.tag('@Double', 'string', { aspect: 'sourceTime' }),
    bench.tag('@Double', 'float64', { aspect: 'serverTime' }),
  ];
  const listener = new Listener();
  await driver.subscribe?.(groupOf(aspects), listener, never);
  const last = (position: number): Listener['told'][number] | undefined =>
    listener.told.filter((one) => one.position === position).at(-1);
  for (const [name, code] of statuses) {
    await witness.set('Double', 1, { name, code });
    await waitFor(() => last(0)?.value === name && last(1)?.value === code, name, 5_000);
  }
  await waitFor(() => listener.told.length >= 2 * statuses.length + 2, 'the times', 5_000);
  t.ok(
    listener.told.every(({ quality }) => quality === Quality.good),
    'known whatever the value',
  );
  for (const [at, tag] of aspects.entries()) {
    const read = await readOne(driver, tag);
    const isNumber = tag.address.type === 'float64';
    const time = isNumber ? Number(read) : Date.parse(String(read));
    if (at >= 2) t.ok(Math.abs(time - Date.now()) < 60_000, `a time: ${String(read)}`);
    else t.equal(read, at === 0 ? 'Good' : 0);
    const told = last(at)?.value;
    if (at >= 2) t.equal(typeof told, isNumber ? 'number' : 'string', 'is told');
  }
}

const policies = [
  'Aes256_Sha256_RsaPss',
  'Aes128_Sha256_RsaOaep',
  'Basic256Sha256',
  'None',
] as const;

/** A policy with every kind of user, signed and encrypted, and what must be refused. */
async function secures(
  { t, bench, witness }: Omit<Exercise, 'driver'>,
  policy: (typeof policies)[number],
): Promise<void> {
  const isNone = policy === 'None';
  const security = { policy, allowWeak: isNone };
  const read = (driver: Driver<OpcuaAddress>): Promise<unknown> =>
    readOne(driver, bench.tag('@Double'));
  const driver = await bench.connected(t, { security });
  t.equal(await read(driver), Math.PI, 'anonymous');
  t.same(
    [...bench.expiries.keys()],
    isNone ? [] : ['certificate of the gateway', 'certificate of the server'],
    'it is told when certificates end',
  );
  t.ok([...bench.expiries.values()].every((at) => at > Date.now()));
  await driver.close();
  t.equal(await witness.sessions(), 0, 'no session is left');
  if (isNone) {
    t.throws(() => bench.config({ security: { policy } }), /protects nothing/);
    return;
  }
  const user = await bench.connected(t, {
    security: { policy, user: 'operator', password: 'secret' },
  });
  t.equal(await read(user), Math.PI, 'with a password');
  const { certificate, key } = await userCertificate(t);
  const certified = await bench.connected(t, { security: { policy, certificate, key } });
  t.equal(await read(certified), Math.PI, 'by the certificate of a user');
  const another = (await userCertificate(t)).key;
  const forged = bench.driver({ security: { policy, certificate, key: another } });
  await t.rejects(forged.connect(never), GatewayError, 'whose key it must be');
  await forged.close();
  const signed = await bench.connected(t, { security: { policy, mode: 'Sign' } });
  t.equal(await read(signed), Math.PI, 'signed only');
  const wrong = bench.driver({ security: { policy, user: 'operator', password: 'wrong' } });
  await t.rejects(wrong.connect(never), { code: 'auth-failed' });
  await wrong.close();
}

/** PEM texts, as they come from secrets. */
async function userCertificate(t: Test): Promise<{ certificate: string; key: string }> {
  const pki = await pkiOf(await scratch(t), 'user', new Date());
  return {
    certificate: await readFile(pki.certificate, 'utf8'),
    key: await readFile(pki.key, 'utf8'),
  };
}

/** A server that the bench reaches, and that can be asked behind the driver's back. */
export type Opponent = Pick<Exercise, 'bench' | 'witness'>;

/** All of it, each part against a server of its own. */
export function exerciseServer(make: string, start: (t: Test) => Promise<Opponent>): void {
  const connected = (
    title: string,
    part: (exercise: Exercise) => Promise<void>,
    link?: Record<string, unknown>,
  ): void =>
    void t.test(`${make}: ${title}`, { timeout: 60_000 }, async (t) => {
      const opponent = await start(t);
      await part({ t, ...opponent, driver: await opponent.bench.connected(t, link) });
    });
  connected('every built-in type, read and subscribed, whole and as text', readsEverything);
  connected('elements, slices, fields and paths', readsParts);
  connected('a write has the type of the node, or is not sent', writesEverything);
  connected('status codes of values', tellsStatus, { publishing: '50ms' });
  connected('status codes and times as tags', tellsAspects, { publishing: '50ms' });
  for (const policy of policies)
    void t.test(`${make}: security: ${policy}`, { timeout: 60_000 }, async (t) => {
      await secures({ t, ...(await start(t)) }, policy);
    });
}
