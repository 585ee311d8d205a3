/** A driver's thread that ends under a running gateway: its tags, the other links, the rules. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { installPackage, passingOn } from '../support/driver-package.js';
import { GatewayProcess, millrace } from '../support/gateway.js';
import { freePort, scratch } from '../support/scratch.js';
import { Helper } from '../support/helper.js';
import { tagOf } from '../support/station.js';
import { elapse, waitFor } from '../support/wait.js';

const driver = 'a-fragile-driver';
const module = passingOn(new URL('../support/isolated-driver.js', import.meta.url).href);

for (const death of ['die', 'swell', 'hang'])
  void t.test(`the thread of a driver: ${death}`, { timeout: 120_000 }, async (t) => {
    const folder = await scratch(t);
    await installPackage(folder, driver, module);
    const port = await freePort();
    const device = await Helper.start(t, 'device', [port]);
    const socket = join(folder, 'c.sock');
    const file = join(folder, 'gateway.yaml');
    await writeFile(
      file,
      JSON.stringify({
        millrace: 1,
        gateway: { id: 'g' },
        links: {
          fragile: {
            driver,
            endpoint: 'sim://x',
            scanClasses: { fast: '100ms' },
            devices: { F: { tags: { v: { type: 'float64' }, order: { type: 'string' } } } },
          },
          plain: {
            driver: 'modbus',
            endpoint: `tcp://127.0.0.1:${String(port)}`,
            scanClasses: { fast: '50ms' },
            devices: { M: { unit: 1, tags: { v: { address: 'hr:0', type: 'uint32' } } } },
          },
        },
        rules: [{ signal: 'SUM', value: 'M.v + 1' }],
        writes: { 'F.order': { allow: ['operator'] } },
        journal: { path: join(folder, 'j.db'), size: '8MiB' },
        control: { socket },
      }),
    );
    const gateway = await GatewayProcess.start(t, file, socket, {
      env: { MILLRACE_DRIVERS: folder },
    });
    const becomes = (quality: string): Promise<unknown> =>
      waitFor(
        async () => (await tagOf(gateway, 'F.v')).quality === quality,
        `F.v is ${quality}`,
        20_000,
      );
    await becomes('good');
    const reads = async (): Promise<number> =>
      ((await device.ask('reads')) as Record<string, number>)['1'] ?? 0;
    const overruns = async (): Promise<number> =>
      (await gateway.status()).links.find(({ link }) => link === 'plain')?.stats['overruns'] ?? NaN;
    const [readsBefore, overrunsBefore, begun] = [
      await reads(),
      await overruns(),
      performance.now(),
    ];

    void millrace(['--socket', socket, 'write', 'F.order', death]);
    await becomes('bad');
    const bad = performance.now() - begun;
    await becomes('good');
    const back = performance.now() - begun;
    await elapse(1_000);
    const lasted = performance.now() - begun;
    const scans = (await reads()) - readsBefore;
    t.comment(
      `${death}: bad after ${bad.toFixed(0)} ms, good after ${back.toFixed(0)} ms; ` +
        `${String(scans)} Modbus scans in ${lasted.toFixed(0)} ms of 50 ms each`,
    );
    t.ok(bad < 4_000, 'bad soon: the command itself takes a second of it');
    t.ok(scans >= (lasted / 50) * 0.9, 'the other link was read on');
    t.ok((await overruns()) - overrunsBefore <= 2, 'without overruns');
    t.equal((await tagOf(gateway, 'SUM')).quality, 'good', 'the rules went on');
    t.equal((await gateway.stop()).code, 0);
  });
