/**
 * kill -9 of the gateway again and again under a load of 1,000 values a second, the broker now there and
 * now away: the journal opens every time, everything durable reaches the consumer once, and what is lost is
 * what was younger than the commit window.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { Seeded } from '../support/random.js';
import { elapse, waitFor } from '../support/wait.js';
import { Rig, long } from './rig.js';

const kills = long ? 100 : 8;
const windowMs = 500;
const scanMs = 100;
/** A block may stay open so long, and a commit on a busy test machine take so long. */
const marginMs = 600;

void t.test('kill -9 loses at most the commit window', { timeout: 400_000 }, async (t) => {
  const rig = await Rig.build(t, {
    devices: 2,
    scanMs,
    windowMs,
    sink: '    history: { rate: 200/s }',
  });
  const random = new Seeded(7);
  let open = true;
  /** Reads of each unit when a boot began: what is counted after belongs to it. */
  const boots: Record<string, number>[] = [];
  for (let i = 0; i < kills; i++) {
    const before = (await rig.device.ask('reads')) as Record<string, number>;
    boots.push(before);
    const gateway = await rig.startGateway();
    await waitFor(
      async () => ((await rig.device.ask('reads')) as Record<string, number>)['1'] !== before['1'],
      'the device is polled',
      10_000,
    );
    await elapse(random.int(100, 2_000));
    await gateway.kill();
    if (i % 3 === 2) {
      if (open) await rig.closeDoor();
      else await rig.openDoor();
      open = !open;
    }
  }
  if (!open) await rig.openDoor();
  const gateway = await rig.startGateway();
  await rig.drained(gateway, 60_000);
  const { epoch, health } = await gateway.status();
  const exit = await gateway.stop();

  t.equal(exit.code, 0, 'the last one stops cleanly');
  t.equal(epoch, kills + 1, 'every boot was an epoch of the same journal');
  const files = await readdir(join(rig.folder, 'journal'));
  t.notOk(
    files.find((name) => name.includes('damaged')),
    'no journal was set aside',
  );
  t.equal(health.counters['journal_evicted'], 0, 'nothing was evicted');

  const streams = await rig.report();
  t.equal(sum(streams.map((s) => s.conflicts)), 0, 'no sequence ever carried two values');
  t.equal(sum(streams.map((s) => s.disorder)), 0, 'live frames came in order');
  t.ok(sum(streams.map((s) => s.history)) > 1_000, 'a good part came through the journal');
  const bound = Math.ceil((windowMs + scanMs + marginMs) / scanMs);
  let worst = 0;
  let lost = 0;
  for (const unit of ['1', '2']) {
    const runs = (await rig.consumer.ask('lostCounts', `D${unit}/fast`)) as [number, number][];
    const ofBoot = boots.map(() => 0);
    for (const [from, to] of runs) {
      for (let count = from; count <= to; count++) {
        const boot = boots.findLastIndex((reads) => count > (reads[unit] ?? 0));
        ofBoot[boot] = (ofBoot[boot] ?? 0) + 1;
        lost++;
      }
    }
    worst = Math.max(worst, ...ofBoot);
  }
  t.ok(worst <= bound, `most lost by one kill: ${String(worst)} scans, bound ${String(bound)}`);
  const received = sum(streams.map((s) => s.received));
  t.comment(
    `${String(kills)} kills: ${String(received)} samples received, ${String(sum(streams.map((s) => s.history)))} by history, ` +
      `${String(sum(streams.map((s) => s.duplicates)))} twice; ${String(lost)} scans lost, ` +
      `at most ${String(worst * scanMs)} ms by one kill (window ${String(windowMs)} ms)`,
  );
});

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
