/**
 * What OPC UA servers have beside values, through the whole gateway: alarms that are acknowledged and outlive
 * restarts, events, methods as commands, and the history of an interruption.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import t, { type Test } from 'tap';
import { startBroker } from '../../bin/demo/broker.js';
import type { AlarmSnapshot } from '../../gateway/contract/index.js';
import { GatewayProcess, millrace } from '../support/gateway.js';
import { Helper } from '../support/helper.js';
import { equipmentUri } from '../support/opcua-equipment.js';
import { freePort, scratch } from '../support/scratch.js';
import { tagOf } from '../support/station.js';
import { elapse, waitFor } from '../support/wait.js';

const waitMs = 30_000;
const node = (name: string): string => `nsu=${equipmentUri};s=${name}`;

interface Message {
  readonly topic: string;
  readonly retained: boolean;
  readonly json: Record<string, unknown> | undefined;
}

/** A server with its equipment, a broker, and a gateway between them. */
class Site {
  readonly folder: string;
  readonly port: number;
  readonly heard: Message[] = [];
  server: Helper<unknown>;
  readonly #t: Test;
  readonly #broker: number;

  private constructor(
    t: Test,
    folder: string,
    port: number,
    server: Helper<unknown>,
    broker: number,
  ) {
    this.#t = t;
    this.folder = folder;
    this.port = port;
    this.server = server;
    this.#broker = broker;
  }

  static async start(t: Test): Promise<Site> {
    const folder = await scratch(t);
    const port = await freePort();
    const broker = await startBroker(0);
    t.teardown(() => broker.close());
    const site = new Site(t, folder, port, await serve(t, port, folder), broker.port);
    const client = await connectAsync(`mqtt://127.0.0.1:${String(broker.port)}`);
    t.teardown(() => client.endAsync(true));
    client.on('message', (topic, payload, { retain }) => {
      const text = payload.toString();
      const json = text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>);
      site.heard.push({ topic, json, retained: retain });
    });
    await client.subscribeAsync('edge/#');
    return site;
  }

  async restartServer(): Promise<void> {
    this.server = await serve(this.#t, this.port, this.folder);
  }

  async run(events: object): Promise<GatewayProcess> {
    const file = join(this.folder, 'gateway.yaml');
    const socket = join(this.folder, 'c.sock');
    const tags = {
      level: { address: node('Level'), sampling: '0ms', queue: 1_000 },
      empty: { address: node('Tank'), method: node('Tank.Empty'), type: 'bool' },
      fill: {
        address: node('Tank'),
        method: node('Tank.Fill'),
        arguments: ['$value', 7],
        type: 'float32',
      },
    };
    const config = {
      millrace: 1,
      gateway: { id: 'g1' },
      links: {
        ua: {
          driver: 'opcua',
          endpoint: `opc.tcp://127.0.0.1:${String(this.port)}/line`,
          security: { policy: 'None', allowWeak: true },
          publishing: '50ms',
          keepAlive: '500ms',
          timeout: '1s',
          devices: { TANK: { events: { from: node('Area'), ...events }, tags } },
        },
      },
      writes: {
        'TANK.empty': { allow: ['operator'] },
        'TANK.fill': { allow: ['operator'], range: [0, 1_000] },
      },
      sinks: {
        out: { type: 'mqtt', url: `mqtt://127.0.0.1:${String(this.#broker)}`, version: '3.1.1' },
      },
      journal: { path: 'j.db', size: '8MiB' },
      control: { socket },
    };
    await writeFile(file, JSON.stringify(config));
    return GatewayProcess.start(this.#t, file, socket, { cwd: this.folder });
  }

  tool(...args: readonly string[]): ReturnType<typeof millrace> {
    return millrace([...args, '--socket', join(this.folder, 'c.sock')], { cwd: this.folder });
  }
}

function serve(t: Test, port: number, folder: string): Promise<Helper<unknown>> {
  return Helper.start(t, 'opcua', [JSON.stringify({ port, folder, equipped: true })]);
}

const alarmId = 'TANK:Tank.LevelAlarm';

async function alarmOf(gateway: GatewayProcess): Promise<AlarmSnapshot | undefined> {
  const list = (await gateway.ask('alarms')) as readonly AlarmSnapshot[];
  return list.find(({ id }) => id === alarmId);
}

function becomes(gateway: GatewayProcess, state: string): Promise<AlarmSnapshot> {
  return waitFor(
    async () => {
      const alarm = await alarmOf(gateway);
      return alarm?.state === state && alarm.doubt === undefined && alarm;
    },
    `the alarm is ${state}`,
    waitMs,
  );
}

void t.test('alarms and events of a server', { timeout: 180_000 }, async (t) => {
  const site = await Site.start(t);
  const gateway = await site.run({ acknowledge: true });
  await waitFor(
    async () => (await tagOf(gateway, 'TANK.level')).quality === 'good',
    'data',
    waitMs,
  );

  // The first may come before the gateway listens.
  const event = await waitFor(
    async () => {
      await site.server.ask('raise', 300, 'pump started');
      return site.heard.find(({ topic }) => topic === 'edge/g1/event/device');
    },
    'the event',
    waitMs,
  );
  t.match(event.json, {
    type: 'device',
    device: 'TANK',
    source: 'Tank',
    kind: 'SystemEventType',
    severity: 300,
    text: 'pump started',
  });

  await site.server.ask('set', 'Level', 85);
  const raised = await becomes(gateway, 'UNACK');
  t.match(raised, { device: 'TANK', priority: /low|medium|high|critical/ });
  const topic = 'edge/g1/alarm/TANK%3ATank.LevelAlarm';
  await waitFor(() => site.heard.some((one) => one.topic === topic), 'its topic', waitMs);
  const listed = await site.tool('alarms');
  t.match(listed.stdout, /TANK:Tank\.LevelAlarm +UNACK/);

  const acked = await site.tool('alarms', '--ack', alarmId);
  t.equal(acked.code, 0, acked.stderr);
  // Its time is told as an age, which the way to us makes a little longer or shorter.
  t.ok((await becomes(gateway, 'ACKED')).since >= raised.since - 100);
  t.equal((await site.tool('alarms', '--ack', 'TANK:Nothing')).code !== 0, true);

  await site.server.kill();
  const doubted = await waitFor(
    async () => {
      const alarm = await alarmOf(gateway);
      return alarm?.doubt !== undefined && alarm;
    },
    'it is in doubt',
    waitMs,
  );
  t.equal(doubted.state, 'ACKED', 'nobody says that it is gone');

  // The gateway is restarted meanwhile, and the server has no alarm any more.
  t.equal((await gateway.stop()).code, 0);
  const again = await site.run({});
  t.match(await alarmOf(again), { state: 'ACKED', doubt: /restarted/ }, 'it outlives a restart');
  await site.restartServer();
  await waitFor(async () => (await alarmOf(again)) === undefined, 'it is taken down', waitMs);
  await waitFor(
    () => site.heard.filter((one) => one.topic === topic).at(-1)?.json === undefined,
    'its topic is empty',
    waitMs,
  );

  await site.server.ask('set', 'Level', 10);
  await becomes(again, 'UNACK');
  const denied = await site.tool('alarms', '--ack', alarmId);
  t.not(denied.code, 0);
  t.match(denied.stderr, /may not be acknowledged from here/, 'read-only is the default');
  t.equal((await again.stop()).code, 0);
});

void t.test('methods as commands, and the history of an interruption', async (t) => {
  const site = await Site.start(t);
  const gateway = await site.run({});
  await waitFor(
    async () => (await tagOf(gateway, 'TANK.level')).quality === 'good',
    'data',
    waitMs,
  );

  t.match(await tagOf(gateway, 'TANK.fill'), { quality: 'bad', reason: 'waiting' });
  const filled = await site.tool('write', 'TANK.fill', '12.5');
  t.equal(filled.code, 0, filled.stderr);
  t.equal((await site.tool('write', 'TANK.empty', 'true')).code, 0);
  t.same(await site.server.ask('calls'), [['Fill', 12.5, 7], ['Empty']]);
  t.match(await tagOf(gateway, 'TANK.fill'), { value: 12.5, quality: 'good' });
  t.match((await site.tool('write', 'TANK.fill', '500')).stderr, /BadOutOfRange/);
  t.equal(((await site.server.ask('calls')) as unknown[]).length, 2);

  await site.server.ask('dropSessions');
  for (const value of [61, 62, 63]) {
    await elapse(5);
    await site.server.ask('set', 'Level', value);
  }
  const told = await waitFor(
    () => site.heard.find((one) => one.topic === 'edge/g1/dev/TANK/hist/backfill'),
    'the history',
    waitMs,
  );
  t.match(told.json, { grp: 'backfill', h: 1, x: [61, 62] });
  await waitFor(
    async () => (await tagOf(gateway, 'TANK.level')).value === 63,
    'the present',
    waitMs,
  );
  const live = site.heard.filter((one) => one.topic === 'edge/g1/dev/TANK/data/subscribed');
  const values = live.flatMap(({ json }) => json?.['x'] as unknown[]);
  t.notOk(values.includes(61) || values.includes(62), 'and not as if it were of now');
  t.equal((await gateway.stop()).code, 0);
});
