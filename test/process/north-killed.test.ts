/**
 * kill -9 of the half that stores and talks, again and again (once it is stopped instead), while the gateway runs under a load of 1,000 values a second, the broker
 * now there and now away. The half that polls goes on: no sample is lost, none has two numbers, no epoch begins.
 */
import t from 'tap';
import type { GatewayProcess } from '../support/gateway.js';
import { Seeded } from '../support/random.js';
import { childrenOf } from '../support/processes.js';
import { elapse, waitFor } from '../support/wait.js';
import { Rig } from './rig.js';

const kills = Number(process.env['MILLRACE_NORTH_KILLS'] ?? 12);
const windowMs = 300;

/** Waits until both halves are there. */
async function answers(gateway: GatewayProcess): Promise<void> {
  await waitFor(() => gateway.status().catch(() => undefined), 'it answers', 30_000);
}

void t.test('the north half is killed and nothing is lost', { timeout: 3_000_000 }, async (t) => {
  const rig = await Rig.build(t, { devices: 2, scanMs: 100, windowMs });
  const random = new Seeded(Number(process.env['MILLRACE_SEED'] ?? 7));
  const gateway = await rig.startGateway();
  await answers(gateway);
  let open = true;
  for (let i = 0; i < kills; i++) {
    await elapse(random.int(50, 1_500));
    const [north] = await childrenOf(gateway.child.pid);
    if (north === undefined) {
      t.fail('there is no north half');
      break;
    }
    // One hangs instead: it is found out, killed and replaced.
    process.kill(north, i === 5 ? 'SIGSTOP' : 'SIGKILL');
    if (i % 4 === 2) {
      if (open) await rig.closeDoor();
      else await rig.openDoor();
      open = !open;
    }
    // Another one is there, and answers.
    await waitFor(
      async () => (await childrenOf(gateway.child.pid)).some((pid) => pid !== north),
      'another half begins',
      30_000,
    );
    if (i % 2 === 0) await answers(gateway);
  }
  if (!open) await rig.openDoor();
  await answers(gateway);
  await elapse(2_000);
  await rig.drained(gateway, 120_000);
  const { epoch, health } = await gateway.status();
  const exit = await gateway.stop();
  t.equal(exit.code, 0, 'it stops cleanly');
  t.equal(epoch, 1, 'all of it is one boot');
  t.equal(health.counters['journal_evicted'], 0, 'nothing was evicted');
  const streams = await rig.report();
  t.same(
    streams.map(({ conflicts, disorder }) => [conflicts, disorder]),
    streams.map(() => [0, 0]),
    'no number has two values, and live frames come in order',
  );
  for (const unit of ['1', '2'])
    t.same(
      await rig.consumer.ask('lostCounts', `D${unit}/fast`),
      [],
      `nothing of unit ${unit} is lost`,
    );
  const received = streams.reduce((sum, one) => sum + one.received, 0);
  const twice = streams.reduce((sum, one) => sum + one.duplicates, 0);
  t.ok(received > 1_000, 'there was something to lose');
  t.comment(
    `${String(kills)} kills: ${String(received)} samples received, ${String(twice)} of them twice under one number`,
  );
});
