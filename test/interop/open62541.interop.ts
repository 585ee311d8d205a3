/**
 * The OPC UA driver and the whole gateway against open62541, which shares no code with ours. No registry
 * that CI reaches has it: the tests run where pkg-config finds it (after its own `make install`), and say
 * elsewhere that they were left out.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { run } from '../support/child.js';
import { exerciseServer, type Opponent } from '../support/opcua-exercise.js';
import { Bench, readOne } from '../support/opcua-rig.js';
import { freePort, scratch } from '../support/scratch.js';
import { open62541 } from './open62541-server.js';
import { faultsOf } from './opcua-faults.js';
import type { ServerKind } from './opcua-plant.js';

const found = await run(['--cflags', '--libs', '--static', 'open62541'], { program: 'pkg-config' });
const kind = found.code === 0 ? await open62541(t, found.stdout.trim().split(/\s+/)) : undefined;
if (!kind) t.comment('SKIP open62541 is not here');

async function opponent(t: Test, kind: ServerKind): Promise<Opponent> {
  const folder = await scratch(t);
  const port = await freePort();
  const server = await kind.start(t, { port, folder, before: ['urn:other'] });
  const bench = new Bench(folder, port, kind.path);
  await bench.trust(await readFile(join(folder, 'server-pki', 'certificate.der')));
  const set = async (name: string, value: number, code: number): Promise<void> => {
    await server.ask('set', name, value, code);
  };
  const witness: Opponent['witness'] = {
    held: async (name) => String(await server.ask('value', name)),
    set: (name, value, { code }) => set(name, value, code),
    sessions: async () => ((await server.ask('load')) as { sessions: number }).sessions,
  };
  return { bench, witness };
}

if (kind) {
  exerciseServer('open62541', (t) => opponent(t, kind));
  void t.test('open62541: fields of a structure', { timeout: 60_000 }, async (t) => {
    const { bench } = await opponent(t, kind);
    const driver = await bench.connected(t);
    t.equal(await readOne(driver, bench.tag('@Range', 'float64', { field: 'High' })), 80);
    t.equal(await readOne(driver, bench.tag('@Range', 'float64', { field: 'low' })), -5);
  });
  faultsOf('open62541', kind);
}
