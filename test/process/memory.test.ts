/**
 * What becomes of a trip whose journal is damaged, gone or elsewhere, on real files: the gateway starts each time, and
 * what the trip holds it still holds.
 */
import { cp, mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Database } from 'sqlite3';
import t from 'tap';
import { FakeModbus } from '../../drivers/modbus/test/fake.js';
import { socketStream } from '../conformance/socket.js';
import { GatewayProcess } from '../support/gateway.js';
import { listen } from '../support/listen.js';
import { type Cleanup, scratch } from '../support/scratch.js';
import { waitFor } from '../support/wait.js';

const journal = 'journal.db';

function plantYaml(port: number): string {
  return `
millrace: 1
gateway: { id: mt }
links:
  plc:
    driver: modbus
    endpoint: tcp://127.0.0.1:${String(port)}
    scanClasses: { fast: 50ms }
    devices:
      P:
        unit: 1
        tags:
          pressure: { address: hr:0, type: uint16, unit: bar }
          run_cmd: { address: hr:1, type: uint16 }
          other_cmd: { address: hr:2, type: uint16 }
writes:
  P.run_cmd: { allow: [rules], range: [0, 7] }
  P.other_cmd: { allow: [rules], range: [0, 7] }
rules:
  - interlock: HIGH
    cause: P.pressure > 10 bar
    latch: manual
    effects: [{ set: P.run_cmd, to: 7 }]
  - interlock: OTHER
    cause: P.pressure > 100 bar
    latch: manual
    effects: [{ set: P.other_cmd, to: 7 }]
`;
}

interface Plant {
  readonly fake: FakeModbus;
  readonly folder: string;
  readonly data: string;
  start(): Promise<GatewayProcess>;
}

async function plant(t: Cleanup): Promise<Plant> {
  const fake = new FakeModbus({ units: [1], value: () => 0 });
  const port = await listen(t, (socket) => fake.serve(socketStream(socket)));
  const folder = await scratch(t);
  const file = join(folder, 'plant.yaml');
  await writeFile(file, plantYaml(port));
  const data = join(folder, 'millrace-data');
  const socket = join(data, 'control.sock');
  return { fake, folder, data, start: () => GatewayProcess.start(t, file, socket) };
}

function sql(path: string, statement: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const db = new Database(path);
    db.run(statement, (error) => {
      db.close(() => {
        if (error) reject(error);
        else resolve();
      });
    });
  });
}
const row = (value: string) => (path: string) =>
  sql(path, `UPDATE state SET value = '${value}' WHERE key = 'rules'`);

async function removeJournal(path: string): Promise<void> {
  for (const ending of ['', '-wal', '-shm']) await rm(path + ending, { force: true });
}

const damages: readonly [string, (path: string, plant: Plant) => Promise<void>][] = [
  ['nothing', () => Promise.resolve()],
  ['journal emptied to zero bytes', (path) => truncate(path, 0)],
  ['journal removed', removeJournal],
  [
    'journal.path changed',
    async (_, { folder }) => {
      const file = join(folder, 'plant.yaml');
      const text = await readFile(file, 'utf8');
      await writeFile(
        file,
        `${text}journal: { path: elsewhere/${journal} }
`,
      );
      await mkdir(join(folder, 'elsewhere'));
    },
  ],
  ['row rules deleted', (path) => sql(path, "DELETE FROM state WHERE key = 'rules'")],
  ['row rules {}', row('{}')],
  ['row rules {"IL1":5}', row('{"IL1":5}')],
  ['row rules not JSON', row('hello')],
  ['every row not JSON', (path) => sql(path, "UPDATE state SET value = 'hello'")],
  ['every row null', (path) => sql(path, "UPDATE state SET value = 'null'")],
];

interface Started {
  readonly msg: string;
  readonly memory?: string;
}

void t.test('a trip outlives what becomes of its journal', { timeout: 120_000 }, async (t) => {
  const one = await plant(t);
  const { fake, folder, data } = one;
  const before = join(await scratch(t), 'before');
  const first = await one.start();
  fake.set(1, 'hr', 0, 11);
  await waitFor(() => fake.get(1, 'hr', 1) === 7, 'the PLC sees the trip', 20_000);
  await waitFor(async () => (await stateOf(first, 'HIGH')) === 'TRIPPED', 'HIGH trips', 20_000);
  await waitFor(async () => (await anchorOf(data)) >= 1, 'it is stored', 20_000);
  await first.kill();
  fake.set(1, 'hr', 0, 1);
  const filter = (name: string): boolean => !name.endsWith('.sock');
  await cp(folder, before, { recursive: true, filter });
  for (const [name, damage] of damages) {
    await rm(folder, { recursive: true });
    await cp(before, folder, { recursive: true });
    // The PLC has forgotten everything: what is written now is written by the trip of before.
    fake.set(1, 'hr', 1, 0);
    await damage(join(data, journal), one);
    const gateway = await one.start();
    await waitFor(() => fake.get(1, 'hr', 1) === 7, `${name}: the output is held`, 20_000);
    t.match(await stateOf(gateway, 'HIGH'), /^TRIPPED/, `${name}: HIGH is tripped`);
    t.equal(await stateOf(gateway, 'OTHER'), 'NORMAL', `${name}: and nothing else`);
    t.equal(fake.get(1, 'hr', 2), 0);
    const lines = gateway.log as readonly unknown[] as readonly Started[];
    const verdict = lines.find(({ msg }) => msg === 'gateway started')?.memory;
    t.equal(verdict, 'known', `${name}: known`);
    t.comment(`memory: ${name} → ${String(verdict)}, HIGH tripped`);
    await gateway.kill();
  }
});

async function stateOf(gateway: GatewayProcess, rule: string): Promise<unknown> {
  return ((await gateway.ask('rules')) as Record<string, unknown>)[rule];
}

/** How far the anchor says that memory reaches. */
async function anchorOf(data: string): Promise<number> {
  const text = await readFile(join(data, 'state', 'anchor'), 'utf8').catch(() => undefined);
  return text === undefined ? -1 : (JSON.parse(text.slice(9)) as { readonly note: number }).note;
}
