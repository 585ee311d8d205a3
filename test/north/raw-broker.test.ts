/** Brokers that speak bytes of their own: what the client makes of them, over a socket. */
import type { Socket } from 'node:net';
import t, { type Test } from 'tap';
import { GatewayError } from '../../gateway/contract/index.js';
import { systemClock } from '../../gateway/host/clock.js';
import { limits } from '../../gateway/limits.js';
import { mqttJs } from '../../gateway/north/mqtt/client.js';
import type { ConnectOptions, MqttConnection } from '../../gateway/north/mqtt/port.js';
import { listen } from '../support/listen.js';
import { waitFor } from '../support/wait.js';

const connack = (...properties: number[]): Buffer =>
  Buffer.from([0x20, 3 + properties.length, 0, 0, properties.length, ...properties]);
/** PUBACK for this packet identifier, with a reason. */
const puback = (id: number, reason: number): Buffer =>
  Buffer.from([0x40, 4, id >> 8, id & 0xff, reason, 0]);

async function brokerOf(
  t: Test,
  answers: (type: number, packet: Buffer, socket: Socket) => void,
): Promise<string> {
  const port = await listen(t, (socket) => {
    socket.on('error', () => undefined);
    // One packet a piece is enough for a client that waits for answers.
    socket.on('data', (packet) => answers((packet[0] ?? 0) >> 4, packet, socket));
  });
  return `mqtt://127.0.0.1:${String(port)}`;
}

function connect(url: string, more: Partial<ConnectOptions> = {}): Promise<MqttConnection> {
  const will = { topic: 'w', payload: '', qos: 1, retain: true } as const;
  const options: ConnectOptions = {
    url,
    version: '5',
    clientId: 'c',
    username: undefined,
    password: undefined,
    tls: undefined,
    keepAliveSeconds: 30,
    will,
    ...more,
  };
  return mqttJs(systemClock).connect(options, AbortSignal.timeout(10_000));
}

/** Sends the same again and again, for as long as anybody takes it. */
function pour(socket: Socket, bytes: Buffer, onSent: (bytes: number) => void): void {
  while (!socket.destroyed && socket.write(bytes)) onSent(bytes.length);
  if (!socket.destroyed) socket.once('drain', () => pour(socket, bytes, onSent));
}

/** Why a connection is not made, or does not last. */
function end(url: string): Promise<GatewayError> {
  return new Promise((resolve) => {
    connect(url).then(
      (connection) => connection.onLost(resolve),
      (thrown: unknown) => resolve(thrown as GatewayError),
    );
  });
}

/** Packet identifier of a PUBLISH with QoS 1 and a short topic. */
const idOf = (packet: Buffer): number => packet.readUInt16BE(4 + packet.readUInt16BE(2));

void t.test('every code of a refusal: not now, or wrong in itself', async (t) => {
  let reason = 0;
  const url = await brokerOf(t, (type, packet, socket) => {
    if (type === 1) socket.write(connack());
    if (type === 3) socket.write(puback(idOf(packet), reason));
  });
  const connection = await connect(url);
  const publish = (): Promise<void> =>
    connection.publish({ topic: 'a', payload: 'x', qos: 1, retain: false });
  const verdicts: [number, string][] = [
    [0x80, 'not-now'],
    [0x83, 'not-now'],
    [0x87, 'not-now'],
    [0x90, 'too-large'],
    [0x97, 'not-now'],
    [0x99, 'too-large'],
    [0x91, 'not-now'],
  ];
  for (const [code, wanted] of verdicts) {
    reason = code;
    const thrown = await publish().catch((why: unknown) => why);
    t.ok(thrown instanceof GatewayError, `0x${code.toString(16)}`);
    t.match(thrown, { code: wanted, message: new RegExp(`0x${code.toString(16)}`) });
  }
  for (const code of [0, 0x10]) {
    reason = code;
    await publish();
    t.pass(`0x${code.toString(16)} is taken`);
  }
  await connection.close(false);
});

void t.test('a packet without an end is given up within bounds', async (t) => {
  for (const when of ['before', 'after'] as const) {
    let sent = 0;
    const url = await brokerOf(t, (type, _packet, socket) => {
      if (type !== 1) return;
      if (when === 'after') socket.write(connack());
      // PUBLISH of 268 MB.
      socket.write(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]));
      pour(socket, Buffer.alloc(16_384, 1), (bytes) => (sent += bytes));
    });
    const why = await end(url);
    t.match(why, { code: 'broker-lost', message: /more than 262144 bytes/ }, when);
    t.ok(sent < 40 * limits.mqttInboundBytes, `${String(sent)} bytes were sent`);
  }
});

void t.test('a broker that allows no messages is not connected', async (t) => {
  const url = await brokerOf(t, (type, _packet, socket) => {
    if (type === 1) socket.write(connack(0x21, 0, 0));
  });
  await t.rejects(connect(url), { code: 'broker-lost' });
});

void t.test('packets without end are given up within bounds', async (t) => {
  const floods: Record<string, Buffer> = {
    pings: Buffer.alloc(8_192, Buffer.from([0xd0, 0])),
    messages: Buffer.alloc(8_190, Buffer.from([0x30, 4, 0, 1, 0x61, 0])),
    acknowledgements: Buffer.alloc(8_192, Buffer.from([0x40, 2, 0x12, 0x34])),
  };
  for (const [what, flood] of Object.entries(floods)) {
    let sent = 0;
    const url = await brokerOf(t, (type, _packet, socket) => {
      if (type !== 1) return;
      socket.write(connack());
      pour(socket, flood, (bytes) => (sent += bytes));
    });
    const why = await end(url);
    t.match(why, { code: 'broker-lost', message: /more than 1000 packets a second/ }, what);
    t.ok(sent < 40 * limits.mqttInboundBytes, `${what}: ${String(sent)} bytes were sent`);
  }
});

void t.test('as many acknowledgements as messages are no flood', async (t) => {
  const url = await brokerOf(t, (type, packet, socket) => {
    if (type === 1) socket.write(connack());
    if (type === 3) socket.write(puback(idOf(packet), 0));
  });
  const connection = await connect(url);
  for (let i = 0; i < 3_000; i++)
    await connection.publish({ topic: 'a', payload: 'x', qos: 1, retain: false });
  t.pass('three thousand in a row');
  await connection.close(false);
});

void t.test('the client id: chosen by the broker, or not taken', async (t) => {
  const url = await brokerOf(t, (type, packet, socket) => {
    if (type !== 1) return;
    const isFive = packet[8] === 5;
    const hasId = packet.subarray(-40).includes('plant-7');
    if (hasId) socket.write(Buffer.from(isFive ? [0x20, 3, 0, 0x85, 0] : [0x20, 2, 0, 2]));
    else if (isFive) socket.write(connack(0x12, 0, 3, ...Buffer.from('abc')));
    else socket.write(Buffer.from([0x20, 2, 0, 0]));
  });
  for (const version of ['5', '3.1.1'] as const) {
    const connection = await connect(url, { version, clientId: '' });
    t.equal(connection.limits.assignedId, version === '5' ? 'abc' : undefined, version);
    await connection.close(false);
    await t.rejects(connect(url, { version, clientId: 'plant-7' }), {
      code: 'auth-failed',
      message: /does not take the client id plant-7; set `clientId`/,
    });
  }
});

void t.test('listening: agreed, refused, and what is heard', async (t) => {
  let verdict = 0;
  const url = await brokerOf(t, (type, packet, socket) => {
    if (type === 1) socket.write(connack());
    if (type !== 8) return;
    socket.write(Buffer.from([0x90, 4, packet[2] ?? 0, packet[3] ?? 0, 0, verdict]));
    for (const topic of ['b', 'a'])
      socket.write(Buffer.from([0x30, 7, 0, 1, ...Buffer.from(topic), 0, ...Buffer.from('off')]));
  });
  const heard: string[] = [];
  const good = await connect(url);
  await good.watch('a', (payload) => heard.push(payload));
  await waitFor(() => heard.length > 0, 'heard', 5_000);
  t.same(heard, ['off']);
  await good.close(false);
  verdict = 0x87;
  const bad = await connect(url);
  await t.rejects(
    bad.watch('a', () => undefined),
    { code: 'not-now' },
  );
  await bad.close(false);
});
