/**
 * The commissioning tools as their user has them: processes, against a device that is really there, over
 * Modbus TCP and over RTU through a converter.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { FakeModbus, type FakeOptions } from '../../drivers/modbus/test/fake.js';
import { rtu } from '../../drivers/modbus/wire/rtu.js';
import { socketStream } from '../conformance/socket.js';
import { GatewayProcess, millrace } from '../support/gateway.js';
import { listen } from '../support/listen.js';
import { type Cleanup, freePort, scratch } from '../support/scratch.js';
import { waitFor } from '../support/wait.js';

/** A device behind a TCP port. */
async function serve(
  t: Cleanup,
  options: FakeOptions,
): Promise<{ port: number; fake: FakeModbus }> {
  const fake = new FakeModbus({ units: [3, 17], identity: ['ACME', 'FT-9', '1.2'], ...options });
  const port = await listen(t, (socket) => fake.serve(socketStream(socket)));
  return { port, fake };
}

/** Puts a float32 into two registers, low one first. */
function putFloat(fake: FakeModbus, at: number, value: number): void {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatBE(value);
  fake.set(17, 'hr', at, bytes.readUInt16BE(2));
  fake.set(17, 'hr', at + 1, bytes.readUInt16BE(0));
}

for (const scheme of ['tcp', 'rtu+tcp'] as const) {
  void t.test(
    `modbus read, find, identify and scan over ${scheme}`,
    { timeout: 60_000 },
    async (t) => {
      const { port, fake } = await serve(t, scheme === 'tcp' ? {} : { framing: rtu });
      const endpoint = `${scheme}://127.0.0.1:${String(port)}`;
      fake.set(17, 'hr', 100, 0x1234);
      putFloat(fake, 105, 231.4);
      const read = await millrace(['modbus', 'read', endpoint, 'hr:100', '-u', '17', '-n', '2']);
      t.equal(read.code, 0, read.stderr);
      t.match(read.stdout, /hr:100 +1234 +\.4 +4660 +4660 /);
      const json = await millrace([
        '--json',
        'modbus',
        'read',
        endpoint,
        '40101',
        '-u',
        '17',
        '-n',
        '1',
      ]);
      t.same(JSON.parse(json.stdout), { table: 'hr', start: 100, values: [0x1234] });
      const find = await millrace([
        ...['modbus', 'read', endpoint, 'hr:95', '-u', '17', '-n', '20', '--expect', '231.4'],
      ]);
      t.match(find.stdout, /231\.4 +\{ address: hr:105, type: float32, byteOrder: CDAB \}/);
      const identity = await millrace(['modbus', 'identify', endpoint, '-u', '3']);
      t.match(identity.stdout, /vendor +ACME\n.*product code +FT-9/s);
      t.match(identity.stdout, /loopback \(8\) +ok/);
      const before = fake.writes;
      const scan = await millrace([
        ...['scan', 'modbus', endpoint, '--units', '1-4,17', '--timeout', '200ms', '--gap', '1ms'],
      ]);
      t.match(scan.stdout, / 3 .*register 0 +ACME FT-9 1\.2\n.* 17 /s);
      t.notMatch(scan.stdout, / 2 +\d/);
      t.equal(fake.writes, before, 'scanning writes nothing');
    },
  );
}

void t.test(
  'modbus write shows, asks, writes, reads back and records',
  { timeout: 60_000 },
  async (t) => {
    const cwd = await scratch(t);
    const { port, fake } = await serve(t, {});
    const endpoint = `tcp://127.0.0.1:${String(port)}`;
    const write = (...args: string[]): ReturnType<typeof millrace> =>
      millrace(['modbus', 'write', endpoint, ...args, '-u', '17'], { cwd });
    fake.set(17, 'hr', 40, 5);
    const shown = await write('hr:40', '77');
    t.equal(shown.code, 5);
    t.match(shown.stderr, /hr:40 holds 5; nothing was written\n.*--yes/s);
    t.equal(fake.writes, 0);
    t.match((await write('hr:40', '77', '--yes')).stdout, /hr:40: 5 -> 77, read back/);
    t.match(
      (await write('hr:50', '1.5', '--type', 'float32', '--order', 'CDAB', '--yes')).stdout,
      /-> 1\.5, read back/,
    );
    t.match((await write('hr:40.3', 'on', '--yes')).stdout, /-> true, read back/);
    t.equal(fake.get(17, 'hr', 40), 77 | 8);
    t.match((await write('hr:40', '99999', '--yes')).stderr, /does not fit uint16/);
    t.match((await write('hr:40', 'much')).stderr, /"much" is no uint16/);
    t.match((await write('ir:1', '1', '--yes')).stderr, /read-only/);
    const log = await readFile(join(cwd, 'millrace-data', 'commissioning.log'), 'utf8');
    const lines = log
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    t.match(lines.slice(0, 2), [
      { unit: 17, address: 'hr:40', before: '5', value: '77', result: 'requested' },
      { result: 'done' },
    ]);
  },
);

void t.test('what goes wrong says what and what to do', { timeout: 60_000 }, async (t) => {
  const { port } = await serve(t, {});
  const endpoint = `tcp://127.0.0.1:${String(port)}`;
  const gone = `tcp://127.0.0.1:${String(await freePort())}`;
  const cases: [number, RegExp, ...string[]][] = [
    [2, /not a Modbus address.*hr:100/s, 'read', endpoint, 'x'],
    [2, /does not serve http/, 'read', 'http://127.0.0.1', 'hr:1'],
    [2, /does not say its speed.*9600,8E1/s, 'read', 'serial:/dev/ttyUSB0', 'hr:1'],
    [2, /--count must be a whole number/, 'read', endpoint, 'hr:1', '-n', '126'],
    [2, /--timeout is not a time/, 'read', endpoint, 'hr:1', '--timeout', 'soon'],
    [6, /refuses the connection/, 'read', gone, 'hr:1'],
    [6, /no answer within 100 ms/, 'read', endpoint, 'hr:1', '-u', '9', '--timeout', '100ms'],
    [6, /illegal address.*fewer/s, 'read', endpoint, 'hr:65530', '-u', '17'],
    [6, /no decoding of hr:0/, 'read', endpoint, 'hr:0', '-u', '17', '--expect', '123456.789'],
    [6, /there is no such port.*plugged/s, 'read', 'serial:/dev/ttyNONE?9600', 'hr:1'],
  ];
  for (const [code, pattern, ...args] of cases) {
    const done = await millrace(['modbus', ...args]);
    t.equal(done.code, code, args.join(' '));
    t.match(done.stderr, pattern);
  }
  const scan = await millrace(['scan', 'modbus', 'tcp://127.0.0.1-300']);
  t.match(scan.stderr, /not a range of hosts/);
});

void t.test(
  'trace shows what goes over the wire of a running gateway',
  { timeout: 60_000 },
  async (t) => {
    const folder = await scratch(t);
    const { port } = await serve(t, {});
    const file = join(folder, 'plant.yaml');
    const socket = join(folder, 'c.sock');
    await writeFile(
      file,
      `millrace: 1
gateway: { id: g }
links:
  l:
    driver: modbus
    endpoint: tcp://127.0.0.1:${String(port)}
    scanClasses: { fast: 100ms }
    devices:
      D: { unit: 17, tags: { a: { address: hr:100, type: uint16, scan: fast }, c: { address: co:1, type: bool } } }
journal: { path: ${join(folder, 'j.db')} }
control: { socket: ${socket} }
`,
    );
    const gateway = await GatewayProcess.start(t, file, socket);
    await waitFor(
      async () => (await gateway.status()).links[0]?.state === 'connected',
      'connected',
      10_000,
    );
    const trace = await millrace(['--socket', socket, 'trace', 'l', '--seconds', '1.5']);
    t.match(
      trace.stdout,
      /> #\d+ unit 17: read holding registers 100\.\.100\n +([0-9a-f]{2} ?)+\n/,
    );
    t.match(trace.stdout, /< #\d+ unit 17: read holding registers: \d+\n/);
    t.match(trace.stdout, /read coils 1\.\.1/);
    const none = await millrace(['--socket', socket, 'trace', 'nothing']);
    t.match(none.stderr, /no link nothing/);
    const status = await millrace(['--socket', socket, 'status']);
    t.match(status.stdout, /busy +device.*corrupt +exceptions +p50 ms +p99 ms/);
    await gateway.stop();
  },
);
