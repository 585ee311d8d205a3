/**
 * `examples/driver-scale`, as somebody outside this repository has it: built against the types of the packed package, its tests
 * run with the packed suite, and the packed gateway loads it by its name.
 */
import { readFile, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import t from 'tap';
import { ask } from '../../bin/client.js';
import { startBroker } from '../../bin/demo/broker.js';
import { Child, run } from '../support/child.js';
import { listen } from '../support/listen.js';
import { installPacked, linkPackage } from '../support/package-copy.js';
import { scratch } from '../support/scratch.js';
import type { TagView } from '../support/station.js';
import { waitFor } from '../support/wait.js';

/** A scale on a socket. It shares no code with the package: the lines are those of the manual. */
class Scale {
  readonly sockets = new Set<Socket>();
  net = 'ST,NT,+0012.500kg';

  readonly serve = (socket: Socket): void => {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      for (const request of text.split('\r\n'))
        if (request === 'N') socket.write(`${this.net}\r\n`);
        else if (request === 'G') socket.write('ST,GS,+0013.000kg\r\n');
    });
  };
  scan(code: string): void {
    for (const socket of this.sockets) socket.write(`B1,${code}\r\n`);
  }
}

void t.test('a driver as a package of its own', { timeout: 240_000 }, async (t) => {
  const folder = await scratch(t);
  const millrace = await installPacked(folder);
  const home = await linkPackage(folder, 'examples/driver-scale', 'millrace-driver-scale');

  const tsc = join(folder, 'node_modules', 'typescript', 'bin', 'tsc');
  const built = await run([tsc, '-p', 'tsconfig.json'], { cwd: home });
  t.equal(built.code, 0, `builds against the published types: ${built.stdout}`);
  const tested = await run(['--test', '--test-reporter=tap', 'dist/test/scale.test.js'], {
    cwd: home,
  });
  t.equal(tested.code, 0, `its tests pass: ${tested.stdout.slice(-4_000)}`);
  const count = (pattern: RegExp): number => tested.stdout.match(pattern)?.length ?? 0;
  t.ok(count(/^ *ok \d+ - R-\d\d: /gm) >= 27, 'every rule has run');
  t.equal(count(/^ *ok \d+ - R-\d\d: .*# SKIP/gm), 2, 'but for writes and events');

  await t.test('in a gateway', async (t) => {
    const scale = new Scale();
    const port = await listen(t, scale.serve);
    const broker = await startBroker(0);
    t.teardown(() => broker.close());
    const url = `mqtt://127.0.0.1:${String(broker.port)}`;
    const file = join(folder, 'plant.yaml');
    const text = await readFile(join(home, 'plant.yaml'), 'utf8');
    const sinks = `sinks:\n  cloud: { type: mqtt, url: '${url}', version: '3.1.1', root: edge/packing }\n`;
    await writeFile(file, `${text.replace(':4305', `:${String(port)}`)}\n${sinks}`);
    const program = join(millrace, 'dist', 'bin', 'millrace.js');
    const valid = await run([program, 'validate', file]);
    t.equal(valid.code, 0, `the configuration is valid: ${valid.stdout}${valid.stderr}`);
    t.notMatch(valid.stdout, /NaN|Infinity/, 'and nothing of it is counted that cannot be');
    const published: string[] = [];
    const consumer = await connectAsync(url);
    t.teardown(() => consumer.endAsync(true));
    consumer.on('message', (topic, payload) => {
      if (topic.includes('/data')) published.push(payload.toString());
    });
    await consumer.subscribeAsync('edge/packing/dev/#');
    const gateway = new Child([program, 'run', file]);
    t.teardown(() => gateway.kill());
    const socket = join(folder, 'millrace-data', 'control.sock');
    const tag = (name: string): Promise<TagView | undefined> =>
      ask(socket, 'read', { tag: `SCALE.${name}` }).then(
        (view) => view as TagView,
        () => undefined,
      );
    const becomes = (name: string, wanted: Partial<TagView>): Promise<unknown> =>
      waitFor(
        async () => {
          const view = await tag(name);
          return Object.entries(wanted).every(([key, value]) => view?.[key as 'name'] === value);
        },
        `${name} becomes ${JSON.stringify(wanted)}`,
        30_000,
      );
    await becomes('net', { value: 12.5, quality: 'good' });
    await becomes('gross', { value: 13, quality: 'good' });
    await becomes('stable', { value: true });
    await becomes('code', { quality: 'bad', reason: 'waiting' });
    scale.scan('4006381333931');
    await becomes('code', { value: '4006381333931', quality: 'good' });
    const first = (await tag('code'))?.time ?? 0;
    scale.net = 'OL,NT,+0060.000kg';
    await becomes('net', { quality: 'uncertain', reason: 'out-of-range' });
    scale.scan('4006381333931');
    await waitFor(
      async () => ((await tag('code'))?.time ?? 0) > first,
      'it is scanned again',
      10_000,
    );
    scale.net = 'US,NT,+0003.000kg';
    await becomes('net', { quality: 'uncertain', reason: 'doubtful', value: 3 });
    const codes = (): number => published.join().split('4006381333931').length - 1;
    await waitFor(() => codes() === 2, 'both parcels are published', 10_000);
    await gateway.stop();
  });
});
