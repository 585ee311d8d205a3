/** A broker that takes every client and then sends it one PUBLISH that never ends, as fast as it is read. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { serve } from '../../support/helper.js';

const zeros = Buffer.alloc(65_536);
/** PUBLISH at QoS 0, the largest length there is, topic `abc`. */
const head = Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f, 0, 3, 0x61, 0x62, 0x63]);
let connections = 0;
let bytes = 0;

/** CONNACK in the version of the client: MQTT 5 has a length of properties in it. */
function welcome(connect: Uint8Array): Buffer {
  const name = Buffer.from(connect).indexOf('MQTT');
  return connect[name + 4] === 5 ? Buffer.from([0x20, 3, 0, 0, 0]) : Buffer.from([0x20, 2, 0, 0]);
}

function stream(socket: Socket): void {
  while (!socket.destroyed) {
    bytes += zeros.length;
    if (!socket.write(zeros)) return;
  }
}

const server = createServer((socket) => {
  socket.on('error', () => undefined);
  socket.once('data', (connect) => {
    connections++;
    socket.write(welcome(connect));
    socket.write(head);
    socket.on('drain', () => stream(socket));
    stream(socket);
    socket.resume();
  });
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');

serve(
  { port: (server.address() as AddressInfo).port },
  { state: () => ({ connections, mebibytes: bytes / 1_048_576 }) },
);
