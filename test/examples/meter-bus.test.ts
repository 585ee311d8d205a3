/**
 * `examples/meter-bus`, as it stands in the repository, against meters on a line behind a converter: profiles
 * decode, the sum is right, a meter that falls silent hurts nobody else and comes back by itself.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { FakeModbus } from '../../drivers/modbus/test/fake.js';
import { rtu } from '../../drivers/modbus/wire/rtu.js';
import { socketStream } from '../conformance/socket.js';
import { GatewayProcess, millrace } from '../support/gateway.js';
import { listen } from '../support/listen.js';
import { type Cleanup, scratch } from '../support/scratch.js';
import { tagOf } from '../support/station.js';
import { waitFor } from '../support/wait.js';

const plant = fileURLToPath(new URL('../../../examples/meter-bus/plant.yaml', import.meta.url));

/** Meters 1 to 3 with 1, 2 and 3 kW, and a probe, behind a converter. */
class Line {
  readonly silent = new Set<number>();
  readonly fake: FakeModbus;
  port = 0;

  constructor() {
    this.fake = new FakeModbus({ framing: rtu, units: [1, 2, 3, 240], value: () => 0 });
    for (const unit of [1, 2, 3]) {
      this.put(unit, 'ir', 0, 230 + unit, true);
      this.put(unit, 'ir', 52, unit * 1_000, true);
    }
    this.put(240, 'hr', 0, 612.5, false);
  }

  put(unit: number, table: 'ir' | 'hr', at: number, value: number, highFirst: boolean): void {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatBE(value);
    const words = [bytes.readUInt16BE(0), bytes.readUInt16BE(2)];
    if (!highFirst) words.reverse();
    for (const [i, word] of words.entries()) this.fake.set(unit, table, at + i, word);
  }

  async listen(t: Cleanup): Promise<void> {
    this.port = await listen(t, (socket) => {
      const stream = socketStream(socket);
      this.fake.serve({
        onBytes: (handler) =>
          stream.onBytes((bytes) => {
            if (!this.silent.has(bytes[0] ?? 0)) handler(bytes);
          }),
        onEnd: (handler) => stream.onEnd(handler),
        write: (bytes) => stream.write(bytes),
        close: () => stream.close(),
      });
    });
  }
}

void t.test('meters on one line', { timeout: 120_000 }, async (t) => {
  const line = new Line();
  await line.listen(t);
  const folder = await scratch(t);
  const file = join(folder, 'plant.yaml');
  const text = await readFile(plant, 'utf8');
  // Another port, and faster, as nobody wants to wait for the test.
  await writeFile(
    file,
    text
      .replace('127.0.0.1:15504', `127.0.0.1:${String(line.port)}`)
      .replace('baudRate: 9600', 'baudRate: 115200')
      .replace('default: 5s', 'default: 500ms'),
  );
  const valid = await millrace(['validate', plant]);
  t.equal(valid.code, 0, valid.stdout + valid.stderr);
  t.match(valid.stdout, /default +5000 ms +4 +\d+ +\d+ ms +\d/);
  const socket = join(folder, 'millrace-data', 'control.sock');
  const gateway = await GatewayProcess.start(t, file, socket);
  const quality = async (name: string): Promise<string> => (await tagOf(gateway, name)).quality;
  const becomes = (name: string, wanted: string): Promise<unknown> =>
    waitFor(async () => (await quality(name)) === wanted, `${name} becomes ${wanted}`, 30_000);
  for (const name of ['EM1.power', 'EM2.power', 'EM3.power', 'AQ1.co2'])
    await becomes(name, 'good');
  t.equal((await tagOf(gateway, 'EM2.power')).value, 2_000);
  t.equal((await tagOf(gateway, 'EM3.voltage_l1')).value, 233);
  t.equal((await tagOf(gateway, 'AQ1.co2')).value, 612.5);
  await waitFor(
    async () => (await tagOf(gateway, 'TOTAL-POWER')).value === 6_000,
    'the sum is 6 kW',
    10_000,
  );
  line.silent.add(2);
  await becomes('EM2.power', 'bad');
  t.equal(await quality('EM1.power'), 'good');
  t.equal(await quality('TOTAL-POWER'), 'bad', 'a sum with a hole is none');
  line.silent.delete(2);
  await becomes('EM2.power', 'good');
  await gateway.stop();
});
