import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GatewayProcess, type LogLine } from '../support/gateway.js';
import { installPackage, oddModule, passingOn } from '../support/driver-package.js';
import { EchoServer } from '../support/echo.js';
import type { Misdeed } from '../support/odd-driver.js';
import { scratch, type Cleanup } from '../support/scratch.js';

/** Two dozen threads begin at once, on a machine that may be busy. */
const patienceMs = 90_000;

/** How an odd driver runs. */
export type Mode = 'thread' | 'inProcess';

/** Where a driver is asked while a link runs, and how often it is well there before it is odd. */
export const places: ReadonlyMap<string, number> = new Map([
  ['create', 0],
  ['connect', 0],
  ['onLost', 0],
  ['bytes', 2],
  ['end', 0],
  ['read', 2],
  ['write', 0],
  ['subscribe', 0],
  ['listen', 0],
  ['inspect', 0],
  ['close', 0],
  ['plan', 0],
  ['describe', 0],
]);

/** How a link of a house is. */
export interface LinkView {
  readonly link: string;
  readonly state: string;
  readonly error?: { readonly code: string; readonly text: string };
  readonly stats: Readonly<Record<string, number>>;
}

/** A gateway with a link for each place, whose driver is odd there, and one whose driver is well. */
export class OddHouse {
  readonly gateway: GatewayProcess;
  readonly echo: EchoServer;

  private constructor(gateway: GatewayProcess, echo: EchoServer) {
    this.gateway = gateway;
    this.echo = echo;
  }

  static async start(
    t: Cleanup,
    misdeed: Misdeed,
    mode: Mode,
    only: Iterable<string> = places.keys(),
  ): Promise<OddHouse> {
    const folder = await scratch(t);
    const echo = await EchoServer.start(t);
    const links: Record<string, unknown> = { well: wellLink };
    for (const place of only) {
      // A package for each, and so a thread: what happens in one is not to happen to the next one.
      await installPackage(folder, `odd-${place.toLowerCase()}`, passingOn(oddModule));
      links[place] = {
        driver: `odd-${place.toLowerCase()}`,
        endpoint: `tcp://127.0.0.1:${String(echo.port)}`,
        ...(mode === 'inProcess' ? { inProcess: true } : {}),
        place,
        misdeed,
        after: places.get(place) ?? 0,
        scanClasses: { fast: '100ms' },
        devices: { [deviceOf(place)]: { tags: tagsOf(place) } },
      };
    }
    const socket = join(folder, 'c.sock');
    const file = join(folder, 'gateway.yaml');
    const config = {
      millrace: 1,
      gateway: { id: 'odd' },
      links,
      writes: Object.fromEntries(
        Object.keys(links)
          .filter((place) => place === 'write')
          .map((place) => [`${deviceOf(place)}.a`, { allow: ['operator'], verify: 'none' }]),
      ),
      journal: { path: join(folder, 'j.db'), size: '8MiB' },
      control: { socket },
    };
    await writeFile(file, JSON.stringify(config));
    const env = { MILLRACE_DRIVERS: folder };
    return new OddHouse(await GatewayProcess.start(t, file, socket, { env }, patienceMs), echo);
  }

  async links(): Promise<ReadonlyMap<string, LinkView>> {
    const { links } = (await this.gateway.ask('status')) as { links: readonly LinkView[] };
    return new Map(links.map((link) => [link.link, link]));
  }

  /** What the log says of a link. */
  said(link: string): readonly LogLine[] {
    return this.gateway.log.filter((line) => line['link'] === link);
  }
}

/** Names of devices are unique, and are no names of links. */
export function deviceOf(place: string): string {
  return `D-${place}`;
}

function tagsOf(place: string): Record<string, unknown> {
  const tags = { a: { type: 'float64', address: 'a', scan: 'fast' } };
  return place === 'subscribe' ? { ...tags, b: { type: 'float64', address: 'told' } } : tags;
}

const wellLink = {
  driver: 'simulator',
  endpoint: 'sim://well',
  scanClasses: { fast: '50ms' },
  devices: { W: { tags: { v: { type: 'float64', wave: 'sine', scan: 'fast' } } } },
};
