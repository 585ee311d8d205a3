import { type Socket, createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { type ByteStream, type Endpoint, GatewayError } from '../contract/index.js';
import { abortReason } from './abort.js';

/**
 * A connected UDP socket as a byte stream: each piece is one datagram, both ways, and only those of the
 * other side come. Nothing tells whether anybody is there.
 */
export function openUdp(endpoint: Endpoint, signal: AbortSignal): Promise<ByteStream> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(endpoint.host) ? 'udp6' : 'udp4');
    const abort = (): void => {
      shut(socket);
      reject(abortReason(signal));
    };
    if (signal.aborted) {
      abort();
      return;
    }
    signal.addEventListener('abort', abort, { once: true });
    socket.once('error', (error) => {
      signal.removeEventListener('abort', abort);
      shut(socket);
      reject(unreachable(error, endpoint));
    });
    // A name that cannot be resolved comes here too, not only as an error event.
    socket.connect(endpoint.port, endpoint.host, (error?: Error) => {
      signal.removeEventListener('abort', abort);
      socket.removeAllListeners('error');
      if (error) {
        shut(socket);
        reject(unreachable(error, endpoint));
      } else resolve(new UdpStream(socket, endpoint));
    });
  });
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
