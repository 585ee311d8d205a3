/** Servers that are none, or wish us ill: every connect settles, with an error that says so, and nothing swells. */
import { createServer, type AddressInfo, type Socket } from 'node:net';
import t from 'tap';
import {
  GatewayError,
  parseEndpoint,
  silentLog,
  type Driver,
} from '../../../../gateway/contract/index.js';
import { systemClock, systemRandom } from '../../../../gateway/host/clock.js';
import { DriverMaker } from '../../../../gateway/host/isolated.js';
import { Seeded } from '../../../../test/support/random.js';
import { scratch, type Cleanup } from '../../../../test/support/scratch.js';
import { opcua } from '../../index.js';

/** A message of the transport: type, `F`, and a size that need not be true. */
function message(type: string, body: Buffer, size = body.length + 8): Buffer {
  const head = Buffer.alloc(8);
  head.write(`${type}F`, 'latin1');
  head.writeUInt32LE(size >>> 0, 4);
  return Buffer.concat([head, body]);
}

/** The acknowledgement with these sizes: version, receive and send buffer, largest message, most chunks. */
function acknowledge(...sizes: readonly number[]): Buffer {
  const body = Buffer.alloc(20);
  sizes.forEach((size, at) => body.writeUInt32LE(size >>> 0, at * 4));
  return message('ACK', body);
}
const usual = acknowledge(0, 65_536, 65_536, 0, 0);

async function serve(t: Cleanup, talk: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    talk(socket);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

// In its thread, as in the gateway: that is where it may do harm.
const maker = new DriverMaker(await scratch(t), silentLog);

function driverFor(port: number): Driver {
  const text = `opc.tcp://127.0.0.1:${String(port)}`;
  const endpoint = parseEndpoint(text, opcua.schemes);
  const config = endpoint.ok && opcua.parseLink({ timeout: '1s' }, endpoint.value);
  if (!config || !config.ok) throw new GatewayError('internal', 'the test is wrong');
  return maker.create(opcua, config.value, {
    endpoint: { scheme: 'opc.tcp', host: '127.0.0.1', port, text },
    log: silentLog,
    random: systemRandom,
    memory: new Map(),
    now: () => systemClock.mono(),
    expires: () => undefined,
    open: () => Promise.reject(new GatewayError('internal', 'not asked for')),
    count: () => undefined,
    notice: () => undefined,
    refusal: () => undefined,
  });
}

const random = new Seeded(11);
const noise = (length: number): Buffer =>
  Buffer.from(Array.from({ length }, () => Math.floor(random.next() * 256)));

const evil: Readonly<Record<string, (socket: Socket) => void>> = {
  'closes at once': (socket) => socket.destroy(),
  'never answers': () => undefined,
  'is a web server': (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n<html>'),
  'talks noise': (socket) => socket.write(noise(5_000)),
  'talks noise without end': (socket) => {
    const more = (): void => {
      while (socket.writable && socket.write(noise(1_000)));
    };
    socket.on('drain', more);
    more();
  },
  'says that a message is two gigabytes long': (socket) =>
    socket.write(message('ACK', Buffer.alloc(20), 0x7fff_ffff)),
  'acknowledges sizes of nothing': (socket) => socket.write(acknowledge(0, 0, 0, 0, 0)),
  'acknowledges sizes of everything': (socket) =>
    socket.once('data', () =>
      socket.write(acknowledge(0, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff)),
    ),
  'answers the channel with noise': (socket) => {
    socket.once('data', () => {
      socket.write(usual);
      socket.once('data', () => socket.write(message('OPN', noise(500))));
    });
  },
  'sends a message in pieces that never end': (socket) => {
    socket.once('data', () => {
      socket.write(usual);
      socket.once('data', () => {
        const piece = message('MSG', noise(60_000));
        piece.write('C', 3, 'latin1');
        const more = (): void => {
          while (socket.writable && socket.write(piece));
        };
        socket.on('drain', more);
        more();
      });
    });
  },
  'refuses with an error': (socket) => {
    const body = Buffer.alloc(8);
    body.writeUInt32LE(0x8080_0000, 0);
    body.writeInt32LE(-1, 4);
    socket.write(message('ERR', body));
  },
};

void t.test('the thread is there', async (t) => {
  await t.rejects(driverFor(1).connect(AbortSignal.timeout(20_000)), { code: 'link-refused' });
});

for (const [what, talk] of Object.entries(evil))
  void t.test(`a server that ${what}`, { timeout: 60_000 }, async (t) => {
    const driver = driverFor(await serve(t, talk));
    const before = process.memoryUsage().rss;
    const begun = performance.now();
    const signal = AbortSignal.timeout(4_000);
    const why = await driver.connect(signal).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    t.ok(why instanceof GatewayError, why instanceof Error ? why.message : 'it connected');
    t.ok(performance.now() - begun < 6_000, 'within its time');
    await driver.close().catch(() => undefined);
    const grown = (process.memoryUsage().rss - before) / 1_048_576;
    t.ok(grown < 96, `memory: ${grown.toFixed(0)} MiB more`);
  });

void t.test(
  'whoever ends the thread has it to himself from then on',
  { timeout: 60_000 },
  async (t) => {
    const evilPort = await serve(t, evil['acknowledges sizes of nothing'] ?? (() => undefined));
    const quietPort = await serve(t, () => undefined);
    // The one that is caught beside it is suspected, too, and for no harm.
    await t.rejects(driverFor(evilPort).connect(AbortSignal.timeout(20_000)), {
      code: 'driver-died',
    });
    const neighbour = driverFor(quietPort);
    const losses: GatewayError[] = [];
    neighbour.onLost((why) => losses.push(why));
    const waiting = neighbour
      .connect(AbortSignal.timeout(10_000))
      .catch((thrown: unknown) => thrown);
    await t.rejects(driverFor(evilPort).connect(AbortSignal.timeout(20_000)), {
      code: 'driver-died',
    });
    t.match(await waiting, { code: 'request-timeout' }, 'the neighbour is not disturbed');
    t.same(losses, []);
  },
);
