/** A disk that holds up its callers. */
import { freePort } from '../../support/scratch.js';
import { HeldDisk, type Held } from './disk.js';
import { sinkText } from './plant.js';
import type { Scene, Setup, Stage } from './scene.js';
import { loaded, loadLink } from './scenes-load.js';

const heldMs = 1_500;

/** From the first trip on, with values that must be stored, for their broker is away. */
async function held({ t, folder }: Stage, calls: Held): Promise<Setup> {
  const { fake, link } = await loadLink(t);
  const disk = new HeldDisk(folder, calls);
  return {
    more: { links: link, sinks: sinkText(await freePort()) },
    env: disk.env,
    begin: async (gateway) => {
      const before = await gateway.pending('cloud');
      disk.hold();
      return {
        ...(await loaded(fake)),
        text: async () => `${before} entries, then ${await gateway.pending('cloud')}`,
        end: () => Promise.resolve(disk.release()),
      };
    },
  };
}

export const disks: readonly Scene[] = [
  { name: 'fsync-held', prepare: (stage) => held(stage, { sync: heldMs }) },
  { name: 'write-held', prepare: (stage) => held(stage, { write: heldMs }) },
];
