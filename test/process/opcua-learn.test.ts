/**
 * What only the server knows: tags of its folders, units and spans; and whether a configuration fits it.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { GatewayProcess, millrace } from '../support/gateway.js';
import { Helper } from '../support/helper.js';
import { uri } from '../support/opcua-server.js';
import { freePort, scratch } from '../support/scratch.js';
import { tagOf } from '../support/station.js';
import { waitFor } from '../support/wait.js';

const waitMs = 40_000;

interface Setting {
  readonly folder: string;
  readonly file: string;
  readonly port: number;
  serve(): Promise<Helper<unknown>>;
  /** Writes the configuration. */
  write(device: object, more?: object, link?: object): Promise<void>;
  start(): Promise<GatewayProcess>;
  tool(...args: readonly string[]): ReturnType<typeof millrace>;
}

async function setUp(t: Test): Promise<Setting> {
  const folder = await scratch(t);
  const port = await freePort();
  const file = join(folder, 'gateway.yaml');
  const socket = join(folder, 'c.sock');
  return {
    folder,
    file,
    port,
    serve: () => Helper.start(t, 'opcua', [JSON.stringify({ port, folder })]),
    write: (device, more = {}, link = {}) =>
      writeFile(
        file,
        JSON.stringify({
          millrace: 1,
          gateway: { id: 'g1' },
          links: {
            ua: {
              driver: 'opcua',
              endpoint: `opc.tcp://127.0.0.1:${String(port)}/line`,
              security: { policy: 'None', allowWeak: true },
              ...link,
              devices: { LINE: device },
            },
          },
          journal: { path: 'j.db', size: '8MiB' },
          control: { socket },
          ...more,
        }),
      ),
    start: () => GatewayProcess.start(t, file, socket, { cwd: folder }),
    tool: (...args) => millrace([...args, '--socket', socket], { cwd: folder }),
  };
}

const folder = { folder: '/2:Line', filter: 'Int' };
const rule = [{ alarm: 'HIGH', when: 'LINE.UInt16 > 5', priority: 'low', response: 'look' }];

void t.test('tags of a folder', { timeout: 180_000 }, async (t) => {
  const site = await setUp(t);
  await writeFile(join(site.folder, 'rules.yaml'), JSON.stringify(rule));
  await site.write({ expand: [folder], tags: {} }, { rules: ['rules.yaml'] });
  const offline = await site.tool('validate', site.file);
  t.not(offline.code, 0, 'a rule needs what is not known yet');
  t.match(offline.stdout, /not known yet/);

  const server = await site.serve();
  const learned = await site.tool('learn', site.file);
  t.equal(learned.code, 0, learned.stderr);
  t.match(learned.stdout, /LINE has 6 tags/);
  t.match(learned.stdout, /left out: \/2:UInt64s/);
  t.match((await site.tool('learn', site.file)).stdout, /nothing new/);
  t.equal((await site.tool('validate', site.file)).code, 0, 'from now on without the server');

  await server.kill();
  const gateway = await site.start();
  t.equal((await tagOf(gateway, 'LINE.UInt16')).quality, 'bad', 'its tags are there before it is');
  await site.serve();
  await waitFor(async () => (await tagOf(gateway, 'LINE.UInt16')).quality === 'good', 'up', waitMs);
  t.equal((await tagOf(gateway, 'LINE.Int64')).value, '-9223372036854775807', 'with its type');
  t.equal((await gateway.stop()).code, 0);
});

void t.test('asked at the start, and by a gateway that runs', { timeout: 180_000 }, async (t) => {
  const site = await setUp(t);
  await site.write({ expand: [folder], tags: {} });
  const early = await site.start();
  t.match((await site.tool('tags')).stdout, /^(?!.*LINE\.UInt16)/s, 'the server is not there');
  await site.serve();
  await waitFor(
    async () => (await site.tool('tags')).stdout.includes('LINE.UInt16'),
    'it has learned',
    waitMs,
  );
  await waitFor(async () => (await tagOf(early, 'LINE.UInt16')).quality === 'good', 'good', waitMs);
  t.equal((await early.stop()).code, 0);

  // Another folder: what was learned of the first does not count, and the server is there.
  await site.write({ expand: [{ ...folder, filter: 'Double' }], tags: {} });
  const again = await site.start();
  const { stdout } = await site.tool('tags');
  t.match(stdout, /LINE\.Double/, 'asked before it started');
  t.notMatch(stdout, /LINE\.UInt16/);

  t.equal((await again.stop()).code, 0);

  // The same variables twice, under other names; and a third time, which are too many.
  const doubles = { ...folder, filter: 'Double' };
  const keys = { aspect: 'status', type: 'string' };
  await site.write({ expand: [doubles, { ...doubles, suffix: '_is', keys }, doubles], tags: {} });
  t.match((await site.tool('learn', site.file)).stdout, /left out: \d+ that are there already/);
  const twice = await site.start();
  await waitFor(
    async () => (await tagOf(twice, 'LINE.Double_is')).value === 'Good',
    'its status',
    waitMs,
  );
  t.equal((await tagOf(twice, 'LINE.Double')).value, Math.PI);
  t.equal((await twice.stop()).code, 0);
  await site.write({ expand: [doubles], tags: {} });
  const last = await site.start();

  // A second gateway on the same socket is refused before it asks anybody.
  const known = await readFile(join(site.folder, 'learned', 'ua.json'), 'utf8');
  await site.write({ expand: [{ ...folder, filter: 'Float' }], tags: {} });
  const second = await site.tool('run', site.file);
  t.not(second.code, 0);
  t.match(second.stderr, /already|another|running/);
  t.equal(await readFile(join(site.folder, 'learned', 'ua.json'), 'utf8'), known);
  t.equal((await last.stop()).code, 0);
});

void t.test('units and spans of the server', { timeout: 180_000 }, async (t) => {
  const site = await setUp(t);
  await site.serve();
  const address = `nsu=${uri};s=Speed`;
  const tags = {
    speed: { address },
    own: { address, unit: 'km/h' },
    scaled: { address, scale: 2 },
  };
  await site.write({ tags }, {}, { learnUnits: true });
  const gateway = await site.start();
  const units = async (name: string): Promise<unknown> =>
    ((await gateway.ask('read', { tag: `LINE.${name}` })) as { unit?: string }).unit;
  t.equal(await units('speed'), 'm/s');
  t.equal(await units('own'), 'km/h', 'what is configured counts');
  t.equal(await units('scaled'), undefined, 'the unit of the raw value says nothing of ours');
  t.equal((await gateway.stop()).code, 0);
  const kept = JSON.parse(await readFile(join(site.folder, 'learned', 'ua.json'), 'utf8')) as {
    devices: { LINE: { facts: { speed: object } } };
  };
  t.same(kept.devices.LINE.facts.speed, { unit: 'm/s', span: [0, 80] });

  // What was found is a tag of the configuration the next time, and nothing else is learned of it.
  await site.write({ expand: [{ ...folder, filter: 'Speed' }], tags }, {}, { learnUnits: true });
  t.match((await site.tool('learn', site.file)).stdout, /written/);
  t.match((await site.tool('learn', site.file)).stdout, /nothing new/);
});

void t.test('the first of redundant servers is not there', { timeout: 120_000 }, async (t) => {
  const site = await setUp(t);
  const [url, absent] = [site.port, await freePort()].map(
    (port) => `opc.tcp://127.0.0.1:${String(port)}/line`,
  );
  await site.write({ expand: [folder], tags: {} }, {}, { endpoint: absent, redundant: [url] });
  t.match(await site.tool('learn', site.file), { code: 6, stderr: /nobody listens/ });
  await site.serve();
  t.match((await site.tool('learn', site.file)).stdout, /LINE has 6 tags/);
});

void t.test('validate --online', { timeout: 120_000 }, async (t) => {
  const site = await setUp(t);
  const tags = {
    fine: { address: `nsu=${uri};s=Double` },
    wrong: { address: `nsu=${uri};s=nowhere` },
    unfit: { address: `nsu=${uri};s=String` },
    fixed: { address: 'i=2259' },
  };
  const writes = { 'LINE.fixed': { allow: ['operator'] }, 'LINE.fine': { allow: ['operator'] } };
  await site.write({ tags }, { writes });
  const absent = await site.tool('validate', site.file, '--online');
  t.equal(absent.code, 6);
  t.match(absent.stdout, /ua: nobody listens/);
  await site.serve();
  const found = await site.tool('validate', site.file, '--online');
  t.equal(found.code, 6);
  t.match(found.stdout, /LINE\.wrong: BadNodeIdUnknown/);
  t.match(found.stdout, /LINE\.unfit: its value is no float64/);
  t.match(found.stdout, /LINE\.fixed: writes: permits it, but the device does not/);
  t.notMatch(found.stdout, /^LINE\.fine:/m);
  t.match(found.stdout, /3 problem\(s\) with the devices/);
});
