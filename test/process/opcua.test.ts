/** The OPC UA tools as their user has them: processes, against a server in another one. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { GatewayProcess, millrace } from '../support/gateway.js';
import { Helper } from '../support/helper.js';
import { uri } from '../support/opcua-server.js';
import { freePort, scratch } from '../support/scratch.js';
import { tagOf } from '../support/station.js';
import { waitFor } from '../support/wait.js';

interface Setting {
  readonly folder: string;
  readonly url: string;
  readonly server: Helper<unknown>;
  /** `millrace opcua …` in that folder. */
  readonly tool: (...args: readonly string[]) => ReturnType<typeof millrace>;
}

async function setUp(t: Test, more: object = {}): Promise<Setting> {
  const folder = await scratch(t);
  const port = await freePort();
  const server = await Helper.start(t, 'opcua', [JSON.stringify({ port, folder, ...more })]);
  const url = `opc.tcp://127.0.0.1:${String(port)}/line`;
  const tool: Setting['tool'] = (...args) => millrace(['opcua', ...args], { cwd: folder });
  return { folder, url, server, tool };
}

void t.test(
  'from an unknown server to tags of a running gateway',
  { timeout: 120_000 },
  async (t) => {
    const { folder, url, server, tool } = await setUp(t);
    const offered = await tool('endpoints', url);
    t.equal(offered.code, 0);
    t.match(offered.stdout, /Aes256_Sha256_RsaPss +SignAndEncrypt/);
    t.match(offered.stdout, /None \(weak\)/);
    t.match(offered.stdout, /the gateway takes Aes256_Sha256_RsaPss with SignAndEncrypt/);
    const thumbprint = /certs trust ([0-9a-f]{40})/.exec(offered.stdout)?.[1] ?? '';
    t.ok(thumbprint, 'and how to trust it');

    const refused = await tool('read', url, 'i=2258');
    t.equal(refused.code, 5, 'nobody trusts it yet');
    t.match(refused.stderr, new RegExp(thumbprint));
    t.match((await tool('certs', 'list')).stdout, new RegExp(`rejected +${thumbprint}`));
    t.equal((await tool('certs', 'trust', '12345678')).code, 2, 'another one');
    t.equal((await tool('certs', 'trust', thumbprint.slice(0, 12))).code, 0);
    t.match((await tool('certs', 'list')).stdout, new RegExp(`trusted +${thumbprint}`));

    const read = await tool('read', url, `nsu=${uri};s=UInt64`, '/2:Line/2:Double', '--json');
    t.match(JSON.parse(read.stdout), [
      { value: '18446744073709551614', type: 'uint64', status: 'Good' },
      { value: '3.14159265', type: 'double' },
    ]);
    t.match((await tool('read', url, 'ns=2;s=nowhere')).stdout, /BadNodeIdUnknown/);
    t.equal((await tool('read', url, '/2:Nowhere')).code, 6);
    t.equal((await tool('read', url, 'what')).code, 2);

    const block = await tool('browse', url, '/2:Line', '--yaml');
    t.equal(block.code, 0);
    t.match(block.stderr, /left out: .*Doubles/, 'an array is no tag');
    const { devices } = parse(block.stdout) as { devices: { DEVICE: { tags: object } } };
    t.match(devices.DEVICE.tags, {
      Speed_of_belt_1: {
        address: `nsu=${uri};s=Speed`,
        type: 'float64',
        unit: 'm/s',
        span: [0, 80],
      },
      Boolean: { type: 'bool' },
      Int64: { type: 'int64' },
    });
    const config = {
      millrace: 1,
      gateway: { id: 'g1' },
      links: { ua: { driver: 'opcua', endpoint: url, devices } },
      journal: { path: 'j.db', size: '8MiB' },
      control: { socket: join(folder, 'c.sock') },
    };
    const file = join(folder, 'gateway.yaml');
    await writeFile(file, JSON.stringify(config));
    const gateway = await GatewayProcess.start(t, file, join(folder, 'c.sock'), { cwd: folder });
    for (const name of Object.keys(devices.DEVICE.tags))
      await waitFor(
        async () => (await tagOf(gateway, `DEVICE.${name}`)).quality === 'good',
        `${name} is good`,
        20_000,
      );
    t.equal((await tagOf(gateway, 'DEVICE.Int64')).value, '-9223372036854775807', 'exact');
    await server.ask('set', 'Double', 1.5, 'BadSensorFailure');
    const ask = ['read', 'DEVICE.Double', '--device', '--socket', join(folder, 'c.sock')];
    t.match(await millrace(ask), { code: 0, stdout: /BadSensorFailure \(0x808C0000\) +20\d\d-/ });
    const [said] = JSON.parse((await millrace([...ask, '--json'])).stdout) as object[];
    t.match(said, {
      name: 'DEVICE.Double',
      type: 'double',
      sourceTime: Number,
      serverTime: Number,
    });
    await server.kill();
    await waitFor(
      async () => (await tagOf(gateway, 'DEVICE.Int64')).quality === 'bad',
      'the link is down',
      20_000,
    );
    t.match(await millrace(ask), { code: 5, stderr: /is down/ });
    t.equal((await gateway.stop()).code, 0);
  },
);

void t.test('write, watch, and certificates of our own', { timeout: 120_000 }, async (t) => {
  const { folder, url, server, tool } = await setUp(t);
  await tool('read', url, 'i=2258');
  const listed = JSON.parse((await tool('certs', 'list', '--json')).stdout) as {
    place: string;
    thumbprint: string;
  }[];
  const of = (place: string): string => listed.find((one) => one.place === place)?.thumbprint ?? '';
  await tool('certs', 'trust', of('rejected'));
  const node = `nsu=${uri};s=Int16`;
  const asked = await tool('write', url, node, '-7');
  t.equal(asked.code, 5);
  t.match(asked.stderr, /holds -32768 \(int16\); nothing was written/);
  t.equal(await server.ask('value', 'Int16'), -32_768);
  t.equal((await tool('write', url, node, '40000', '--yes')).code, 2, 'it does not fit');
  t.match((await tool('write', url, node, '-7', '--yes')).stdout, /-32768 -> -7, read back/);
  t.equal(await server.ask('value', 'Int16'), -7);
  const log = await readFile(join(folder, 'millrace-data', 'commissioning.log'), 'utf8');
  t.match(log, /"value":"-7","result":"requested"/);
  await server.ask('count', 50);
  const watched = await tool(
    'watch',
    url,
    `nsu=${uri};s=count`,
    '--interval',
    '50ms',
    '--count',
    '5',
  );
  t.equal(watched.stdout.trim().split('\n').length, 5);
  t.equal(await server.ask('load').then((load) => (load as { sessions: number }).sessions), 0);

  await tool('certs', 'reject', of('rejected'));
  t.equal((await tool('read', url, node)).code, 5, 'trusted no longer');
  const renewed = await tool('certs', 'renew');
  t.match(renewed.stdout, new RegExp(`${of('own')} -> [0-9a-f]{40}`));
  t.match((await tool('certs', 'export', 'own.der')).stdout, /own\.der: [0-9a-f]{40}/);
  t.equal((await readFile(join(folder, 'own.der')))[0], 0x30, 'DER');
});

void t.test('a channel without security has to be asked for', async (t) => {
  const { url, tool } = await setUp(t);
  const open = await tool('read', url, 'i=2258', '--policy', 'None');
  t.equal(open.code, 2);
  t.match(open.stderr, /protects nothing/);
  t.equal((await tool('read', url, 'i=2258', '--policy', 'None', '--allow-weak')).code, 0);
});

void t.test('a structure of a type that the server defines', { timeout: 120_000 }, async (t) => {
  const { folder, url, tool } = await setUp(t, { structures: true });
  const weak = { policy: 'None', allowWeak: true };
  const read = await tool('read', url, `nsu=${uri};s=Scan`, '--policy', 'None', '--allow-weak');
  t.match(read.stdout, /"duration":1500/);
  const address = `nsu=${uri};s=Scan`;
  const tags = {
    duration: { address, field: 'Duration' },
    cycles: { address, field: 'cycles', type: 'int32' },
    asked: { address, field: 'DataAvailable', type: 'bool', scan: 'default' },
    nothing: { address, field: 'nothing' },
  };
  const config = {
    millrace: 1,
    gateway: { id: 'g1' },
    links: { ua: { driver: 'opcua', endpoint: url, security: weak, devices: { D: { tags } } } },
    journal: { path: 'j.db', size: '8MiB' },
    control: { socket: join(folder, 'c.sock') },
  };
  const file = join(folder, 'gateway.yaml');
  await writeFile(file, JSON.stringify(config));
  const gateway = await GatewayProcess.start(t, file, join(folder, 'c.sock'), { cwd: folder });
  for (const [name, value] of [
    ['duration', 1_500],
    ['cycles', 3],
    ['asked', true],
  ] as const) {
    await waitFor(
      async () => (await tagOf(gateway, `D.${name}`)).value === value,
      `${name} is ${String(value)}`,
      20_000,
    );
    t.pass(name);
  }
  t.equal((await tagOf(gateway, 'D.nothing')).reason, 'decode');
  t.equal((await gateway.stop()).code, 0);
});
