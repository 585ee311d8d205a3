/**
 * `narrow-main.js BROKER BYTES`: stands before a broker and says that it takes no packets above so many bytes; a client
 * that sends one is cut off. (A broker with such a limit refuses a long CONNECT as well, so that nothing would flow.)
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { serve } from '../../support/helper.js';

const [brokerPort = 0, maxBytes = 0] = process.argv.slice(2).map(Number);
const connectType = 1;
const publishType = 3;
const count = { connections: 0, publishes: 0, tooLarge: 0 };

/** Length of the packet at the beginning, head included; nothing while that is not known. */
function lengthOf(bytes: Buffer): number | undefined {
  let length = 0;
  for (let i = 1; i < Math.min(bytes.length, 5); i++) {
    const byte = bytes[i] ?? 0;
    length += (byte & 0x7f) << (7 * (i - 1));
    if (byte < 0x80) return 1 + i + length;
  }
  return undefined;
}

/** CONNACK of MQTT 5 with Maximum Packet Size; what it said of it itself would be there twice. */
function narrowed(connack: Buffer): Buffer {
  const length = lengthOf(connack) ?? connack.length;
  const property = Buffer.from([0x27, 0, 0, maxBytes >> 8, maxBytes & 0xff]);
  const out = Buffer.concat([connack.subarray(0, length), property, connack.subarray(length)]);
  // Short packets: both lengths have one byte.
  for (const at of [1, 4]) out[at] = (out[at] ?? 0) + property.length;
  return out;
}

function relay(client: Socket): void {
  const broker = connect(brokerPort, '127.0.0.1');
  const end = (): void => {
    client.destroy();
    broker.destroy();
  };
  for (const one of [client, broker]) one.on('error', end).on('close', end);
  broker.once('data', (first: Buffer) => {
    client.write(narrowed(first));
    broker.on('data', (bytes: Buffer) => client.write(bytes));
  });
  let waiting = Buffer.alloc(0);
  client.on('data', (bytes: Buffer) => {
    waiting = Buffer.concat([waiting, bytes]);
    for (let n = lengthOf(waiting); n !== undefined && n <= waiting.length; n = lengthOf(waiting)) {
      const type = (waiting[0] ?? 0) >> 4;
      if (type === publishType) count.publishes++;
      if (type === connectType) count.connections++;
      else if (n > maxBytes) {
        count.tooLarge++;
        end();
        return;
      }
      broker.write(waiting.subarray(0, n));
      waiting = waiting.subarray(n);
    }
  });
}

const server = createServer(relay);
server.listen(0, '127.0.0.1');
await once(server, 'listening');

serve({ port: (server.address() as AddressInfo).port }, { state: () => count });
