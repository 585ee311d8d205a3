import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GatewayProcess } from '../../support/gateway.js';
import type { Helper } from '../../support/helper.js';
import { type Cleanup, scratch } from '../../support/scratch.js';
import { elapse } from '../../support/wait.js';
import { startFake } from './fake.js';
import { type Additions, plantText } from './plant.js';
import { Plc } from './plc.js';
import type { Scene, Setup, Stage, Trouble } from './scene.js';
import type { Row } from './table.js';
import { Undo } from '../../support/undo.js';

/** How long a gateway may take to start, and to end, ms. */
const startMs = 120_000;
const endMs = 30_000;
/** From its start to the first trip, ms. */
const settleMs = 5_000;
/** More trips than were wanted are measured for so long at most, until what makes the row has happened often enough, ms. */
const overtimeMs = 120_000;
/** Trips that never came, until the row is given up. */
const inVain = 5;

const none: Trouble = {
  times: () => Promise.resolve(0),
  least: 0,
  text: () => Promise.resolve(''),
};

/** One row. What goes wrong is part of it. */
export async function measure(scene: Scene, trips: number): Promise<Row> {
  const undo = new Undo();
  try {
    return await play(undo, scene, trips);
  } catch (thrown) {
    const nothing = { times: [], pollGap: NaN, bareGap: NaN, unprovoked: 0, seen: '' };
    return { name: scene.name, ...nothing, failure: String(thrown) };
  } finally {
    await undo.run();
  }
}

async function play(t: Cleanup, scene: Scene, trips: number): Promise<Row> {
  const plc = new Plc();
  const port = await plc.listen(t);
  const bare = await startFake(t, 'bare');
  const folder = await scratch(t);
  const socket = join(folder, 'c.sock');
  const file = join(folder, 'plant.yaml');
  const text = (more: Additions): string => plantText(port, socket, more);
  const stage: Stage = { t, folder, file, socket, text };
  const setup = await scene.prepare(stage);
  const gateway = await start(stage, setup);
  await elapse(settleMs);
  const trouble = (await setup.begin?.(gateway)) ?? none;
  await bare.ask('restart');
  plc.restart();
  const times = await tripsOf(plc, gateway, trouble, trips);
  const [pollGap, bareGap] = [plc.longestGap, await longest(bare)];
  const seen = await seenOf(gateway, trouble);
  const failure = await endOf(gateway, trouble);
  return {
    name: scene.name,
    times,
    pollGap,
    bareGap,
    unprovoked: plc.unprovoked,
    seen,
    ...(failure === undefined ? {} : { failure }),
  };
}

async function start(stage: Stage, { more, env, program }: Setup): Promise<GatewayProcess> {
  const { t, file, socket, text } = stage;
  await writeFile(file, text(more ?? {}));
  const options = { ...(env ? { env } : {}), ...(program === undefined ? {} : { program }) };
  return GatewayProcess.start(t, file, socket, options, startMs);
}

async function longest(bare: Helper<unknown>): Promise<number> {
  return (await bare.ask('longest')) as number;
}

/** So many trips, and more until what makes the row has happened often enough. */
async function tripsOf(
  plc: Plc,
  { child }: GatewayProcess,
  trouble: Trouble,
  trips: number,
): Promise<readonly number[]> {
  const times: number[] = [];
  let until = Infinity;
  for (let lost = 0; child.running && lost < inVain && performance.now() < until;) {
    if (times.length >= trips && (await trouble.times()) >= trouble.least) break;
    if (times.length === trips) until = performance.now() + overtimeMs;
    const time = await plc.trip(times.length);
    times.push(time);
    if (time === Infinity) lost++;
  }
  return times;
}

/** What happened, and how often the other half ended without being meant to. */
async function seenOf(gateway: GatewayProcess, trouble: Trouble): Promise<string> {
  const text = await trouble.text().catch((thrown: unknown) => String(thrown));
  const restarts = gateway.log.filter(({ msg }) => msg.includes('is restarted')).length;
  return [text, restarts > 0 ? `${restarts} restarts of the north half` : '']
    .filter(Boolean)
    .join('; ');
}

/** Ends it. @returns what is wrong with that */
async function endOf(gateway: GatewayProcess, trouble: Trouble): Promise<string | undefined> {
  const { child } = gateway;
  const hasCrashed = !child.running;
  const isVain = (await trouble.times()) < trouble.least;
  await trouble.end?.();
  const exit = await Promise.race([gateway.stop(), elapse(endMs)]);
  await gateway.kill();
  const last = child.stderr.slice(-3).join(' ').slice(-500);
  if (hasCrashed) return `the gateway ended: ${last}`;
  if (!exit) return `it did not end within ${endMs} ms`;
  if (exit.code !== 0) return `it ended with ${String(exit.code ?? exit.signal)}: ${last}`;
  return isVain ? 'what makes this row did not happen' : undefined;
}
