/**
 * The whole gateway against an OPC UA server in another process, with a cable between them. A counter
 * that the server raises by one shows from the published values alone what is lost or told twice.
 */
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { OPCUAClient } from 'node-opcua';
import type { Test } from 'tap';
import { startBroker } from '../../bin/demo/broker.js';
import { GatewayProcess } from '../support/gateway.js';
import type { Helper } from '../support/helper.js';
import { uri, type UaServerOptions } from '../support/opcua-server.js';
import { Relay } from '../support/relay.js';
import { type Cleanup, freePort, scratch } from '../support/scratch.js';
import { tagOf } from '../support/station.js';
import { waitFor } from '../support/wait.js';

/** How long the server waits between two counts. */
const countMs = 50;
/** All valid tags must be good so soon after the cause has ended. */
export const backMs: number = 30_000;
/** Silence of a subscription before the link is in doubt: three keep-alives and a time-out, and the tick. */
export const silenceMs: number = 3 * 1_000 + 1_000 + 1_000;

/** A server of some make, in a process of its own. */
export interface ServerKind {
  /** Of its endpoint. */
  readonly path: string;
  /** Faults that it cannot be made to have. */
  readonly lacks: readonly string[];
  start(t: Cleanup, options: UaServerOptions): Promise<Helper<unknown>>;
}

export interface Load {
  readonly sessions: number;
  readonly subscriptions: number;
}

function configOf(folder: string, url: string, broker: number, extra: readonly string[]): string {
  return [
    'millrace: 1',
    'gateway: { id: interop }',
    'links:',
    '  ua:',
    '    driver: opcua',
    `    endpoint: ${url}`,
    '    publishing: 200ms',
    '    keepAlive: 1s',
    '    timeout: 1s',
    ...extra.map((line) => `    ${line}`),
    '    devices:',
    '      LINE:',
    '        tags:',
    `          count: { address: "nsu=${uri};s=count", type: uint32, sampling: 0ms, queue: 5000 }`,
    `          steady: { address: "nsu=${uri};s=Double" }`,
    `          wrong: { address: "nsu=${uri};s=nowhere" }`,
    '      SHORT:',
    '        tags:',
    `          count: { address: "nsu=${uri};s=count", type: uint32, sampling: 0ms, queue: 20 }`,
    '  sim:',
    '    driver: simulator',
    '    endpoint: sim://',
    '    scanClasses: { fast: 100ms }',
    '    devices: { S: { tags: { v: { type: uint32, wave: counter, period: 100ms } } } }',
    `sinks: { out: { type: mqtt, url: "mqtt://127.0.0.1:${String(broker)}", version: "3.1.1", root: edge, payload: rows } }`,
    `journal: { path: ${join(folder, 'j.db')}, size: 64MiB }`,
    `control: { socket: ${join(folder, 'c.sock')} }`,
    '',
  ].join('\n');
}

interface Row {
  readonly n: string;
  readonly v: number | null;
  readonly q?: number;
}

function isGood(row: Row): row is Row & { readonly v: number } {
  return row.v !== null && row.q === undefined;
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/** What the gateway publishes of the counter, in the order of its arrival. */
class Book {
  readonly rows: Row[] = [];
  /** What the server kept of an interruption: a stream of its own. */
  readonly late: Row[] = [];
  #seen = 0;
  #seenLate = 0;

  static async open(t: Test): Promise<{ book: Book; port: number }> {
    const broker = await startBroker(0);
    t.teardown(() => broker.close());
    const book = new Book();
    const client = await connectAsync(`mqtt://127.0.0.1:${String(broker.port)}`);
    t.teardown(() => client.endAsync(true));
    client.on('message', (topic, payload) => {
      const { rows } = JSON.parse(payload.toString()) as { rows: readonly Row[] };
      const counted = rows.filter(({ n }) => n === 'LINE.count');
      if (topic.includes('/hist/')) book.late.push(...counted);
      else book.rows.push(...counted);
    });
    await client.subscribeAsync(['edge/dev/LINE/data/#', 'edge/dev/LINE/hist/#']);
    return { book, port: broker.port };
  }

  /** The newest good value of the rows from this one on. */
  lastOf(from: number): number {
    return this.rows.slice(from).findLast(isGood)?.v ?? NaN;
  }

  /**
   * Since the last call: pairs of good values, one after the other without a word, that do not follow, though
   * what lies between was not told later either; and values that are missing with or without a word.
   */
  faults(): { silent: [number, number][]; missing: number; rows: number } {
    const rows = this.rows.slice(this.#seen);
    // The last one is looked at again: what follows it must fit.
    this.#seen = Math.max(0, this.rows.length - 1);
    const late = this.late.slice(this.#seenLate);
    this.#seenLate = this.late.length;
    const good = new Set([...rows, ...late].filter(isGood).map(({ v }) => v));
    const silent: [number, number][] = [];
    rows.forEach((row, at) => {
      const before = rows[at - 1];
      if (!before || !isGood(before) || !isGood(row) || row.v === before.v + 1) return;
      const isTold = row.v > before.v && range(before.v + 1, row.v).every((v) => good.has(v));
      if (!isTold) silent.push([before.v, row.v]);
    });
    const missing = good.size === 0 ? 0 : Math.max(...good) - Math.min(...good) + 1 - good.size;
    return { silent, missing, rows: rows.length };
  }
}

/** A gateway, a server, and the cable between them. */
export class Plant {
  readonly folder: string;
  readonly serverPort: number;
  readonly cable: Relay;
  readonly gateway: GatewayProcess;
  readonly book: Book;
  readonly #t: Test;
  readonly #kind: ServerKind;
  server: Helper<unknown>;

  private constructor(
    t: Test,
    kind: ServerKind,
    parts: Pick<Plant, 'folder' | 'serverPort' | 'cable' | 'gateway' | 'server' | 'book'>,
  ) {
    this.#t = t;
    this.#kind = kind;
    this.folder = parts.folder;
    this.serverPort = parts.serverPort;
    this.cable = parts.cable;
    this.gateway = parts.gateway;
    this.server = parts.server;
    this.book = parts.book;
  }

  static async start(
    t: Test,
    kind: ServerKind,
    extra: readonly string[] = ['sessionTimeout: 120s'],
  ): Promise<Plant> {
    const folder = await scratch(t);
    const serverPort = await freePort();
    const server = await startServer(t, kind, { port: serverPort, folder });
    const cable = new Relay(serverPort);
    await cable.open(0);
    t.teardown(() => cable.close());
    const file = join(folder, 'gateway.yaml');
    const { book, port } = await Book.open(t);
    await writeFile(file, configOf(folder, urlOf(kind, cable.port), port, extra));
    await trustServers(folder);
    const gateway = await GatewayProcess.start(t, file, join(folder, 'c.sock'));
    return new Plant(t, kind, { folder, serverPort, cable, gateway, server, book });
  }

  async restartServer(options: Partial<UaServerOptions> = {}): Promise<void> {
    const same = { port: this.serverPort, folder: this.folder };
    this.server = await startServer(this.#t, this.#kind, { ...same, ...options });
  }

  async quality(tag: string): Promise<string> {
    return (await tagOf(this.gateway, tag)).quality;
  }

  /** How long it takes until the tag has this quality, ms. */
  async becomes(quality: string, within: number, tag = 'LINE.steady'): Promise<number> {
    const begun = performance.now();
    await waitFor(
      async () => (await this.quality(tag)) === quality,
      `${tag} is ${quality}`,
      within,
    );
    return Math.round(performance.now() - begun);
  }

  /** Takes a session of the server's, as another client does. @returns gives it back */
  async occupy(): Promise<() => Promise<void>> {
    const client = OPCUAClient.create({ endpointMustExist: false });
    await client.connect(urlOf(this.#kind, this.serverPort));
    const session = await client.createSession();
    return async () => {
      await session.close();
      await client.disconnect();
    };
  }

  /** Samples of the tag with a short queue that the server could not keep. */
  async overflows(): Promise<number> {
    const { links } = (await this.gateway.ask('status')) as {
      links: readonly { devices: readonly { dev: string; stats: { lost: number } }[] }[];
    };
    const devices = links.flatMap((link) => link.devices);
    return devices.find(({ dev }) => dev === 'SHORT')?.stats.lost ?? NaN;
  }

  /** All that the server has counted so far is published, and some more. */
  async caughtUp(): Promise<void> {
    // Rows of before are not looked at: a server that was restarted counts anew.
    const from = this.book.rows.length;
    const counted = Number(await this.server.ask('counted')) + 30;
    await waitFor(
      () => this.book.lastOf(from) >= counted,
      `${String(counted)} is published`,
      60_000,
    );
    await waitFor(async () => (await this.gateway.pending('out')) <= 2, 'history too', 60_000);
  }

  load(): Promise<Load> {
    return this.server.ask('load') as Promise<Load>;
  }
}

export function urlOf({ path }: ServerKind, port: number): string {
  return `opc.tcp://127.0.0.1:${String(port)}${path}`;
}

export async function startServer(
  t: Cleanup,
  kind: ServerKind,
  options: UaServerOptions,
): Promise<Helper<unknown>> {
  const server = await kind.start(t, options);
  await server.ask('count', countMs);
  return server;
}

/** As a person does: the servers' certificates go where trusted ones lie. */
export async function trustServers(folder: string): Promise<void> {
  const trusted = join(folder, 'pki', 'trusted', 'certs');
  await mkdir(trusted, { recursive: true });
  for (const name of await readdir(folder)) {
    const own = join(folder, name, 'own', 'certs');
    if (!name.startsWith('server-pki')) continue;
    for (const file of await readdir(own))
      if (file.endsWith('.pem')) await copyFile(join(own, file), join(trusted, `${name}-${file}`));
  }
}
