/**
 * The Modbus driver against pymodbus on every transport: TCP, UDP, TLS, RTU and ASCII on a serial line and over
 * TCP, every type in every byte order, every function; mbpoll as a third party, on our fake device too.
 */
import { pbkdf2 } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { GatewayError, type TlsMaterial } from '../../gateway/contract/index.js';
import { openStream } from '../../gateway/host/open.js';
import { FakeModbus } from '../../drivers/modbus/test/fake.js';
import {
  exceptionStatus,
  identification,
  loopback,
  serverId,
} from '../../drivers/modbus/session/request.js';
import { rtu } from '../../drivers/modbus/wire/rtu.js';
import { socketStream } from '../conformance/socket.js';
import { Child, run } from '../support/child.js';
import { GatewayProcess, millrace } from '../support/gateway.js';
import { must } from '../support/must.js';
import { scratch } from '../support/scratch.js';
import { tagOf } from '../support/station.js';
import { elapse, waitFor } from '../support/wait.js';
import {
  bits,
  longFrames,
  readsEverything,
  refusals,
  writesEverything,
  writesSingly,
  type Bench,
} from './exercise.js';
import { Diagnosis, endpointOf, Field, openPatiently } from './field.js';
import { hasPeer } from './peer.js';
import { Cable, mbpoll, type PeerProcess } from './peer-process.js';
import { python, startPymodbus, type PymodbusMode } from './pymodbus-server.js';
import { blockOf, packsOf, samples } from './samples.js';

const derive = promisify(pbkdf2);
const line = '9600,8N1';
/** Every function that reads or writes. */
const functions = [1, 2, 3, 4, 5, 6, 15, 16, 22, 23];

const hasPymodbus = await hasPeer(t, 'python3-pymodbus', [
  python,
  '-c',
  'import pymodbus.server.async_io',
]);
const hasOpenssl = await hasPeer(t, 'openssl', ['openssl', 'version']);
const hasSocat = await hasPeer(t, 'socat', ['socat', '-V']);
const hasMbpoll = await hasPeer(t, 'mbpoll', ['mbpoll', '-V'], [0, 1]);

async function diagnoses(t: Test, text: string, tls?: TlsMaterial): Promise<void> {
  const diagnosis = await Diagnosis.open(text, tls);
  const to = { unit: 3, device: 'D' };
  t.same(await diagnosis.ask(exceptionStatus(to)), { ok: true, pdu: Uint8Array.of(7, 0) }, 'FC 7');
  for (const data of [0, 0x0d0a, 0x3a3a, 0xffff])
    t.equal((await diagnosis.ask(loopback(to, data))).ok, true, `FC 8 of ${String(data)}`);
  const id = await diagnosis.ask(serverId(to));
  must(id.ok, 'FC 17 is answered');
  t.match(Buffer.from(id.pdu).toString('latin1'), /Peer-P-7-1\.2/, 'FC 17 tells who it is');
  for (const level of [1, 2, 3] as const) {
    const found = await diagnosis.ask(identification(to, level, 0));
    must(found.ok, 'FC 43/14 is answered');
    const text = Buffer.from(found.pdu).toString('latin1');
    for (const part of ['Peer', 'P-7', '1.2']) t.ok(text.includes(part), `FC 43/14: ${part}`);
    t.equal(text.includes('http://peer.example'), level > 1, `level ${String(level)}: its address`);
  }
  diagnosis.close();
}

/** What a third program reads of the same registers, once our driver has written them and let go. */
async function agrees(t: Test, text: string, args: readonly string[]): Promise<void> {
  const field = await Field.open(text);
  const { int32, uint16, float32 } = samples.mixed;
  const raw: number[] = [];
  for (const order of ['ABCD', 'CDAB'] as const) {
    const at = blockOf(order);
    const long = field.bind(
      { unit: 3, byteOrder: order },
      {
        uint16: { type: 'uint16', address: `hr:${String(at + 1)}` },
        int32: { type: 'int32', address: `hr:${String(at + 2)}` },
        float32: { type: 'float32', address: `hr:${String(at + 14)}` },
      },
    );
    await long.write('uint16', uint16);
    await long.write('int32', int32);
    await long.write('float32', float32);
  }
  const all = field.bind({ unit: 3 }, registersOf('hr', 100));
  for (const value of Object.values(await all.read())) raw.push(Number(value));
  await field.close();
  const read = (...more: readonly string[]): Promise<Map<number, string>> =>
    waitFor(
      () => mbpoll(['-a', '3', ...more, ...args]).catch(() => undefined),
      `mbpoll ${more.join(' ')}`,
      15_000,
    );
  const hex = await read('-t', '4:hex', '-r', '0', '-c', '100');
  t.same([...hex.values()].map(Number), raw, 'mbpoll reads the same 100 registers');
  for (const order of ['ABCD', 'CDAB'] as const) {
    const at = blockOf(order);
    const big = order === 'ABCD' ? ['-B'] : [];
    t.equal(
      (await read('-t', '4', '-r', String(at + 1))).get(at + 1),
      String(uint16),
      `${order}: mbpoll: uint16`,
    );
    t.equal(
      (await read('-t', '4:int', '-r', String(at + 2), ...big)).get(at + 2),
      String(int32),
      `${order}: mbpoll: int32`,
    );
    t.equal(
      (await read('-t', '4:float', '-r', String(at + 14), ...big)).get(at + 14),
      String(float32),
      `${order}: mbpoll: float32`,
    );
  }
}

/** As plain words. */
function registersOf(
  table: 'hr' | 'ir',
  count: number,
): Record<string, { type: 'uint16'; address: string }> {
  const names = Array.from({ length: count }, (_, i) => `${table}:${String(i)}`);
  return Object.fromEntries(
    names.map((address) => [address, { type: 'uint16', address } as const]),
  );
}

/** Everything that a device can be asked, over one transport. */
async function exercise(
  t: Test,
  peer: PeerProcess,
  text: string,
  tls?: TlsMaterial,
): Promise<void> {
  const field = await Field.open(text, tls);
  t.teardown(() => field.close());
  const bench: Bench = { t, field, peer, unit: 3, foreign: 'silent' };
  await readsEverything(bench);
  await writesEverything(bench);
  await writesSingly(bench);
  await bits(bench, 2_000);
  await longFrames(bench);
  await refusals(bench);
  t.same(
    [...field.functions].sort((a, b) => a - b),
    functions,
    'every function was used',
  );
  await field.close();
  await diagnoses(t, text, tls);
}

function onNetwork(title: string, mode: PymodbusMode): void {
  void t.test(`pymodbus: ${title}`, { timeout: 180_000 }, async (t) => {
    const peer = await startPymodbus(t, mode);
    await exercise(t, peer, `${mode}://127.0.0.1:${String(peer.port)}`);
    if (mode === 'tcp' && hasMbpoll)
      await agrees(t, `tcp://127.0.0.1:${String(peer.port)}`, [
        '-p',
        String(peer.port),
        '127.0.0.1',
      ]);
  });
}

function onLine(title: string, mode: 'rtu' | 'ascii'): void {
  void t.test(`pymodbus: ${title}`, { timeout: 180_000 }, async (t) => {
    const cable = await Cable.plug(t, await scratch(t));
    const peer = await startPymodbus(t, mode, cable.far);
    const text = `${mode === 'rtu' ? 'serial' : 'ascii+serial'}:${cable.near}?${line}`;
    await exercise(t, peer, text);
    if (mode === 'rtu' && hasMbpoll)
      await agrees(t, text, ['-m', 'rtu', '-b', '9600', '-P', 'none', cable.near]);
  });
}

if (hasPymodbus) {
  onNetwork('TCP', 'tcp');
  onNetwork('UDP', 'udp');
  onNetwork('RTU over TCP', 'rtu+tcp');
  onNetwork('ASCII over TCP', 'ascii+tcp');
  onNetwork('RTU over UDP', 'rtu+udp');
}
if (hasPymodbus && hasOpenssl) {
  void t.test('pymodbus: TLS', { timeout: 180_000 }, async (t) => {
    const folder = await scratch(t);
    const self = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=peer'];
    for (const name of ['peer', 'other']) {
      const files = ['-keyout', `${name}.key`, '-out', `${name}.pem`];
      const named = ['-addext', 'subjectAltName=IP:127.0.0.1'];
      const done = await run(['req', ...self, ...named, ...files], {
        program: 'openssl',
        cwd: folder,
      });
      must(done.code === 0, `openssl: ${done.stderr}`);
    }
    const trusting = async (name: string): Promise<TlsMaterial> => {
      const ca = await readFile(join(folder, `${name}.pem`), 'utf8');
      return { ca, cert: undefined, key: undefined, serverName: undefined };
    };
    const peer = await startPymodbus(t, 'tls', join(folder, 'peer'));
    const text = `tls://127.0.0.1:${String(peer.port)}`;
    await exercise(t, peer, text, await trusting('peer'));
    const refused = await Field.open(text, await trusting('other')).catch((e: unknown) => e);
    t.match(refused, { code: 'auth-failed' }, 'another certificate is refused');
  });
}
if (hasPymodbus && hasSocat) {
  onLine('RTU on a serial line', 'rtu');
  onLine('ASCII on a serial line', 'ascii');
}

/** What mbpoll reads of our fake device, and what it writes there. */
async function mbpollAt(t: Test, fake: FakeModbus, args: readonly string[]): Promise<void> {
  const mb = (
    type: string,
    at: number,
    more: readonly string[] = [],
    values: readonly string[] = [],
  ): Promise<Map<number, string>> =>
    mbpoll(['-a', '3', '-t', type, '-r', String(at), ...more, ...args, ...values]);
  for (const [type, table] of [
    ['4:hex', 'hr'],
    ['3:hex', 'ir'],
    ['0', 'co'],
    ['1', 'di'],
  ] as const)
    for (const [start, count] of [
      [0, 125],
      [7, 1],
      [65_411, 125],
    ] as const) {
      const found = await mb(type, start, ['-c', String(count)]);
      t.same(
        [...found].map(([at, value]) => [at, Number(value)]),
        Array.from({ length: count }, (_, i) => [start + i, fake.get(3, table, start + i)]),
        `mbpoll reads ${String(count)} of ${table} from ${String(start)}`,
      );
    }
  fake.set(3, 'hr', 20, 0xfffe);
  fake.set(3, 'hr', 21, 0xffff);
  t.equal((await mb('4:int', 20, ['-B'])).get(20), '-65537', 'high register first');
  t.equal((await mb('4:int', 20)).get(20), '-2', 'low register first');
  const held = (table: 'hr' | 'co', ...places: readonly number[]): readonly number[] =>
    places.map((at) => fake.get(3, table, at));
  await mb('4', 30, [], ['4711']);
  t.same(held('hr', 30), [4_711], 'FC 6');
  await mb('4', 31, [], ['1', '65535', '3']);
  t.same(held('hr', 31, 32, 33), [1, 65_535, 3], 'FC 16');
  await mb('0', 40, [], ['1']);
  t.same(held('co', 40), [1], 'FC 5');
  await mb('0', 41, [], ['1', '0', '1']);
  t.same(held('co', 41, 42, 43), [1, 0, 1], 'FC 15');
  t.same(
    [...new Set(fake.requests.map(({ fn }) => fn))].sort((a, b) => a - b),
    [1, 2, 3, 4, 5, 6, 15, 16],
    'these functions came',
  );
}

if (hasMbpoll) {
  void t.test('mbpoll at our fake device, TCP', { timeout: 60_000 }, async (t) => {
    const fake = new FakeModbus({ units: [3] });
    const server = createServer((socket) => fake.serve(socketStream(socket)));
    t.teardown(() => server.close());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await mbpollAt(t, fake, ['-p', String(port), '127.0.0.1']);
  });
}

if (hasMbpoll && hasSocat) {
  void t.test('mbpoll at our fake device, RTU', { timeout: 60_000 }, async (t) => {
    const cable = await Cable.plug(t, await scratch(t));
    const fake = new FakeModbus({ units: [3], framing: rtu });
    const stream = await openPatiently(endpointOf(`serial:${cable.far}?${line}`));
    t.teardown(() => stream.close());
    fake.serve(stream);
    await mbpollAt(t, fake, ['-m', 'rtu', '-b', '9600', '-P', 'none', cable.near]);
  });
}

if (hasSocat) {
  void t.test('one serial port, one program', { timeout: 60_000 }, async (t) => {
    const cable = await Cable.plug(t, await scratch(t));
    const endpoint = endpointOf(`serial:${cable.near}?${line}`);
    const open = (): Promise<unknown> =>
      openStream(endpoint, AbortSignal.timeout(5_000)).catch((thrown: unknown) => thrown);
    const first = await openStream(endpoint, AbortSignal.timeout(5_000));
    t.match(await open(), { code: 'link-refused' }, 'a port that we have ourselves is refused');
    first.close();
    const again = await openPatiently(endpoint);
    again.close();
    if (hasPymodbus) {
      const script =
        'import serial, sys; s = serial.Serial(sys.argv[1], 9600, exclusive=True); ' +
        'print("held", flush=True); sys.stdin.readline()';
      const other = new Child(['-c', script, cable.near], { program: python });
      t.teardown(() => other.kill());
      await waitFor(() => other.stdout.includes('held'), 'another program has it', 15_000);
      t.match(
        await open(),
        { code: 'link-refused', message: /in use/ },
        'and one of another program',
      );
      other.write('');
      await other.exit;
      (await openPatiently(endpoint)).close();
      t.pass('free again');
    }
    const absent = endpointOf(`serial:${cable.near}-absent?${line}`);
    const none = await openStream(absent, AbortSignal.timeout(5_000)).catch((e: unknown) => e);
    t.match(none, { code: 'link-unreachable' }, 'a port that is not there');
  });

  // Every thread is busy, so the first read of the port is still to come when the port is closed.
  void t.test('a port that is closed while it is read', { timeout: 60_000 }, async (t) => {
    const cable = await Cable.plug(t, await scratch(t));
    const endpoint = endpointOf(`serial:${cable.near}?${line}`);
    for (let round = 0; round < 5; round++) {
      const stream = await openPatiently(endpoint);
      const busy = Array.from({ length: 8 }, () => derive('a', 'b', 400_000, 8, 'sha256'));
      stream.write(Uint8Array.of(1, 3));
      await new Promise(setImmediate);
      stream.close();
      await Promise.all(busy);
    }
    (await openPatiently(endpoint)).close();
    t.pass('five times, and the process lives');
  });

  // A port that waits for bytes is told an error. A read that is under way gets none, again and again.
  for (const rests of [true, false]) {
    const when = rests ? 'at rest' : 'at the moment of a read';
    const name = `an adapter that is pulled out ${when} ends its stream`;
    void t.test(name, { timeout: 60_000 }, async (t) => {
      const cable = await Cable.plug(t, await scratch(t));
      const text = `serial:${cable.near}?${line}`;
      for (const asks of [false, true, false, true]) {
        const field = await Field.open(text);
        const tags = field.bind({ unit: 3 }, { a: { type: 'uint16', address: 'hr:1' } });
        if (rests) await t.rejects(tags.read(100), { code: 'aborted' }, 'nobody answers');
        const end = asks ? tags.read().catch((thrown: unknown) => thrown) : field.lost;
        await cable.pullUnseen();
        const before = process.cpuUsage();
        const why = await Promise.race([end, elapse(3_000)]);
        const title = asks ? 'while asked' : 'while idle';
        if (why instanceof GatewayError) t.equal(why.kind, 'link', `${title}: ${why.message}`);
        else t.fail(`${title}: nothing was told within 3 s`);
        const { user, system } = process.cpuUsage(before);
        t.ok(user + system < 1_000_000, `${title}: ${String((user + system) / 1_000)} ms busy`);
        await field.close();
        await cable.plugIn();
      }
    });
  }
}

function serialConfig(folder: string, port: string): string {
  return [
    'millrace: 1',
    'gateway: { id: interop }',
    'links:',
    '  l:',
    '    driver: modbus',
    `    endpoint: serial:${port}?${line}`,
    '    timeout: 500ms',
    '    scanClasses: { fast: 200ms }',
    '    devices:',
    '      D:',
    '        unit: 3',
    '        tags:',
    '          level: { address: hr:2, type: int32, scan: fast }',
    '          text: { address: hr:20, type: string, length: 8, scan: fast }',
    'writes:',
    '  D.level: { allow: [operator] }',
    `journal: { path: ${join(folder, 'j.db')}, size: 8MiB }`,
    `control: { socket: ${join(folder, 'c.sock')} }`,
    '',
  ].join('\n');
}

if (hasPymodbus && hasSocat) {
  void t.test('an adapter that is pulled out while polling', { timeout: 120_000 }, async (t) => {
    const folder = await scratch(t);
    const peer = await startPymodbus(t, 'rtu+tcp');
    await peer.set(packsOf(samples.typical, 'hr', 'ABCD').map((p) => `${p.place} ${p.value}`));
    const cable = new Cable(folder, `tcp:127.0.0.1:${String(peer.port)}`);
    t.teardown(() => cable.pull());
    const file = join(folder, 'serial.yaml');
    const socket = join(folder, 'c.sock');
    await writeFile(file, serialConfig(folder, cable.near));
    const gateway = await GatewayProcess.start(t, file, socket);
    const becomes = (quality: string, within: number): Promise<unknown> =>
      waitFor(
        async () => {
          must(gateway.child.running, `the gateway ended: ${gateway.child.stderr.join('\n')}`);
          const { quality: now, value, reason } = await tagOf(gateway, 'D.level');
          const right =
            now === 'good' ? value === samples.typical.int32 : reason === 'not-connected';
          return now === quality && right;
        },
        `D.level is ${quality}`,
        within,
      );
    const failure = await waitFor(
      async () => {
        const { links } = (await gateway.ask('status')) as { links: { error?: unknown }[] };
        return links[0]?.error;
      },
      'the status says why',
      5_000,
    );
    t.match(failure, { code: 'link-unreachable', text: /no such port/ }, 'no adapter at the start');
    t.equal((await tagOf(gateway, 'D.level')).quality, 'bad', 'and its tags are bad');
    for (const round of ['1', '2', '3']) {
      await cable.plugIn();
      await becomes('good', 5_000);
      t.pass(`plugged in, ${round}: good within 5 s`);
      await cable.pull();
      await becomes('bad', 2_000);
      t.pass(`pulled out, ${round}: bad within 2 s`);
    }
    await cable.plugIn();
    await becomes('good', 5_000);
    const done = await millrace(['--socket', socket, '--json', 'write', 'D.level', '-77']);
    t.equal(done.code, 0, `a write: ${done.stdout}`);
    t.same(await peer.ask(['get hr 2 int32 ABCD']), ['-77'], 'the peer has it');
    t.same(
      gateway.log.filter(({ level }) => level >= 60),
      [],
      'nothing fatal in the log',
    );
    t.equal((await gateway.stop()).code, 0, 'and it stops as it should');
  });
}
