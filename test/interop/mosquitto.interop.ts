/**
 * Mosquitto, which nobody here wrote, as the broker: MQTT 5 with frames, retained status, the will at
 * kill -9, the receive maximum, TLS with a client certificate; and `mosquitto_sub` as a consumer.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { Aedes } from 'aedes';
import t from 'tap';
import { WebSocketServer, createWebSocketStream } from 'ws';
import { Child, run } from '../support/child.js';
import { GatewayProcess, writeLoad } from '../support/gateway.js';
import { Helper } from '../support/helper.js';
import type { StreamReport } from '../support/ledger.js';
import { must } from '../support/must.js';
import { type Cleanup, freePort, scratch } from '../support/scratch.js';
import { waitFor } from '../support/wait.js';
import { hasPeer } from './peer.js';
import { openssl } from './peer-process.js';

interface Frame {
  readonly v: number;
  readonly ep: number;
  readonly sq: number;
  readonly x: readonly unknown[];
}

async function mosquitto(
  t: Cleanup,
  folder: string,
  lines: readonly string[],
  port: number,
): Promise<Child> {
  const file = join(folder, 'mosquitto.conf');
  await writeFile(file, [...lines, ''].join('\n'));
  const broker = new Child(['-c', file, '-v'], { program: 'mosquitto' });
  t.teardown(() => broker.kill());
  await waitFor(
    () => {
      must(broker.running, `mosquitto ended: ${broker.stderr.join('\n')}`);
      return answers(port);
    },
    'mosquitto listens',
    10_000,
  );
  return broker;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** The load of the process tests, but MQTT 5. */
async function load(
  t: Cleanup,
  folder: string,
  port: number,
  change: (text: string) => string = (text) => text,
): Promise<{ file: string; socket: string }> {
  const device = await Helper.start<{ port: number }>(t, 'device', []);
  const devicePort = device.ready.port;
  const written = await writeLoad({
    folder,
    devicePort,
    brokerPort: port,
    devices: 2,
    scanMs: 100,
  });
  const text = await readFile(written.file, 'utf8');
  await writeFile(written.file, change(text.replace("version: '3.1.1'", "version: '5'")));
  return written;
}

const there = await hasPeer(t, 'mosquitto', ['mosquitto', '-h'], [0, 1, 3]);
const subscribes = await hasPeer(t, 'mosquitto_sub', ['mosquitto_sub', '--help'], [0, 1]);
const hasOpenssl = await hasPeer(t, 'openssl', ['openssl', 'version']);

if (there && subscribes) {
  void t.test('MQTT 5, a small receive maximum, and the will', { timeout: 90_000 }, async (t) => {
    const folder = await scratch(t);
    const port = await freePort();
    const broker = await mosquitto(
      t,
      folder,
      [`listener ${String(port)} 127.0.0.1`, 'allow_anonymous true', 'max_inflight_messages 5'],
      port,
    );
    const url = `mqtt://127.0.0.1:${String(port)}`;
    const consumer = await Helper.start(t, 'consumer', [url, 'edge/load', '5']);
    const subscriber = new Child(
      ['-p', String(port), '-V', 'mqttv5', '-t', 'edge/load/dev/+/data/+', '-F', '%p', '-C', '40'],
      { program: 'mosquitto_sub' },
    );
    t.teardown(() => subscriber.kill());
    await waitFor(async () => (await consumer.ask('subscriptions')) === 1, 'subscribed', 10_000);
    const { file, socket } = await load(t, folder, port);
    const gateway = await GatewayProcess.start(t, file, socket);

    t.equal((await subscriber.exit).code, 0, 'mosquitto_sub got forty frames');
    const frames = subscriber.stdout.map((line) => JSON.parse(line) as Frame);
    t.ok(
      frames.every(({ v, ep, sq, x }) => v === 1 && ep === 1 && sq > 0 && x.length > 0),
      'and can read them',
    );
    await waitFor(
      async () => (await gateway.status()).health.counters['sink_cloud_acked'] !== 0,
      'acknowledged',
      10_000,
    );
    const status = JSON.parse((await consumer.ask('last', 'status')) as string) as object;
    t.match(status, { state: 'online', boot: String });
    const late = await run(
      ['-p', String(port), '-t', 'edge/load/status', '-C', '1', '-W', '5', '-F', '%r %p'],
      { program: 'mosquitto_sub' },
    );
    t.match(late.stdout, /^1 .*"state":"online"/, 'the status is retained');

    const disconnects = broker.stderr.filter((line) =>
      /receive maximum|protocol error/i.test(line),
    );
    t.same(disconnects, [], 'never more on the way than the broker allows');
    t.equal((await gateway.status()).health.counters['sink_cloud_sessions'], 1);

    await gateway.kill();
    await waitFor(
      async () => ((await consumer.ask('last', 'status')) as string).includes('"lost"'),
      'the broker publishes the will at kill -9',
      10_000,
    );
    const again = await GatewayProcess.start(t, file, socket);
    await waitFor(
      async () => ((await consumer.ask('last', 'status')) as string).includes('"online"'),
      'online again',
      10_000,
    );
    const streamsOf = async (): Promise<StreamReport[]> =>
      (await consumer.ask('report')) as StreamReport[];
    // Online is said before the first scan: both devices have to come through in both epochs.
    await waitFor(async () => (await streamsOf()).length >= 4, 'data of both epochs', 10_000);
    t.equal((await again.stop()).code, 0);
    const last = JSON.parse((await consumer.ask('last', 'status')) as string) as object;
    t.match(last, { state: 'offline', reason: 'stopped' }, 'a stop on purpose says so');

    const streams = await streamsOf();
    t.ok(streams.every(({ conflicts, disorder }) => conflicts === 0 && disorder === 0));
  });

  void t.test('mosquitto is killed and comes back', { timeout: 90_000 }, async (t) => {
    const folder = await scratch(t);
    const port = await freePort();
    const lines = [`listener ${String(port)} 127.0.0.1`, 'allow_anonymous true'];
    const first = await mosquitto(t, folder, lines, port);
    const { file, socket } = await load(t, folder, port);
    const gateway = await GatewayProcess.start(t, file, socket);
    await waitFor(async () => (await gateway.status()).sinks[0]?.connected, 'connected', 10_000);
    await first.kill();
    await waitFor(async () => (await gateway.pending('cloud')) > 20, 'kept', 10_000);
    await mosquitto(t, folder, lines, port);
    await waitFor(async () => (await gateway.pending('cloud')) <= 5, 'sent', 20_000);
    const { health } = await gateway.status();
    t.equal(health.counters['sink_cloud_sessions'], 2);
    t.ok(Number(health.counters['sink_cloud_history']) > 0);
    t.equal((await gateway.stop()).code, 0);
  });
}

if (there && hasOpenssl) {
  void t.test('TLS with a client certificate', { timeout: 90_000 }, async (t) => {
    const folder = await scratch(t);
    await makeCertificates(folder);
    const path = (name: string): string => join(folder, name);
    const port = await freePort();
    await mosquitto(
      t,
      folder,
      [
        `listener ${String(port)} 127.0.0.1`,
        `cafile ${path('ca.pem')}`,
        `certfile ${path('broker.pem')}`,
        `keyfile ${path('broker.key')}`,
        'require_certificate true',
        'use_identity_as_username true',
        'user root',
      ],
      port,
    );
    const withTls = (tls: string) => (text: string) =>
      text.replace('mqtt://127.0.0.1', 'mqtts://localhost') + `    tls: ${tls}\n`;
    const good = `{ ca: ${path('ca.pem')}, cert: ${path('gw.pem')}, key: ${path('gw.key')} }`;
    const { file, socket } = await load(t, folder, port, withTls(good));
    const gateway = await GatewayProcess.start(t, file, socket);
    await waitFor(
      async () => Number((await gateway.status()).health.counters['sink_cloud_acked']) > 10,
      'frames are acknowledged over TLS',
      15_000,
    );
    t.equal((await gateway.stop()).code, 0);

    for (const [what, tls] of [
      ['without a client certificate', `{ ca: ${path('ca.pem')} }`],
      ['when somebody else signed the broker', `{ ca: ${path('other.pem')} }`],
    ] as const) {
      const bad = await load(t, folder, port, withTls(tls));
      const refused = await GatewayProcess.start(t, bad.file, bad.socket);
      await waitFor(
        async () => Number((await refused.status()).health.counters['sink_cloud_failures']) > 0,
        `no connection ${what}`,
        15_000,
      );
      const { sinks } = await refused.status();
      t.equal(sinks[0]?.connected, false, what);
      t.equal((await refused.stop()).code, 0);
    }
  });
}

if (there && hasOpenssl) {
  void t.test('a certificate with another name; WebSockets', { timeout: 90_000 }, async (t) => {
    const folder = await scratch(t);
    await makeCertificates(folder, 'DNS:broker.plant');
    const path = (name: string): string => join(folder, name);
    for (const scheme of ['mqtts', 'wss'] as const) {
      const port = scheme === 'wss' ? await webBroker(t, folder) : await encryptedBroker(t, folder);
      const withTls = (more: string) => (text: string) =>
        text
          // The broker in this process speaks 3.1.1.
          .replace("version: '5'", `version: '${scheme === 'wss' ? '3.1.1' : '5'}'`)
          .replace(/mqtt:\/\/127\.0\.0\.1:\d+/, `${scheme}://localhost:${String(port)}`) +
        `    tls: { ca: ${path('ca.pem')}${more} }\n`;
      const bad = await load(t, folder, port, withTls(''));
      const refused = await GatewayProcess.start(t, bad.file, bad.socket);
      await waitFor(
        async () => /tls\.serverName/.test(JSON.stringify((await refused.status()).health.checks)),
        `${scheme}: health says what to do`,
        15_000,
      );
      t.equal((await refused.stop()).code, 0);

      const good = await load(t, folder, port, withTls(', serverName: broker.plant'));
      const gateway = await GatewayProcess.start(t, good.file, good.socket);
      await waitFor(
        async () => Number((await gateway.status()).health.counters['sink_cloud_acked']) > 10,
        `${scheme}: frames are acknowledged`,
        15_000,
      );
      t.equal((await gateway.stop()).code, 0, scheme);
    }
  });
}

async function encryptedBroker(t: Cleanup, folder: string): Promise<number> {
  const port = await freePort();
  const lines = [
    `listener ${String(port)} 127.0.0.1`,
    `cafile ${join(folder, 'ca.pem')}`,
    `certfile ${join(folder, 'broker.pem')}`,
    `keyfile ${join(folder, 'broker.key')}`,
    'allow_anonymous true',
    'user root',
  ];
  await mosquitto(t, folder, lines, port);
  return port;
}

/** Mosquitto is not built with WebSockets everywhere. */
async function webBroker(t: Cleanup, folder: string): Promise<number> {
  const aedes = await Aedes.createBroker();
  const server = createServer({
    cert: await readFile(join(folder, 'broker.pem')),
    key: await readFile(join(folder, 'broker.key')),
  });
  const sockets = new WebSocketServer({ server, handleProtocols: () => 'mqtt' });
  sockets.on('connection', (socket) => void aedes.handle(createWebSocketStream(socket)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(async () => {
    await new Promise<void>((resolve) => aedes.close(() => resolve()));
    for (const socket of sockets.clients) socket.terminate();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

/** A little authority, a broker and a gateway signed by it, and an authority that signed nobody. */
async function makeCertificates(
  folder: string,
  names = 'DNS:localhost,IP:127.0.0.1',
): Promise<void> {
  const newKey = ['-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  for (const name of ['ca', 'other']) {
    const subject = ['-subj', `/CN=${name}`];
    await openssl(
      folder,
      'req',
      '-x509',
      ...newKey,
      ...subject,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.pem`,
    );
  }
  await writeFile(join(folder, 'ext.cnf'), `subjectAltName=${names}\n`);
  for (const name of ['broker', 'gw']) {
    const subject = ['-subj', `/CN=${name}`];
    await openssl(
      folder,
      'req',
      ...newKey,
      ...subject,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
    );
    const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'ext.cnf'];
    await openssl(
      folder,
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-days',
      '2',
      ...by,
      '-out',
      `${name}.pem`,
    );
  }
}
