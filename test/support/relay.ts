import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';

/** Passes TCP connections on, until told otherwise: a cable that can be cut, or go dead without a word. */
export class Relay {
  readonly #target: number;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #dead = false;

  constructor(target: number) {
    this.#target = target;
  }

  get port(): number {
    return (this.#server?.address() as AddressInfo | null)?.port ?? 0;
  }

  /** Listens on `port`; 0 takes any free one. */
  open(port: number): Promise<void> {
    const server = createServer((from) => {
      const to = connect(this.#target, '127.0.0.1');
      this.#join(from, to);
      this.#join(to, from);
    });
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
  }

  /** Cuts every connection and takes no new one. */
  close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => {
      if (server) server.close(() => resolve());
      else resolve();
    });
  }

  /** Connections stand, but nothing comes through: not a byte, not a reset. */
  silence(dead: boolean): void {
    this.#dead = dead;
    // What was held back is gone: the other side must not get it late.
    if (!dead) for (const socket of this.#sockets) socket.destroy();
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (bytes) => {
      if (!this.#dead) to.write(bytes);
    });
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}
