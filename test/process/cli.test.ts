/**
 * Every command of the command line against a running gateway: what it prints, its JSON form and its exit
 * code; what a second gateway is told; what is open to the outside: a socket file, no TCP port.
 */
import { execFile } from 'node:child_process';
import { readFile, readdir, readlink, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { millrace, program } from '../support/gateway.js';
import { scratch } from '../support/scratch.js';
import { Station, ruleStates, tagOf } from '../support/station.js';
import { waitFor } from '../support/wait.js';
import { Rig } from './rig.js';

const secret = 'canary-7f3a91';

void t.test('the commands', { timeout: 120_000 }, async (t) => {
  const s = await Station.build(t);
  // The broker of the demo takes any login; what counts is where the password shows up.
  const text = await readFile(s.file, 'utf8');
  await writeFile(
    s.file,
    text.replace(
      'root: edge/{gateway.id}',
      'root: edge/{gateway.id}\n    username: ps01\n    password: "${secret:broker}"',
    ),
  );
  const env = { MILLRACE_SECRET_BROKER: secret };
  const gateway = await s.startGateway({ env });
  await waitFor(async () => (await tagOf(gateway, 'EM1.power')).quality === 'good', 'up', 10_000);
  await waitFor(
    async () => (await ruleStates(gateway))['P101-START'] === 'PERMITTED',
    'the rules have run',
    10_000,
  );
  await waitFor(async () => (await tagOf(gateway, 'FT101.range')).quality === 'good', 'up', 10_000);

  await t.test('text, JSON and exit code of each', async (t) => {
    const status = await s.cli('status');
    t.equal(status.code, 0);
    t.match(status.stdout, /gateway ps01: warn[^]*warn: FIRST-START: nothing is remembered/);
    t.match(status.stdout, /station +\d+ % +P101 +good/);
    t.match(await s.json('status'), { gateway: 'ps01', links: [{}, {}], sinks: [{}] });

    t.match((await s.cli('tags', 'P101.*')).stdout, /P101\.current +[\d.]+ +A +good/);
    const tags = (await s.json('tags', 'EM1.*')) as { name: string }[];
    t.same(tags.map(({ name }) => name).sort(), ['EM1.energy', 'EM1.power', 'EM1.voltage']);
    t.match((await s.cli('read', 'FT101.flow', 'FT101.range')).stdout, /high/);
    t.match(await s.json('read', 'FT101.flow'), [{ quality: 'good', unit: 'm3/h' }]);

    t.match((await s.cli('write', 'P101.speed_sp', '40')).stdout, /45 -> 40, verified/);
    t.match(await s.json('write', 'P101.speed_sp', '42', '--expect', '40'), { after: 42 });
    t.equal(s.plant.speedSetpoint, 42, 'and the device has it');

    t.match((await s.cli('alarms')).stdout, /no alarms/);
    t.same(await s.json('alarms'), []);
    t.equal((await s.cli('alarms', '--ack', 'FIRST-START')).code, 0);
    t.match((await s.cli('status')).stdout, /gateway ps01: ok/, 'a first start that is one');
    t.match((await s.cli('why', 'P101-START')).stdout, /PERMITTED/);
    t.match(await s.json('why', 'P101-START'), { rule: 'P101-START' });
    t.match((await s.cli('why', 'P101-START', '--trips')).stdout, /no record of a trip/);
    t.match((await s.cli('reload')).stdout, /nothing changed/);
    t.ok(await s.json('reload'));
    t.match(await s.json('version'), { millrace: /^\d/, node: /^\d/ });
    t.match((await s.cli('version')).stdout, /^millrace \d/);
    t.match(await s.json('schema'), { $schema: /json-schema/ });
    t.match((await s.cli('--help')).stdout, /Exit codes/);
  });

  await t.test('refusals and their exit codes', async (t) => {
    const cases: [number, RegExp, ...string[]][] = [
      [2, /unknown command/i, 'statsu'],
      [2, /missing required argument/i, 'read'],
      [2, /unknown option/i, 'status', '--colour'],
      [5, /no tag P101.speeed/, 'read', 'P101.speeed'],
      [5, /FT101.flow/, 'write', 'FT101.flow', '1'],
      [5, /range|between|30/, 'write', 'P101.speed_sp', '70'],
      [5, /is no/, 'write', 'P101.speed_sp', 'fast'],
      [5, /42|expect/, 'write', 'P101.speed_sp', '41', '--expect', '17'],
      [5, /no rule/, 'why', 'NOTHING'],
      [5, /none of the 0 recorded trips/, 'why', 'P101-START', '--at', '10:00'],
      [2, /noon is no time/, 'why', 'P101-START', '--at', 'noon'],
      [5, /./, 'reset', 'P101-START'],
      [5, /./, 'alarms', '--ack', 'NOTHING'],
    ];
    for (const [code, pattern, ...args] of cases) {
      const done = await s.cli(...args);
      t.equal(done.code, code, `${args.join(' ')}: ${done.stderr}`);
      t.match(done.stderr, pattern);
      if (code === 2) continue;
      const json = await s.cli('--json', ...args);
      t.equal(json.code, code);
      t.match(JSON.parse(json.stdout), { ok: false, error: { code: String } });
    }
    await s.servers.setStation(false);
    await waitFor(
      async () => (await tagOf(gateway, 'P101.speed_sp')).quality === 'bad',
      'the link is down',
      10_000,
    );
    t.equal((await s.cli('write', 'P101.speed_sp', '44')).code, 5, 'nothing is queued');
    await s.servers.setStation(true);
    const absent = await millrace(['--socket', join(s.folder, 'nobody.sock'), 'status']);
    t.equal(absent.code, 4);
    t.match(absent.stderr, /millrace run/, 'with advice');
  });

  await t.test('a device that does not do what it acknowledged', async (t) => {
    await waitFor(
      async () => (await tagOf(gateway, 'P101.run_cmd')).quality === 'good',
      'the link is up again',
      10_000,
    );
    s.plant.obeys = false;
    const done = await s.cli('write', 'P101.run_cmd', 'false');
    t.equal(done.code, 6, done.stderr);
    s.plant.obeys = true;
  });

  await t.test('what is open to the outside', async (t) => {
    t.equal((await stat(s.socket)).mode & 0o777, 0o660, 'the socket is for owner and group');
    t.same(await listeningPorts(gateway.child.pid), [], 'no TCP port listens');
  });

  await t.test('a second gateway is refused, the first is not disturbed', async (t) => {
    const before = await gateway.status();
    const same = await millrace(['run', s.file], { env });
    t.not(same.code, 0, 'the same socket');
    t.match(same.stderr, /another gateway answers on/);
    const other = join(s.folder, 'other.yaml');
    const changed = await readFile(s.file, 'utf8');
    await writeFile(other, `${changed}\ncontrol: { socket: ${join(s.folder, 'other.sock')} }\n`);
    const journal = await millrace(['run', other], { env });
    t.equal(journal.code, 7, 'another socket, but the same journal');
    t.match(journal.stderr, /another process has the journal open/);
    const after = await gateway.status();
    t.match(after, { epoch: before.epoch, sinks: [{ connected: true }] });
    const connections = (status: typeof after): unknown =>
      status.health.counters['sink_cloud_sessions'];
    t.equal(connections(after), connections(before), 'it kept its place at the broker');
  });

  await t.test('no secret is told', async (t) => {
    const all = [
      ...(await Promise.all([s.cli('--json', 'status'), s.cli('--json', 'schema')])).map(
        ({ stdout }) => stdout,
      ),
      ...gateway.child.stderr,
      (await millrace(['--json', 'validate', s.file], { env })).stdout,
      JSON.stringify(await s.consumer.ask('messages', '')),
    ].join('\n');
    t.notOk(all.includes(secret), 'in status, log, validate or topics');
    const data = join(s.folder, 'millrace-data');
    for (const name of await readdir(data)) {
      const bytes = await readFile(join(data, name)).catch(() => Buffer.alloc(0));
      t.notOk(bytes.includes(secret), `in ${name}`);
    }
  });
  t.equal((await gateway.stop()).code, 0, 'SIGTERM ends it well');
  await t.rejects(stat(s.socket), 'the socket is gone with it');
});

void t.test('validate prints all problems with their places', async (t) => {
  const folder = await scratch(t);
  const file = join(folder, 'bad.yaml');
  await writeFile(
    file,
    [
      'millrace: 1',
      'gateway: { id: g1, sitte: here }',
      'links:',
      '  l:',
      '    driver: modbuss',
      '    endpoint: tcp://127.0.0.1:1502',
      '    devices: {}',
      '  m:',
      '    driver: modbus',
      '    endpoint: tcp://127.0.0.1:1502',
      '    scanClasses: { fast: 1 parsec }',
      '    devices: { D: { unit: 1, tags: { a: { address: xx:1, type: uint16, scan: fast } } } }',
      'sinks:',
      '  c: { type: mqtt, url: "mqtt://127.0.0.1:1883", password: "${secret:nowhere}" }',
      '',
    ].join('\n'),
  );
  const done = await millrace(['validate', file]);
  t.equal(done.code, 3);
  for (const line of [2, 5, 11, 12, 14]) {
    t.match(done.stdout, new RegExp(`bad\\.yaml:${String(line)}:\\d+`), `line ${String(line)}`);
  }
  t.match(done.stdout, /site/, 'with a did-you-mean');
  const json = await millrace(['--json', 'validate', file]);
  t.equal(json.code, 3);
  const { ok, problems } = JSON.parse(json.stdout) as { ok: boolean; problems: unknown[] };
  t.equal(ok, false);
  t.ok(problems.length >= 5);
  t.equal((await millrace(['run', file])).code, 3, 'run refuses it too');
  t.equal((await millrace(['validate', join(folder, 'none.yaml')])).code, 3);
  t.equal((await millrace(['run', file, '--log', 'loud'])).code, 2);
});

void t.test('a stop does not wait for a broker', { timeout: 60_000 }, async (t) => {
  const s = await Station.build(t);
  await s.broker.close();
  const gateway = await s.startGateway();
  await waitFor(
    async () => (await gateway.status()).health.counters['sink_cloud_failures'] !== 0,
    'the broker was tried',
    10_000,
  );
  const startedAt = performance.now();
  t.equal((await gateway.stop()).code, 0);
  const took = performance.now() - startedAt;
  t.ok(took < 5_000, `stopped after ${took.toFixed(0)} ms`);
});

void t.test('a stop does not wait for a frozen broker', { timeout: 60_000 }, async (t) => {
  const rig = await Rig.build(t, { devices: 1, scanMs: 100 });
  const gateway = await rig.startGateway();
  await waitFor(async () => (await rig.arrivals()).length > 0, 'data flow', 10_000);
  rig.freezeBroker();
  await waitFor(async () => (await gateway.pending('cloud')) > 20, 'nothing is taken', 10_000);
  const startedAt = performance.now();
  t.equal((await gateway.stop()).code, 0);
  const took = performance.now() - startedAt;
  t.ok(took < 8_000, `stopped after ${took.toFixed(0)} ms`);
});

/** Listening TCP ports of a process: its sockets, looked up in the tables of the kernel. */
async function listeningPorts(pid: number): Promise<readonly number[]> {
  const folder = `/proc/${String(pid)}/fd`;
  const links = await Promise.all(
    (await readdir(folder)).map((fd) => readlink(join(folder, fd)).catch(() => '')),
  );
  const sockets = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  const ports: number[] = [];
  for (const table of ['tcp', 'tcp6']) {
    const text = await readFile(`/proc/${String(pid)}/net/${table}`, 'utf8').catch(() => '');
    for (const line of text.split('\n').slice(1)) {
      const columns = line.trim().split(/\s+/);
      const listens = columns[3] === '0A';
      if (listens && sockets.has(columns[9] ?? '')) {
        ports.push(Number.parseInt(columns[1]?.split(':').at(-1) ?? '0', 16));
      }
    }
  }
  return ports;
}

void t.test('a command ends quietly with whoever reads it', (t) => {
  execFile(
    'sh',
    ['-c', '"$0" "$1" schema | head -c 1', process.execPath, program],
    (error, stdout, stderr) => {
      t.equal(error, null);
      t.equal(stdout, '{');
      t.equal(stderr, '', 'no stack trace');
      t.end();
    },
  );
});
