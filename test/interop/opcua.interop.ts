/**
 * The whole gateway against an OPC UA server in another process: everything that ends a subscription at
 * the server, on the cable and in our own thread. A counter that the server raises by one shows from the
 * published values alone what is lost or told twice.
 */
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { GatewayProcess } from '../support/gateway.js';
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

function configOf(folder: string, port: number): string {
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
    '    sessionTimeout: 120s',
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
    `journal: { path: ${join(folder, 'j.db')}, size: 64MiB, history: { keep: 1h } }`,
    `control: { socket: ${join(folder, 'c.sock')} }`,
    '',
  ].join('\n');
}

/** A gateway, a server, and the cable between them. */
class Plant {
  readonly folder: string;
  readonly serverPort: number;
  readonly cable: Relay;
  readonly gateway: GatewayProcess;
  readonly #t: Test;
  server: Helper<unknown>;

  private constructor(
    t: Test,
    parts: Pick<Plant, 'folder' | 'serverPort' | 'cable' | 'gateway' | 'server'>,
  ) {
    this.#t = t;
    this.folder = parts.folder;
    this.serverPort = parts.serverPort;
    this.cable = parts.cable;
    this.gateway = parts.gateway;
    this.server = parts.server;
  }

  static async start(t: Test): Promise<Plant> {
    const folder = await scratch(t);
    const serverPort = await freePort();
    const server = await startServer(t, { port: serverPort, folder });
    const cable = new Relay(serverPort);
    await cable.open(0);
    t.teardown(() => cable.close());
    const file = join(folder, 'gateway.yaml');
    await writeFile(file, configOf(folder, cable.port));
    await trustServer(folder);
    const gateway = await GatewayProcess.start(t, file, join(folder, 'c.sock'));
    return new Plant(t, { folder, serverPort, cable, gateway, server });
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

  load(): Promise<Load> {
    return this.server.ask('load') as Promise<Load>;
  }
}

async function startServer(t: Test, options: UaServerOptions): Promise<Helper<unknown>> {
  const server = await Helper.start(t, 'opcua', [JSON.stringify(options)]);
  await server.ask('count', countMs);
  return server;
}

/** As a person does: the server's certificate goes where trusted ones lie. */
async function trustServer(folder: string): Promise<void> {
  const own = join(folder, 'server-pki', 'own', 'certs');
  const trusted = join(folder, 'pki', 'trusted', 'certs');
  await mkdir(trusted, { recursive: true });
  for (const name of await readdir(own))
    if (name.endsWith('.pem')) await copyFile(join(own, name), join(trusted, name));
}

void t.test('everything that ends a subscription', { timeout: 600_000 }, async (t) => {
  const plant = await Plant.start(t);
  t.comment(`first values after ${String(await plant.becomes('good', backMs))} ms`);
  t.equal(await plant.quality('LINE.wrong'), 'bad', 'a wrong node is one bad tag');

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
  }
  t.equal((await plant.gateway.stop()).code, 0);
  const { sessions } = await plant.load();
  t.equal(sessions, 0, 'no session is left behind');
});
