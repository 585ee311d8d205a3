import { type Socket, createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { type ByteStream, type Endpoint, GatewayError } from '../contract/index.js';
import { attempt } from './attempt.js';

/**
 * A connected UDP socket as a byte stream: each piece is one datagram, both ways, and only those of the
 * other side come. Nothing tells whether anybody is there.
 */
export function openUdp(endpoint: Endpoint, signal: AbortSignal): Promise<ByteStream> {
  const socket = createSocket(isIPv6(endpoint.host) ? 'udp6' : 'udp4');
  return attempt(
    signal,
    () => shut(socket),
    (end) => {
      const failed = (error: Error): void => {
        shut(socket);
        end.failed(unreachable(error, endpoint));
      };
      socket.once('error', failed);
      // A name that cannot be resolved comes here too, not only as an error event.
      socket.connect(endpoint.port, endpoint.host, (error?: Error) => {
        socket.removeAllListeners('error');
        if (error) failed(error);
        else end.opened(new UdpStream(socket, endpoint));
      });
    },
  );
}

class UdpStream implements ByteStream {
  readonly #socket: Socket;
  #onBytes: ((bytes: Uint8Array) => void) | undefined;
  #onEnd: ((why: GatewayError) => void) | undefined;
  #closed = false;

  constructor(socket: Socket, endpoint: Endpoint) {
    this.#socket = socket;
    socket.on('message', (bytes) => this.#onBytes?.(bytes));
    socket.on('error', (error) => {
      const handler = this.#onEnd;
      this.close();
      handler?.(unreachable(error, endpoint));
    });
  }

  onBytes(handler: (bytes: Uint8Array) => void): void {
    this.#onBytes = handler;
  }
  onEnd(handler: (why: GatewayError) => void): void {
    this.#onEnd = handler;
  }
  write(bytes: Uint8Array): void {
    if (!this.#closed) this.#socket.send(Buffer.from(bytes));
  }
  close(): void {
    this.#onBytes = undefined;
    this.#onEnd = undefined;
    if (this.#closed) return;
    this.#closed = true;
    shut(this.#socket);
  }
}

function shut(socket: Socket): void {
  socket.removeAllListeners();
  // What is still under way may fail after this; nobody waits for it any more.
  socket.on('error', () => undefined);
  socket.close();
}

function unreachable(error: Error, endpoint: Endpoint): GatewayError {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const kind = code === 'ECONNREFUSED' ? 'link-refused' : 'link-unreachable';
  return new GatewayError(kind, `${endpoint.text}: ${error.message}`, { code }, error);
}
