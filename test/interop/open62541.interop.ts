/**
 * The OPC UA driver and the whole gateway against open62541, which shares no code with ours. No registry
 * that CI reaches has it: the tests run where pkg-config finds it (after its own `make install`), and say
 * elsewhere that they were left out.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { run } from '../support/child.js';
import {
  policies,
  readsEverything,
  readsParts,
  secures,
  tellsStatus,
  writesEverything,
  type Exercise,
} from '../support/opcua-exercise.js';
import { Bench, readOne } from '../support/opcua-rig.js';
import { freePort, scratch } from '../support/scratch.js';
import { open62541 } from './open62541-server.js';
import { faultsOf } from './opcua-faults.js';

const found = await run(['--cflags', '--libs', '--static', 'open62541'], { program: 'pkg-config' });
const kind = found.code === 0 ? await open62541(t, found.stdout.trim().split(/\s+/)) : undefined;
if (!kind) t.comment('SKIP open62541 is not here');

if (kind) {
  const exercise = (
    title: string,
    part: (given: Omit<Exercise, 'driver'>) => Promise<void>,
  ): void =>
    void t.test(`open62541: ${title}`, { timeout: 60_000 }, async (t) => {
      const folder = await scratch(t);
      const port = await freePort();
      const server = await kind.start(t, { port, folder, before: ['urn:other'] });
      const bench = new Bench(folder, port, kind.path);
      await bench.trust(await readFile(join(folder, 'server-pki', 'certificate.der')));
      const set = async (name: string, value: number, code: number): Promise<void> => {
        await server.ask('set', name, value, code);
      };
      const witness: Exercise['witness'] = {
        held: async (name) => String(await server.ask('value', name)),
        set: (name, value, { code }) => set(name, value, code),
        sessions: async () => ((await server.ask('load')) as { sessions: number }).sessions,
      };
      await part({ t, bench, witness });
    });
  const connected = (
    title: string,
    part: (exercise: Exercise) => Promise<void>,
    link?: Record<string, unknown>,
  ): void =>
    exercise(title, async (given) => {
      await part({ ...given, driver: await given.bench.connected(given.t, link) });
    });
  connected('every type', readsEverything);
  connected('parts of values', readsParts);
  connected('fields of a structure', async ({ t, bench, driver }) => {
    t.equal(await readOne(driver, bench.tag('@Range', 'float64', { field: 'High' })), 80);
    t.equal(await readOne(driver, bench.tag('@Range', 'float64', { field: 'low' })), -5);
  });
  connected('writes', writesEverything);
  connected('status codes', tellsStatus, { publishing: '50ms' });
  for (const policy of policies) exercise(`security: ${policy}`, (given) => secures(given, policy));
  faultsOf('open62541', kind);
}
