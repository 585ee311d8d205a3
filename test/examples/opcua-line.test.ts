/**
 * `examples/opcua-line`, as it stands in the repository, against a server and a drive: an interlock across two
 * protocols, and a server that goes and comes back.
 */
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { FakeModbus } from '../../drivers/modbus/test/fake.js';
import { socketStream } from '../conformance/socket.js';
import { GatewayProcess, millrace } from '../support/gateway.js';
import { Helper } from '../support/helper.js';
import { listen } from '../support/listen.js';
import { freePort, scratch } from '../support/scratch.js';
import { tagOf } from '../support/station.js';
import { waitFor } from '../support/wait.js';

const example = fileURLToPath(new URL('../../../examples/opcua-line', import.meta.url));

/** The frequency converter. */
async function serveDrive(t: Test): Promise<{ fake: FakeModbus; port: number }> {
  const fake = new FakeModbus({ units: [1], value: () => 0 });
  const port = await listen(t, (socket) => fake.serve(socketStream(socket)));
  fake.set(1, 'hr', 0, 125);
  fake.set(1, 'hr', 1, 653);
  return { fake, port };
}

void t.test('a line with two protocols', { timeout: 120_000 }, async (t) => {
  const folder = await scratch(t);
  const port = await freePort();
  const options = JSON.stringify({ port, folder, example: true });
  let server = await Helper.start(t, 'opcua', [options]);
  const drive = await serveDrive(t);
  const text = await readFile(join(example, 'plant.yaml'), 'utf8');
  const file = join(folder, 'plant.yaml');
  await writeFile(
    file,
    text
      .replace('127.0.0.1:15484', `127.0.0.1:${String(port)}`)
      .replace('127.0.0.1:15485', `127.0.0.1:${String(drive.port)}`),
  );
  await copyFile(join(example, 'rules.yaml'), join(folder, 'rules.yaml'));
  const trusted = join(folder, 'millrace-data', 'pki', 'trusted', 'certs');
  await mkdir(trusted, { recursive: true });
  const own = join(folder, 'server-pki', 'own', 'certs');
  for (const name of await readdir(own))
    if (name.endsWith('.pem')) await copyFile(join(own, name), join(trusted, name));

  const socket = join(folder, 'millrace-data', 'control.sock');
  const gateway = await GatewayProcess.start(t, file, socket, { cwd: folder });
  const becomes = (tag: string, value: unknown, quality = 'good'): Promise<unknown> =>
    waitFor(
      async () => {
        const now = await tagOf(gateway, tag);
        return now.quality === quality && (quality === 'bad' || now.value === value);
      },
      `${tag} is ${String(value)} (${quality})`,
      20_000,
    );
  await becomes('LINE1.speed', 40);
  await becomes('LINE1.bottles', '18446744073709551614');
  await becomes('LINE1.product', 'Water 0.5 l');
  await becomes('DRIVE1.winding', 65.3);
  await becomes('LINE1.load', 12.5 / 40);

  const run = await millrace(['--socket', socket, 'write', 'LINE1.run_cmd', 'true']);
  t.equal(run.code, 0, `a command, read back by another tag: ${run.stdout}`);
  t.equal(await server.ask('value', 'Line1.Running'), true);

  drive.fake.set(1, 'hr', 1, 1_310);
  await becomes('LINE1.running', false);
  t.equal(await server.ask('value', 'Line1.RunCommand'), false, 'the drive is hot: the line stops');
  const why = await millrace(['--socket', socket, 'why', 'LINE1-WINDING']);
  t.match(why.stdout, /DRIVE1\.winding/, 'and it is said why');
  drive.fake.set(1, 'hr', 1, 653);
  await becomes('DRIVE1.winding', 65.3);
  const again = await millrace(['--socket', socket, 'write', 'LINE1.run_cmd', 'true']);
  t.not(again.code, 0, 'it stays stopped');

  await server.kill();
  await becomes('LINE1.speed', null, 'bad');
  t.equal((await tagOf(gateway, 'DRIVE1.winding')).quality, 'good', 'the drive does not notice');
  server = await Helper.start(t, 'opcua', [options]);
  await becomes('LINE1.speed', 40);
  t.equal((await gateway.stop()).code, 0);
});
