/** Brokers that speak bytes of their own: what the client makes of them, over a socket. */
import type { Socket } from 'node:net';
import t, { type Test } from 'tap';
import { GatewayError } from '../../gateway/contract/index.js';
import { systemClock } from '../../gateway/host/clock.js';
import { limits } from '../../gateway/limits.js';
import { mqttJs } from '../../gateway/north/mqtt/client.js';
import type { ConnectOptions, MqttConnection } from '../../gateway/north/mqtt/port.js';
import { listen } from '../support/listen.js';

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

function connect(url: string): Promise<MqttConnection> {
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
  };
  return mqttJs(systemClock).connect(options, AbortSignal.timeout(10_000));
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
      const more = (): void => {
        while (!socket.destroyed && socket.write(Buffer.alloc(16_384, 1))) sent += 16_384;
        if (!socket.destroyed) socket.once('drain', more);
      };
      more();
    });
    const why = await new Promise<GatewayError>((resolve) => {
      connect(url).then(
        (connection) => connection.onLost(resolve),
        (thrown: unknown) => resolve(thrown as GatewayError),
      );
    });
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
