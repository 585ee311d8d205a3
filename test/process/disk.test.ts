/**
 * The disk fails: full, a damaged file, rotten bytes. Acquisition and live publishing go on, health says
 * what is wrong, and it recovers by itself.
 */
import { mkdir, open, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Database } from 'sqlite3';
import t from 'tap';
import { run } from '../support/child.js';
import type { GatewayProcess } from '../support/gateway.js';
import { must } from '../support/must.js';
import { scratch } from '../support/scratch.js';
import { elapse, waitFor } from '../support/wait.js';
import { Rig } from './rig.js';

const isRoot = process.getuid?.() === 0;

void t.test('a full disk', { timeout: 120_000, ...skipUnlessRoot() }, async (t) => {
  const folder = await scratch(t);
  const disk = join(folder, 'journal');
  await mkdir(disk);
  const mounted = await run(['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', disk], { program: 'mount' });
  if (mounted.code !== 0) return void t.pass(`no tmpfs can be mounted here: ${mounted.stderr}`);
  t.teardown(() => run(['-l', disk], { program: 'umount' }));
  // Local history is kept, so that something is written although the broker takes everything.
  const rig = await Rig.build(t, { folder, devices: 2, scanMs: 100, windowMs: 200 });
  const gateway = await rig.startGateway();
  await waitFor(async () => (await counter(gateway, 'journal_commits')) > 2, 'commits', 10_000);

  await rig.closeDoor();
  await fill(join(disk, 'filler'));
  const failed = await waitFor(
    async () => (await journalCheck(gateway)).find(({ level }) => level === 'fail'),
    'health tells of the full disk',
    20_000,
  );
  t.match(failed.text, /full|space/i);
  await rig.openDoor();
  await rig.arrivals();
  const before = (await rig.consumer.ask('newestCount', 'D1/fast')) as number;
  await waitFor(
    async () => ((await rig.consumer.ask('newestCount', 'D1/fast')) as number) > before + 30,
    'live values go on while the disk is full',
    10_000,
  );
  await waitFor(
    async () => (await rig.arrivals()).some(({ history }) => !history),
    'and they come live, not as history',
    10_000,
  );
  t.ok(gateway.child.running);

  await rm(join(disk, 'filler'));
  await waitFor(
    async () => (await journalCheck(gateway)).every(({ level }) => level !== 'fail'),
    'health is well again',
    20_000,
  );
  await rig.drained(gateway, 30_000);
  const exit = await gateway.stop();
  t.equal(exit.code, 0);
  const told = gateway.log.map(({ msg }) => msg);
  t.ok(told.includes('the journal cannot write'), 'the log says so, once down');
  t.ok(told.includes('the journal writes again'), 'and once up');
  for (const s of await rig.report()) {
    t.same(s.missing, [], `${s.stream}: nothing is missing that is not in a gap record`);
    t.equal(s.conflicts, 0);
    t.comment(`${s.stream}: ${String(s.received)} received, ${String(s.inGaps)} in gaps`);
  }
  const again = await rig.startGateway();
  t.equal((await again.status()).epoch, 2, 'the same journal serves the next boot');
  await again.stop();
});

for (const [what, at] of [
  ['its header', 0],
  ['its tables', 4_096],
] as const) {
  void t.test(`a journal whose file is damaged in ${what}`, { timeout: 60_000 }, async (t) => {
    const rig = await Rig.build(t, { devices: 1, scanMs: 200 });
    const first = await rig.startGateway();
    await first.stop();
    const path = join(rig.folder, 'journal', 'journal.db');
    const file = await open(path, 'r+');
    await file.write(Buffer.alloc(4_096, 0xa5), 0, 4_096, at);
    await file.close();

    const gateway = await rig.startGateway();
    const aside = (await readdir(join(rig.folder, 'journal'))).filter((n) => n.includes('damaged'));
    t.equal(aside.length, 1, 'the file is set aside');
    const event = await waitFor(
      async () => (await rig.consumer.ask('last', 'event/journal')) as string | undefined,
      'an event tells of it',
      10_000,
    );
    t.match(JSON.parse(event), { code: 'journal-corrupt', text: /set aside/ });
    t.match(await journalCheck(gateway), [{ level: 'warn', text: /damaged/ }]);
    t.ok(
      gateway.log.some(({ level }) => level === 50),
      'and the log, as an error',
    );
    await waitFor(async () => (await rig.report()).some((s) => s.last > 100), 'data flow', 10_000);
    t.equal((await gateway.stop()).code, 0);
  });
}

void t.test('bytes of a segment rot', { timeout: 60_000 }, async (t) => {
  const rig = await Rig.build(t, { devices: 1, scanMs: 100, windowMs: 200 });
  await rig.closeDoor();
  const first = await rig.startGateway();
  await waitFor(async () => (await counter(first, 'journal_commits')) > 8, 'segments', 20_000);
  await first.stop();
  await rot(join(rig.folder, 'journal', 'journal.db'));

  await rig.openDoor();
  const gateway = await rig.startGateway();
  const gap = await waitFor(
    async () => ((await rig.consumer.ask('gaps')) as { why: string; epoch: number }[])[0],
    'a gap record tells of the loss',
    15_000,
  );
  t.match(gap, { why: 'corrupt', epoch: 1 });
  await rig.drained(gateway, 15_000);
  await gateway.stop();
  const streams = await rig.report();
  t.ok(
    streams.some(({ epoch, history }) => epoch === 1 && history > 0),
    'the others are sent',
  );
  t.equal(
    streams.reduce((n, s) => n + s.conflicts, 0),
    0,
    'nothing rotten is ever sent',
  );
});

function skipUnlessRoot(): { skip?: string } {
  return isRoot ? {} : { skip: 'only root can mount a small file system' };
}

async function journalCheck(
  gateway: GatewayProcess,
): Promise<readonly { check: string; level: string; text: string }[]> {
  const { health } = await gateway.status();
  return health.checks.filter(({ check }) => check === 'journal');
}

async function counter(gateway: GatewayProcess, name: string): Promise<number> {
  return (await gateway.status()).health.counters[name] ?? 0;
}

/** Takes all the space that there is, and again what is given back, for a second. */
async function fill(path: string): Promise<void> {
  const part = Buffer.alloc(16_384, 1);
  let text = Buffer.alloc(0);
  for (let i = 0; i < 400; i++) {
    text = Buffer.concat([text, part]);
    try {
      await writeFile(path, text);
    } catch (error) {
      must((error as NodeJS.ErrnoException).code === 'ENOSPC', 'the disk is full');
      await elapse(0);
      return;
    }
  }
}

/** Other bytes in one segment, as an old card gives them: SQLite itself does not notice. */
function rot(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const db = new Database(path);
    const sql =
      'UPDATE segment SET data = zeroblob(length(data)) WHERE id = ' +
      '(SELECT id FROM segment WHERE class = 0 ORDER BY id LIMIT 1 OFFSET 2)';
    db.run(sql, (error) => {
      db.close(() => {
        if (error) reject(error);
        else resolve();
      });
    });
  });
}
