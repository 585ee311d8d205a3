/**
 * `npm run bench:outage [--devices 40] [--scan 500] [--outage 60]`: the broker is killed under a load of 50 values a
 * device and scan, and comes back after so many seconds. Said is how long the history takes then, and how old live data
 * are on arrival meanwhile, in the judgement of a consumer in a process of its own. The bars are those of the design: a
 * tenth of the outage, one second.
 */
import { waitFor, elapse } from '../support/wait.js';
import { Undo } from '../support/undo.js';
import type { Arrival } from '../support/ledger.js';
import { Rig } from '../process/rig.js';
import { machine, option, print } from './rig.js';

const mostLiveAgeMs = 1_000;

/** Arrivals in their order, of which the rig gives each once. */
class Seen {
  readonly all: Arrival[] = [];
  readonly #rig: Rig;

  constructor(rig: Rig) {
    this.#rig = rig;
  }

  async more(): Promise<readonly Arrival[]> {
    this.all.push(...(await this.#rig.arrivals()));
    return this.all;
  }

  lane(isHistory: boolean): readonly Arrival[] {
    return this.all.filter(({ history }) => history === isHistory);
  }
}

async function outage(
  undo: Undo,
  devices: number,
  scanMs: number,
  outageMs: number,
): Promise<void> {
  const rig = await Rig.build(undo, { devices, scanMs });
  const gateway = await rig.startGateway();
  const before = new Seen(rig);
  await waitFor(async () => (await before.more()).length > 0, 'data flow', 30_000);
  await elapse(3_000);
  await before.more();
  await rig.killBroker();
  await elapse(outageMs);
  await rig.arrivals();
  const openedAt = await rig.reviveBroker();
  const seen = new Seen(rig);
  await waitFor(async () => (await seen.more()).some((a) => !a.history), 'live data', 60_000);
  await rig.drained(gateway, 300_000);
  await gateway.stop();
  await seen.more();
  await judge(rig, seen, openedAt, outageMs);
}

async function judge(rig: Rig, seen: Seen, openedAt: number, outageMs: number): Promise<void> {
  const history = seen.lane(true);
  const drainedAt = Math.max(...history.map(({ at }) => at));
  const live = seen.lane(false).filter(({ at }) => at < drainedAt);
  const worstAge = Math.max(...live.map(({ age }) => age));
  const firstLive = Math.min(...seen.lane(false).map(({ at }) => at));
  const streams = await rig.report();
  const missing = streams.filter((s) => s.missing.length > 0 || s.inGaps > 0 || s.conflicts > 0);
  print(`history: ${String(history.reduce((n, { samples }) => n + samples, 0))} samples`);
  print(`drained after ${String(drainedAt - openedAt)} ms (bar ${String(outageMs / 10)})`);
  print(`live again after ${String(firstLive - openedAt)} ms`);
  print(`oldest live sample meanwhile ${String(worstAge)} ms (bar ${String(mostLiveAgeMs)})`);
  print(`streams with something missing: ${String(missing.length)} of ${String(streams.length)}`);
  const isMet =
    drainedAt - openedAt <= outageMs / 10 && worstAge <= mostLiveAgeMs && missing.length === 0;
  print(isMet ? 'met' : 'NOT MET');
  if (!isMet) process.exitCode = 1;
}

print(machine());
const undo = new Undo();
try {
  await outage(undo, option('devices', 40), option('scan', 500), option('outage', 60) * 1_000);
} finally {
  await undo.run();
}
