/**
 * `devices-main.js UNITS [hang-up]`: Modbus devices whose registers change with every few reads. With `hang-up` they
 * close all connections once a second.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { FakeModbus } from '../../../drivers/modbus/test/fake.js';
import { socketStream } from '../../conformance/socket.js';
import { serve } from '../../support/helper.js';

const [units = '1', mood] = process.argv.slice(2);
let registers = 0;
const devices = new FakeModbus({
  units: Array.from({ length: Number(units) }, (_, i) => i + 1),
  keep: 0,
  // Below the limits of all interlocks.
  value: () => (registers++ >> 7) & 0x7fff,
});
let connections = 0;
const sockets = new Set<Socket>();
const server = createServer((socket) => {
  connections++;
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
  devices.serve(socketStream(socket));
});
if (mood === 'hang-up')
  setInterval(() => {
    for (const one of sockets) one.destroy();
  }, 1_000);
server.listen(0, '127.0.0.1');
await once(server, 'listening');

serve(
  { port: (server.address() as AddressInfo).port },
  { registers: () => registers, connections: () => connections },
);
