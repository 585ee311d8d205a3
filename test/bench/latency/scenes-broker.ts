/** Brokers that are hard to please. */
import type { GatewayProcess } from '../../support/gateway.js';
import { freePort } from '../../support/scratch.js';
import { mosquitto } from './broker.js';
import { startFake } from './fake.js';
import { sinkText } from './plant.js';
import type { Scene, Setup, Stage } from './scene.js';
import { loadLink } from './scenes-load.js';

const packetBytes = 100;

interface Narrow {
  readonly connections: number;
  readonly publishes: number;
  readonly tooLarge: number;
}

/** Counters of the sinks, those that are not zero. */
async function countersOf(gateway: GatewayProcess): Promise<string> {
  const { counters } = (await gateway.status()).health;
  const all = Object.entries(counters).filter(([name, n]) => name.startsWith('sink_') && n > 0);
  return all.map(([name, n]) => `${name.replace('sink_', '')} ${n}`).join(', ');
}

/** Two sinks: one whose broker says what it takes, and one whose broker does not even take our CONNECT. */
async function smallPackets({ t, folder }: Stage): Promise<Setup> {
  const { link } = await loadLink(t);
  const [wide, tight] = [await freePort(), await freePort()];
  await mosquitto(t, folder, wide);
  await mosquitto(t, folder, tight, [`max_packet_size ${packetBytes}`]);
  const narrow = await startFake<{ readonly port: number }>(t, 'narrow', [wide, packetBytes]);
  const state = async (): Promise<Narrow> => (await narrow.ask('state')) as Narrow;
  return {
    more: { links: link, sinks: sinkText(narrow.ready.port) + sinkText(tight, '', 'tight') },
    begin: (gateway) =>
      Promise.resolve({
        times: async () => (await state()).connections,
        least: 1,
        text: async () => {
          const { connections, publishes, tooLarge } = await state();
          const seen = `${connections} connections, ${publishes} publishes, ${tooLarge} too large`;
          return `${seen}; ${await countersOf(gateway)}`;
        },
      }),
  };
}

async function endlessPacket({ t }: Stage): Promise<Setup> {
  const { link } = await loadLink(t);
  const broker = await startFake<{ readonly port: number }>(t, 'endless');
  const state = async (): Promise<{ connections: number; mebibytes: number }> =>
    (await broker.ask('state')) as { connections: number; mebibytes: number };
  return {
    more: { links: link, sinks: sinkText(broker.ready.port) },
    begin: async () => {
      const before = await state();
      return {
        times: async () => (await state()).connections - before.connections,
        least: 2,
        text: async () => {
          const { connections, mebibytes } = await state();
          const sent = (mebibytes - before.mebibytes).toFixed(1);
          return `${connections - before.connections} connections, ${sent} MiB sent`;
        },
      };
    },
  };
}

export const brokers: readonly Scene[] = [
  { name: 'small-packets', prepare: smallPackets },
  { name: 'endless-packet', prepare: endlessPacket },
];
