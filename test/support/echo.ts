import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Cleanup } from './scratch.js';

/** A peer that sends back what it gets; on 0xff it hangs up. */
export class EchoServer {
  readonly port: number;
  readonly #sockets: ReadonlySet<Socket>;

  private constructor(port: number, sockets: ReadonlySet<Socket>) {
    this.port = port;
    this.#sockets = sockets;
  }

  static async start(t: Cleanup): Promise<EchoServer> {
    const sockets = new Set<Socket>();
    const server: Server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
      socket.on('data', (bytes) => {
        if (bytes.includes(0xff)) socket.end();
        else socket.write(bytes);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    });
    return new EchoServer((server.address() as AddressInfo).port, sockets);
  }

  get connections(): number {
    return this.#sockets.size;
  }
}
