/**
 * The broker is killed under a load of 1,000 values a second and comes back: every sample arrives (or is in
 * a gap record), live data are there again within two seconds and are not held up by the history, which
 * follows in its own lane.
 */
import t from 'tap';
import type { Arrival } from '../support/ledger.js';
import { elapse, waitFor } from '../support/wait.js';
import { Rig, long } from './rig.js';

const outageMs = long ? 60_000 : 5_000;
const resumeMs = 2_000;
/** Age that a live sample may have on arrival: block, commit and a busy test machine. */
const liveAgeMs = 1_000;

void t.test('an outage of the broker', { timeout: 240_000 }, async (t) => {
  const rig = await Rig.build(t, { devices: 2, scanMs: 100, sink: '    history: { rate: 100/s }' });
  const gateway = await rig.startGateway();
  await waitFor(async () => (await rig.arrivals()).length > 0, 'data flow', 10_000);
  await elapse(1_000);

  await rig.killBroker();
  await elapse(outageMs);
  const { health } = await gateway.status();
  t.equal(health.level, 'warn', 'health says that the broker is away');
  await rig.arrivals();
  const openedAt = await rig.reviveBroker();

  const seen: Arrival[] = [];
  const live = await waitFor(
    async () => {
      seen.push(...(await rig.arrivals()));
      return seen.find(({ history }) => !history);
    },
    'live data resume',
    30_000,
  );
  t.ok(live.at - openedAt <= resumeMs, `live after ${String(live.at - openedAt)} ms`);
  await rig.drained(gateway, 120_000);
  await gateway.stop();
  seen.push(...(await rig.arrivals()));

  const lanes = [true, false].map((history) => seen.filter((a) => a.history === history));
  const [history = [], fresh = []] = lanes;
  t.ok(history.length > outageMs / 100, 'the history came as history');
  const lastHistory = Math.max(...history.map(({ at }) => at));
  const beside = fresh.filter(({ at }) => at < lastHistory);
  t.ok(beside.length > 0, 'live frames came beside the history');
  const worstAge = Math.max(...beside.map(({ age }) => age));
  t.ok(worstAge <= liveAgeMs, `oldest live sample ${String(worstAge)} ms, beside the history`);

  const streams = await rig.report();
  t.same(new Set(streams.map(({ epoch }) => epoch)), new Set([1]), 'one epoch');
  for (const s of streams) {
    t.same(s.missing, [], `${s.stream}: all of 1 to ${String(s.last)} came or are in a gap`);
    t.equal(s.conflicts, 0, 'and always the same');
    t.equal(s.inGaps, 0, 'and nothing had to be given up');
    const lost = (await rig.consumer.ask('lostCounts', s.stream)) as [number, number][];
    t.same(lost, [], 'no value of the device is missing');
  }
  t.comment(
    `${String(outageMs / 1_000)} s outage: live again after ${String(live.at - openedAt)} ms, history of ` +
      `${String(history.reduce((n, a) => n + a.samples, 0))} samples in ${String(lastHistory - openedAt)} ms, ` +
      `oldest live sample meanwhile ${String(worstAge)} ms, ` +
      `${String(streams.reduce((n, s) => n + s.duplicates, 0))} samples twice`,
  );
});
