/**
 * The whole gateway against an OPC UA server in another process: everything that ends a subscription at
 * the server, on the cable and in our own thread. A counter that the server raises by one shows from the
 * published values alone what is lost or told twice.
 */
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { OPCUAClient } from 'node-opcua';
import t, { type Test } from 'tap';
import { startBroker } from '../../bin/demo/broker.js';
import { GatewayProcess, millrace } from '../support/gateway.js';
import { Helper } from '../support/helper.js';
import { uri, type UaServerOptions } from '../support/opcua-server.js';
import { Relay } from '../support/relay.js';
import { freePort, scratch } from '../support/scratch.js';
import { tagOf } from '../support/station.js';
import { elapse, waitFor } from '../support/wait.js';

/** How long the server waits between two counts. */
const countMs = 50;
/** All valid tags must be good so soon after the cause has ended. */
const backMs = 30_000;
/** Silence of a subscription before the link is in doubt: three keep-alives and a time-out, and the tick. */
const silenceMs = 3 * 1_000 + 1_000 + 1_000;

interface Load {
  readonly sessions: number;
  readonly subscriptions: number;
}

function configOf(folder: string, port: number, broker: number, extra: readonly string[]): string {
  return [
    'millrace: 1',
    'gateway: { id: interop }',
    'links:',
    '  ua:',
    '    driver: opcua',
    `    endpoint: opc.tcp://127.0.0.1:${String(port)}/line`,
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

/** What the gateway publishes of the counter, in the order of its arrival. */
class Book {
  readonly rows: Row[] = [];
  #seen = 0;

  static async open(t: Test): Promise<{ book: Book; port: number }> {
    const broker = await startBroker(0);
    t.teardown(() => broker.close());
    const book = new Book();
    const client = await connectAsync(`mqtt://127.0.0.1:${String(broker.port)}`);
    t.teardown(() => client.endAsync(true));
    client.on('message', (_topic, payload) => {
      const { rows } = JSON.parse(payload.toString()) as { rows: readonly Row[] };
      book.rows.push(...rows.filter(({ n }) => n === 'LINE.count'));
    });
    await client.subscribeAsync('edge/dev/LINE/data/#');
    return { book, port: broker.port };
  }

  /** Since the last call: pairs of good values, one after the other without a word, that do not follow. */
  faults(): { silent: [number, number][]; missing: number; rows: number } {
    const rows = this.rows.slice(this.#seen);
    // The last one is looked at again: what follows it must fit.
    this.#seen = Math.max(0, this.rows.length - 1);
    const silent: [number, number][] = [];
    const good = new Set<number>();
    let last: number | undefined;
    for (const { v, q } of rows) {
      if (v === null || q !== undefined) last = undefined;
      else {
        if (last !== undefined && v !== last + 1) silent.push([last, v]);
        good.add(v);
        last = v;
      }
    }
    const missing = good.size === 0 ? 0 : Math.max(...good) - Math.min(...good) + 1 - good.size;
    return { silent, missing, rows: rows.length };
  }
}

/** A gateway, a server, and the cable between them. */
class Plant {
  readonly folder: string;
  readonly serverPort: number;
  readonly cable: Relay;
  readonly gateway: GatewayProcess;
  readonly book: Book;
  readonly #t: Test;
  server: Helper<unknown>;

  private constructor(
    t: Test,
    parts: Pick<Plant, 'folder' | 'serverPort' | 'cable' | 'gateway' | 'server' | 'book'>,
  ) {
    this.#t = t;
    this.folder = parts.folder;
    this.serverPort = parts.serverPort;
    this.cable = parts.cable;
    this.gateway = parts.gateway;
    this.server = parts.server;
    this.book = parts.book;
  }

  static async start(t: Test, extra: readonly string[] = ['sessionTimeout: 120s']): Promise<Plant> {
    const folder = await scratch(t);
    const serverPort = await freePort();
    const server = await startServer(t, { port: serverPort, folder });
    const cable = new Relay(serverPort);
    await cable.open(0);
    t.teardown(() => cable.close());
    const file = join(folder, 'gateway.yaml');
    const { book, port } = await Book.open(t);
    await writeFile(file, configOf(folder, cable.port, port, extra));
    await trustServers(folder);
    const gateway = await GatewayProcess.start(t, file, join(folder, 'c.sock'));
    return new Plant(t, { folder, serverPort, cable, gateway, server, book });
  }

  async restartServer(options: Partial<UaServerOptions> = {}): Promise<void> {
    this.server = await startServer(this.#t, {
      port: this.serverPort,
      folder: this.folder,
      ...options,
    });
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
    await client.connect(`opc.tcp://127.0.0.1:${String(this.serverPort)}/line`);
    const session = await client.createSession();
    return async () => {
      await session.close();
      await client.disconnect();
    };
  }

  load(): Promise<Load> {
    return this.server.ask('load') as Promise<Load>;
  }
}

async function startServer(t: Test, options: UaServerOptions): Promise<Helper<unknown>> {
  const server = await Helper.start(t, 'opcua', [JSON.stringify(options)]);
  await server.ask('count', countMs);
  return server;
}

/** As a person does: the servers' certificates go where trusted ones lie. */
async function trustServers(folder: string): Promise<void> {
  const trusted = join(folder, 'pki', 'trusted', 'certs');
  await mkdir(trusted, { recursive: true });
  for (const name of await readdir(folder)) {
    const own = join(folder, name, 'own', 'certs');
    if (!name.startsWith('server-pki')) continue;
    for (const file of await readdir(own))
      if (file.endsWith('.pem')) await copyFile(join(own, file), join(trusted, `${name}-${file}`));
  }
}

void t.test('everything that ends a subscription', { timeout: 600_000 }, async (t) => {
  const plant = await Plant.start(t);
  t.comment(`first values after ${String(await plant.becomes('good', backMs))} ms`);
  t.equal(await plant.quality('LINE.wrong'), 'bad', 'a wrong node is one bad tag');

  /** Those after which the server still has the subscription: then nothing at all is lost. */
  const kept = ['the cable is cut', 'the cable goes dead without a word', 'the server hangs'];
  const faults: Readonly<Record<string, () => Promise<void>>> = {
    'the server is killed and restarted': async () => {
      await plant.server.kill();
      await plant.becomes('bad', 2_000);
      await plant.restartServer();
    },
    'the server stops and starts in order': async () => {
      await plant.server.ask('stop').catch(() => undefined);
      await plant.becomes('bad', 5_000);
      await plant.server.kill();
      await plant.restartServer({ before: ['urn:new'] });
    },
    'the server forgets its sessions': async () => {
      await plant.server.ask('dropSessions');
      await plant.becomes('bad', silenceMs);
    },
    'the server deletes the subscription': async () => {
      await plant.server.ask('dropSubscriptions');
      await plant.becomes('bad', silenceMs);
    },
    'the cable is cut': async () => {
      const { port } = plant.cable;
      await plant.cable.close();
      await plant.becomes('bad', 2_000);
      await elapse(5_000);
      await plant.cable.open(port);
    },
    'the cable goes dead without a word': async () => {
      plant.cable.silence(true);
      await plant.becomes('bad', silenceMs);
      await elapse(5_000);
      plant.cable.silence(false);
    },
    'the server hangs': async () => {
      plant.server.child.signal('SIGSTOP');
      await plant.becomes('bad', silenceMs);
      plant.server.child.signal('SIGCONT');
    },
  };
  for (const [name, fault] of Object.entries(faults)) {
    await fault();
    const back = await plant.becomes('good', backMs);
    t.ok(back < backMs, `${name}: all good ${String(back)} ms after the cause ended`);
    t.equal(await plant.quality('LINE.count'), 'good');
    t.equal((await plant.load()).sessions, 1, 'one session at the server');
    t.equal((await plant.load()).subscriptions, 1, 'one subscription');
    t.equal(await plant.quality('S.v'), 'uncertain', 'the other link goes on');
    await elapse(1_500);
    const { silent, missing, rows } = plant.book.faults();
    t.ok(rows > 20, `${String(rows)} samples`);
    t.same(silent, [], 'no sample is missing or doubled without a word');
    if (kept.includes(name)) t.equal(missing, 0, 'and none at all: the server kept them');
  }
  t.equal((await plant.gateway.stop()).code, 0);
  const { sessions } = await plant.load();
  t.equal(sessions, 0, 'no session is left behind');
});

void t.test(
  'a session that the server gave up in a long outage',
  { timeout: 120_000 },
  async (t) => {
    const plant = await Plant.start(t, ['sessionTimeout: 10s']);
    await plant.becomes('good', backMs);
    plant.cable.silence(true);
    await plant.becomes('bad', silenceMs);
    await waitFor(
      async () => (await plant.load()).sessions === 0,
      'the server gives it up',
      60_000,
    );
    plant.cable.silence(false);
    t.ok((await plant.becomes('good', backMs)) < backMs);
    t.equal((await plant.load()).sessions, 1);
    await elapse(1_500);
    t.same(plant.book.faults().silent, [], 'no sample is missing or doubled without a word');
  },
);

void t.test('the clock of the server is set', { timeout: 120_000 }, async (t) => {
  const plant = await Plant.start(t);
  await plant.becomes('good', backMs);
  for (const step of [3_600_000, -7_200_000, 3_600_000]) {
    await plant.server.ask('stepClock', step);
    await elapse(3_000);
    t.equal(await plant.quality('LINE.count'), 'good');
    const { time } = await tagOf(plant.gateway, 'LINE.count');
    t.ok(Math.abs(Date.now() - time) < 3_000, 'samples are as old as they are');
  }
  // Such a server ends its sessions by its own clock; the gateway must not add to that.
  const { links } = await plant.gateway.status();
  const reconnects = links.find(({ link }) => link === 'ua')?.stats['reconnects'] ?? 0;
  t.ok(reconnects <= 1, `${String(reconnects)} reconnects`);
  t.same(plant.book.faults().silent, []);
});

void t.test('another certificate of the server', { timeout: 120_000 }, async (t) => {
  const plant = await Plant.start(t);
  await plant.becomes('good', backMs);
  await plant.server.kill();
  await plant.restartServer({ pki: 'server-pki-2' });
  await elapse(5_000);
  t.equal(await plant.quality('LINE.steady'), 'bad', 'it is not trusted because the old one was');
  const { links } = (await plant.gateway.ask('status')) as {
    links: { link: string; error?: { code: string; text: string } }[];
  };
  const error = links.find(({ link }) => link === 'ua')?.error;
  t.equal(error?.code, 'certificate-refused');
  const thumbprint = /thumbprint ([0-9a-f]{40})/.exec(error?.text ?? '')?.[1] ?? '';
  const pki = join(plant.folder, 'pki');
  const trusted = await millrace(['opcua', 'certs', 'trust', thumbprint, '--pki', pki]);
  t.equal(trusted.code, 0, trusted.stdout);
  t.ok((await plant.becomes('good', backMs)) < backMs, 'a person trusts it');
});

void t.test('a server that is full', { timeout: 120_000 }, async (t) => {
  const plant = await Plant.start(t);
  await plant.becomes('good', backMs);
  await plant.server.kill();
  await plant.restartServer({ maxSessions: 1 });
  const other = await plant.occupy();
  await elapse(4_000);
  t.equal(await plant.quality('LINE.steady'), 'bad');
  await other();
  t.ok((await plant.becomes('good', backMs)) < backMs, 'there is room again');
  t.equal((await plant.load()).sessions, 1);
});

void t.test('redundant servers', { timeout: 120_000 }, async (t) => {
  const port = await freePort();
  const plant = await Plant.start(t, [`redundant: ["opc.tcp://127.0.0.1:${String(port)}/line"]`]);
  await plant.becomes('good', backMs);
  const second = await startServer(t, { port, folder: plant.folder, pki: 'server-pki-2' });
  await trustServers(plant.folder);
  await plant.server.kill();
  await plant.becomes('bad', 2_000);
  t.ok((await plant.becomes('good', backMs)) < backMs, 'the second one serves');
  await plant.restartServer();
  await second.kill();
  await plant.becomes('bad', 2_000);
  t.ok((await plant.becomes('good', backMs)) < backMs, 'and the first one again');
});
