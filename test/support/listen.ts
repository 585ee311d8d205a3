import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { Cleanup } from './scratch.js';

/** Listens on a free port of this machine until the test ends. @returns the port */
export async function listen(t: Cleanup, onSocket: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
