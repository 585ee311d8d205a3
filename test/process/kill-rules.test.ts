/**
 * kill -9 at any instant around trips, resets and bypasses, against a PLC on a real socket. A trip that the PLC
 * has seen is never lost, a reset that has taken effect stays one, and a bypass outlives the gateway but not its
 * own end: from the first moment on, whatever the disk has taken by then.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { FakeModbus } from '../../drivers/modbus/test/fake.js';
import { socketStream } from '../conformance/socket.js';
import { GatewayProcess } from '../support/gateway.js';
import { listen } from '../support/listen.js';
import { Seeded } from '../support/random.js';
import { type Cleanup, scratch } from '../support/scratch.js';
import { elapse, waitFor } from '../support/wait.js';

const rounds = process.env['MILLRACE_LONG'] === undefined ? 6 : 60;
/** A commit takes some milliseconds: kills fall before, into and after it. */
const soonMs = 30;

interface Plant {
  readonly fake: FakeModbus;
  readonly start: () => Promise<GatewayProcess>;
}

async function plant(t: Cleanup): Promise<Plant> {
  const fake = new FakeModbus({ units: [1], value: () => 0 });
  const port = await listen(t, (socket) => fake.serve(socketStream(socket)));
  const folder = await scratch(t);
  const file = join(folder, 'plant.yaml');
  await writeFile(
    file,
    `
millrace: 1
gateway: { id: kr }
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
writes: { P.run_cmd: { allow: [rules], range: [0, 7] } }
rules:
  - interlock: HIGH
    cause: P.pressure > 10 bar
    bypass: { per_input: true, at_most: 1, max: 1h }
    effects: [{ set: P.run_cmd, to: 7 }]
`,
  );
  const socket = join(folder, 'millrace-data', 'control.sock');
  return { fake, start: () => GatewayProcess.start(t, file, socket) };
}

async function stateOf(gateway: GatewayProcess): Promise<unknown> {
  return ((await gateway.ask('rules')) as Record<string, unknown>)['HIGH'];
}
function becomes(gateway: GatewayProcess, wanted: string): Promise<unknown> {
  return waitFor(async () => (await stateOf(gateway)) === wanted, `HIGH becomes ${wanted}`, 20_000);
}

void t.test(
  'a trip that the PLC has seen is there after a kill',
  { timeout: 300_000 },
  async (t) => {
    const { fake, start } = await plant(t);
    const random = new Seeded(3);
    let gateway = await start();
    for (let round = 0; round < rounds; round++) {
      await becomes(gateway, 'NORMAL');
      fake.set(1, 'hr', 1, 0);
      fake.set(1, 'hr', 0, 11);
      await waitFor(() => fake.get(1, 'hr', 1) === 7, 'the PLC sees the trip', 20_000);
      await elapse(random.int(0, soonMs));
      await gateway.kill();
      // The cause goes, and with it everything that would make it trip again.
      fake.set(1, 'hr', 0, 1);
      fake.set(1, 'hr', 1, 0);
      gateway = await start();
      await becomes(gateway, 'TRIPPED_CLEAR');
      await waitFor(() => fake.get(1, 'hr', 1) === 7, 'and its output is demanded again', 20_000);
      await gateway.ask('reset', { rule: 'HIGH' });
      await becomes(gateway, 'NORMAL');
      await elapse(random.int(0, soonMs));
      await gateway.kill();
      gateway = await start();
      await becomes(gateway, 'NORMAL');
    }
    t.pass(`${rounds} trips and resets`);
    await gateway.stop();
  },
);

void t.test(
  'a bypass outlives the gateway, and not its own end',
  { timeout: 300_000 },
  async (t) => {
    const { fake, start } = await plant(t);
    const random = new Seeded(5);
    let gateway = await start();
    await becomes(gateway, 'NORMAL');
    const args = { rule: 'HIGH', input: 'P.pressure', reason: 'a test' };
    const isBypassed = async (): Promise<boolean> =>
      JSON.stringify(await gateway.ask('why', { rule: 'HIGH' })).includes('is bypassed by');
    for (let round = 0; round < Math.ceil(rounds / 2); round++) {
      const asked = performance.now();
      await gateway.ask('bypass', { ...args, for: '6s' });
      await elapse(random.int(0, soonMs));
      await gateway.kill();
      gateway = await start();
      if (performance.now() - asked < 5_000) t.ok(await isBypassed(), 'still bypassed');
      fake.set(1, 'hr', 0, 11);
      await waitFor(async () => !(await isBypassed()), 'it ends', 20_000);
      t.ok(performance.now() - asked > 5_500, 'not before its time');
      await becomes(gateway, 'TRIPPED');
      fake.set(1, 'hr', 0, 1);
      await becomes(gateway, 'TRIPPED_CLEAR');
      await gateway.ask('reset', { rule: 'HIGH' });
      await becomes(gateway, 'NORMAL');
    }
    await gateway.ask('bypass', { ...args, for: '1s' });
    await elapse(random.int(0, soonMs));
    await gateway.kill();
    await elapse(1_500);
    gateway = await start();
    await becomes(gateway, 'NORMAL');
    t.notOk(await isBypassed(), 'it ended while the gateway was off');
    await gateway.stop();
  },
);
