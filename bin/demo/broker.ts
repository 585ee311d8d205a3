import { type AddressInfo, type Socket, createServer } from 'node:net';
import { Aedes } from 'aedes';

/** The broker inside the demo: loopback only, MQTT 3.1.1, nothing stored. */
export interface DemoBroker {
  readonly port: number;
  /** Messages that it has taken. */
  readonly taken: () => number;
  close: () => Promise<void>;
}

/** Listens on `wanted`, or on any free port when that is taken. */
export async function startBroker(wanted: number): Promise<DemoBroker> {
  const aedes = await Aedes.createBroker();
  let taken = 0;
  aedes.on('publish', (_packet, client) => {
    if (client) taken++;
  });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    aedes.handle(socket);
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
  await listen(wanted).catch(() => listen(0));
  return {
    port: (server.address() as AddressInfo).port,
    taken: () => taken,
    close: async () => {
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
