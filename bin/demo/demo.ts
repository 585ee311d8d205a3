import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Daemon, startDaemon } from '../daemon.js';
import { type DemoBroker, startBroker } from './broker.js';
import { copyExample, examplePorts as wanted } from './example.js';
import { Plant, servePlant } from './plant.js';
import { Scenario } from './scenario.js';
import { Screen } from './screen.js';

export interface DemoOptions {
  /** Ends by itself after so long; undefined = at Ctrl-C. */
  readonly seconds: number | undefined;
  /** Lines instead of a live screen. */
  readonly plain: boolean;
}

/** The whole thing on one machine, no hardware: plant, broker, gateway, live screen. */
export async function runDemo(options: DemoOptions): Promise<void> {
  const plant = new Plant();
  const servers = await servePlant(plant, wanted.station, wanted.metering);
  const broker = await startBroker(wanted.broker);
  const folder = await mkdtemp(join(tmpdir(), 'millrace-demo-'));
  let daemon: Daemon | undefined;
  try {
    const { stationPort: station, meteringPort: metering } = servers;
    const file = await copyExample(folder, { station, metering, broker: broker.port });
    daemon = await startDaemon(file, 'error');
    await show(plant, broker, daemon, options);
  } finally {
    await daemon?.stop();
    await broker.close();
    await servers.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function show(
  plant: Plant,
  broker: DemoBroker,
  daemon: Daemon,
  options: DemoOptions,
): Promise<void> {
  const scenario = new Scenario(plant);
  const screen = new Screen(daemon, broker, scenario, options.plain);
  const startedAt = performance.now();
  const timer = setInterval(() => {
    const seconds = (performance.now() - startedAt) / 1_000;
    scenario.play(seconds);
    screen.draw(seconds);
  }, 500);
  await new Promise<void>((stop) => {
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
    if (options.seconds !== undefined) setTimeout(stop, options.seconds * 1_000);
  });
  clearInterval(timer);
  screen.close();
}
