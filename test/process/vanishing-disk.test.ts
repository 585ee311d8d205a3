/** The disk is not there at the start, comes, and goes again: the gateway polls all the while, says so, and takes it up. */
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { GatewayProcess, type Status } from '../support/gateway.js';
import { scratch } from '../support/scratch.js';
import { elapse, waitFor } from '../support/wait.js';

const plant = `millrace: 1
gateway: { id: disk, state: FOLDER/data/state }
links:
  sim:
    driver: simulator
    endpoint: sim://
    scanClasses: { fast: 100ms }
    devices:
      D: { tags: { level: { type: float32, wave: sine, min: 0, max: 10, period: 2s, scan: fast } } }
rules:
  - rules.yaml
sinks: { cloud: { type: mqtt, url: "mqtt://127.0.0.1:1" } }
journal: { path: FOLDER/data/journal.db }
control: { socket: FOLDER/c.sock }
`;
const rules = `- { alarm: HIGH, when: D.level > 9, priority: low }
`;

function checkOf({ health }: Status, name: string): { level: string; text: string } {
  const found = health.checks.find(({ check }) => check === name);
  return { level: found?.level ?? 'none', text: found?.text ?? '' };
}

void t.test('not there, there, deleted, and there again', { timeout: 120_000 }, async (t) => {
  const folder = await scratch(t);
  const file = join(folder, 'plant.yaml');
  const data = join(folder, 'data');
  await writeFile(file, plant.replaceAll('FOLDER', folder));
  await writeFile(join(folder, 'rules.yaml'), rules);
  // No folder can be made where a file is.
  await writeFile(data, '');
  const gateway = await GatewayProcess.start(t, file, join(folder, 'c.sock'));
  const ticks = async (): Promise<number> => (await gateway.status()).health.counters['ticks'] ?? 0;
  const journalIs = (level: string): Promise<unknown> =>
    waitFor(
      async () => checkOf(await gateway.status(), 'journal').level === level,
      `the journal is ${level}`,
      60_000,
    );
  const before = await ticks();
  await elapse(2_000);
  t.ok((await ticks()) > before + 10, 'it polls without a disk');
  t.equal(checkOf(await gateway.status(), 'journal').level, 'fail', 'and says so');

  await rm(data);
  await journalIs('ok');
  await waitFor(
    async () => (await gateway.status()).health.counters['journal_waiting'] === 0,
    'what waited is on the disk',
    20_000,
  );
  t.ok((await readdir(data)).includes('journal.db'));

  await rm(data, { recursive: true });
  await waitFor(
    async () => (await readdir(data).catch(() => [] as string[])).includes('journal.db'),
    'it is written anew within a minute',
    60_000,
  );
  await journalIs('ok');
  await elapse(1_500);
  t.match(
    (await readdir(data)).sort().join(),
    /journal\.db,journal\.db-wal,journal\.db\.epoch,(.*,)?state/,
  );
  t.match((await readdir(join(data, 'state'))).sort().join(), /anchor,memory-a,memory-b/);
  for (const name of await readdir(data)) {
    const { mode } = await stat(join(data, name));
    t.equal(mode & 0o027, 0, `${name}: nobody else's to read, and the user's alone to write`);
  }
  const pending = await gateway.pending('cloud');
  t.equal((await gateway.stop()).code, 0);

  // Nothing of it was lost: the next start finds what waits, and remembers.
  await mkdir(data, { recursive: true });
  const again = await GatewayProcess.start(t, file, join(folder, 'c.sock'));
  t.ok((await again.pending('cloud')) >= pending);
  const { health } = await again.status();
  t.notMatch(JSON.stringify(health.checks), /MEMORY-LOST|gone/);
  t.equal((await again.stop()).code, 0);
});
