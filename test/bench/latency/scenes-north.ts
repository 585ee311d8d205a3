/** The half that stores and talks ends, hangs, or is not listened to. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stalledPipe } from '../../support/stalled-pipe.js';
import { elapse } from '../../support/wait.js';
import { catchesUser2, northOf } from './halves.js';
import type { Scene, Setup, Stage, Trouble } from './scene.js';
import { loaded, loadLink, storm } from './scenes-load.js';

/** Does something again and again, until the end. @param what its words after the number */
function repeat(ms: number, act: () => Promise<boolean>, least: number, what: string): Trouble {
  const over = new AbortController();
  let times = 0;
  const go = async (): Promise<void> => {
    await elapse(ms);
    if (over.signal.aborted) return;
    if (await act()) times++;
    await go();
  };
  const turns = go();
  return {
    times: () => Promise.resolve(times),
    least,
    text: () => Promise.resolve(`${times} ${what}`),
    end: async () => {
      over.abort();
      await turns;
    },
  };
}

/** A process that ends in this moment is none. */
function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

const killEveryMs = 2_000;

async function killed({ t }: Stage): Promise<Setup> {
  const { link } = await loadLink(t);
  return {
    more: { links: link },
    begin: (gateway) => {
      const kill = async (): Promise<boolean> => {
        const north = await northOf(gateway.child.pid);
        return north !== undefined && signal(north, 'SIGKILL');
      };
      return Promise.resolve(repeat(killEveryMs, kill, 2, 'times killed'));
    },
  };
}

const lookMs = 200;
/** How long it may work before it loops, ms. */
const wellMs = 1_000;

async function loops({ t }: Stage): Promise<Setup> {
  const { link } = await loadLink(t);
  const preload = new URL('./loop-preload.js', import.meta.url).href;
  let last: number | undefined;
  return {
    more: { links: link },
    env: { NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --import ${preload}`.trim() },
    begin: (gateway) => {
      const hang = async (): Promise<boolean> => {
        const north = await northOf(gateway.child.pid);
        if (north === undefined || north === last || !(await catchesUser2(north))) return false;
        await elapse(wellMs);
        last = north;
        return signal(north, 'SIGUSR2');
      };
      return Promise.resolve(repeat(lookMs, hang, 2, 'endless loops'));
    },
  };
}

async function stalledLog({ t, folder }: Stage): Promise<Setup> {
  const { fake, link } = await loadLink(t);
  // Connections that come and go are lines of the log.
  const { links } = await storm(t);
  const pipe = join(folder, 'log');
  const reader = await stalledPipe(pipe);
  t.teardown(() => reader.close());
  const program = join(folder, 'gateway.sh');
  const script = `#!/bin/sh\nexec '${process.execPath}' "$@" --log debug 2>'${pipe}'\n`;
  await writeFile(program, script, { mode: 0o755 });
  return { more: { links: link + links }, program, begin: () => loaded(fake) };
}

export const norths: readonly Scene[] = [
  { name: 'north-killed', prepare: killed },
  { name: 'north-loops', prepare: loops },
  { name: 'log-stalled', prepare: stalledLog },
];
