/** More to do, and all at once. */
import type { Helper } from '../../support/helper.js';
import { freePort, type Cleanup } from '../../support/scratch.js';
import { elapse } from '../../support/wait.js';
import { mosquitto } from './broker.js';
import { HeldDisk } from './disk.js';
import { startFake } from './fake.js';
import { device, devices, linkText, sinkText } from './plant.js';
import type { Scene, Setup, Stage, Trouble } from './scene.js';

type Devices = Helper<{ readonly port: number }>;

/** Devices in a process of their own. */
export function startDevices(t: Cleanup, units: number, hangUp = false): Promise<Devices> {
  return startFake(t, 'devices', hangUp ? [units, 'hang-up'] : [units]);
}

const units = 4;

/** A link with 5,000 values a second. */
export async function loadLink(t: Cleanup): Promise<{ fake: Devices; link: string }> {
  const fake = await startDevices(t, units);
  const { port } = fake.ready;
  const link = linkText({ name: 'load', port, period: '100ms', devices: devices(units) });
  return { fake, link };
}

/** That these values came. */
export async function loaded(fake: Devices): Promise<Trouble> {
  const count = async (): Promise<number> => (await fake.ask('registers')) as number;
  const before = await count();
  const begun = performance.now();
  return {
    times: async () => (await count()) - before,
    least: 1,
    text: async () => {
      const seconds = (performance.now() - begun) / 1_000;
      return `${Math.round(((await count()) - before) / seconds)} values/s`;
    },
  };
}

const stormLinks = 20;

/** Links of devices that hang up on everybody once a second. */
export async function storm(t: Cleanup): Promise<{ fake: Devices; links: string }> {
  const fake = await startDevices(t, 1, true);
  const { port } = fake.ready;
  const links = Array.from({ length: stormLinks }, (_, i) =>
    linkText({ name: `storm${i}`, port, period: '100ms', devices: [device(`S${i}`, 1, 1)] }),
  ).join('');
  return { fake, links };
}

const fsyncMs = 300;
/** How long values are stored before a broker takes them, ms. */
const outageMs = 20_000;

async function all({ t, folder }: Stage): Promise<Setup> {
  const { link } = await loadLink(t);
  const { fake: moody, links } = await storm(t);
  const port = await freePort();
  const disk = new HeldDisk(folder, { sync: fsyncMs });
  disk.hold();
  return {
    more: { links: link + links, sinks: sinkText(port, ', history: { rate: 40/s }') },
    env: disk.env,
    begin: async (gateway) => {
      await elapse(outageMs);
      await mosquitto(t, folder, port);
      const waited = await gateway.pending('cloud');
      const before = (await moody.ask('connections')) as number;
      const connections = async (): Promise<number> =>
        ((await moody.ask('connections')) as number) - before;
      return {
        times: connections,
        least: stormLinks,
        text: async () =>
          `backlog ${waited}, then ${await gateway.pending('cloud')}; ${await connections()} reconnects`,
      };
    },
  };
}

export const loads: readonly Scene[] = [
  { name: 'idle', prepare: () => Promise.resolve({}) },
  {
    name: 'load',
    prepare: async ({ t }) => {
      const { fake, link } = await loadLink(t);
      return { more: { links: link }, begin: () => loaded(fake) };
    },
  },
  { name: 'all', prepare: all },
];
