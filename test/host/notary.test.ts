/** The thread that writes the notes of trips: whoever notes waits for a few milliseconds, whatever the disk does. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { asGatewayError } from '../../gateway/contract/index.js';
import { Notary } from '../../gateway/host/notary.js';
import { scratch } from '../support/scratch.js';
import { badByte, slowByte, slowMs } from '../support/slow-notary.js';
import { waitFor } from '../support/wait.js';

const slowThread = new URL('../support/slow-notary-main.js', import.meta.url);

/** One whose thread has begun. */
async function start(t: Test, entry?: URL): Promise<{ path: string; notary: Notary }> {
  const path = join(await scratch(t), 'notes');
  const notary = await Notary.start(path, 1_024, entry);
  await waitFor(
    async () => (await readFile(path).catch(() => '')).length === 1_024,
    'begun',
    5_000,
  );
  return { path, notary };
}
const text = (bytes: Uint8Array, length: number): string =>
  new TextDecoder().decode(bytes.subarray(0, length));

/** How long it takes, ms. */
function timed(work: () => void): number {
  const begun = performance.now();
  work();
  return performance.now() - begun;
}

void t.test("what is written is the system's at once, where it says", async (t) => {
  const { path, notary } = await start(t);
  let behind = 0;
  for (let i = 0; i < 100; i++) {
    notary.write(Buffer.from(`note ${String(i % 10)}\n`), (i % 10) * 7);
    if (notary.isBehind) behind++;
  }
  await waitFor(() => !notary.isBehind, 'all is written', 5_000);
  t.ok(behind < 50, `${String(behind)} of 100 were late`);
  t.equal(text(await readFile(path), 14), 'note 0\nnote 1\n');
  t.equal((await readFile(path)).length, 1_024, 'in the room that was taken');
  t.equal(notary.takeFailure(), undefined);
  const again = await Notary.start(path, 1_024);
  t.equal(text(again.before, 7), 'note 0\n');
});

void t.test('a slow disk holds up nobody, and what comes behind not at all', async (t) => {
  const { path, notary } = await start(t, slowThread);
  const slow = timed(() => notary.write(Uint8Array.of(slowByte, 1), 0));
  t.ok(slow < slowMs / 2, `${slow.toFixed(1)} ms`);
  t.ok(notary.isBehind);
  const behind = timed(() => {
    for (let i = 0; i < 50; i++) notary.write(Buffer.from('abc'), 10 + 3 * i);
  });
  t.ok(behind < slowMs / 2, `50 more in ${behind.toFixed(1)} ms`);
  await waitFor(() => !notary.isBehind, 'it catches up', 5_000);
  t.same([...(await readFile(path)).subarray(0, 2)], [slowByte, 1]);
  t.equal(text((await readFile(path)).subarray(157), 3), 'abc');
  t.equal(notary.takeFailure(), undefined);
});

void t.test('what fails is thrown, or told later', async (t) => {
  const { notary } = await start(t, slowThread);
  let said: string | undefined;
  try {
    notary.write(Uint8Array.of(badByte), 0);
  } catch (thrown) {
    said = asGatewayError(thrown).message;
  }
  // On a busy machine it may have been late.
  await waitFor(() => !notary.isBehind, 'it has failed', 5_000);
  t.equal(said ?? notary.takeFailure(), 'no space left on the card');
  t.equal(notary.takeFailure(), undefined, 'said once');
  notary.write(Uint8Array.of(slowByte, badByte), 0);
  t.equal(notary.takeFailure(), undefined, 'not yet');
  await waitFor(() => !notary.isBehind, 'it has failed', 5_000);
  t.equal(notary.takeFailure(), 'no space left on the card');
  t.equal(notary.takeFailure(), undefined);
  notary.write(Uint8Array.of(1), 0);
});

void t.test('a file that was deleted is made anew', async (t) => {
  const { path, notary } = await start(t);
  await rm(path);
  notary.reopen();
  t.equal(notary.before.length, 0);
  notary.write(Buffer.from('here'), 0);
  await waitFor(() => !notary.isBehind, 'it is written', 5_000);
  t.equal(text(await readFile(path), 4), 'here');
});
