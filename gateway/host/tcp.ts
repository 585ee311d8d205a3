import { type Socket, connect, isIP } from 'node:net';
import { type TLSSocket, checkServerIdentity, connect as connectTls } from 'node:tls';
import { type ByteStream, type Endpoint, GatewayError } from '../contract/index.js';
import { attempt } from './attempt.js';

/** Bytes taken from the kernel at once; one buffer a connection, used again for every read. */
const readBytes = 16_384;

/** Opens a TCP connection. Rejects with `link-refused`, `link-unreachable` or the reason of the abort. */
export function openTcp(endpoint: Endpoint, signal: AbortSignal): Promise<ByteStream> {
  const stream = new SocketStream();
  const socket = connect({
    host: endpoint.host,
    port: endpoint.port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 10_000,
    onread: {
      buffer: new Uint8Array(readBytes),
      callback: (length, buffer) => {
        stream.received(buffer.subarray(0, length));
        return true;
      },
    },
  });
  return whenOpen(stream, socket, 'connect', endpoint, signal);
}

/**
 * Opens a TLS connection; the certificate of the other side must be signed by `tls.ca` and name the
 * host. Rejects as {@link openTcp}, and with `auth-failed` where a certificate is refused.
 */
export function openTls(endpoint: Endpoint, signal: AbortSignal): Promise<ByteStream> {
  const { ca, cert, key, serverName = endpoint.host } = endpoint.tls ?? {};
  const stream = new SocketStream();
  let socket: TLSSocket;
  try {
    socket = connectTls({
      host: endpoint.host,
      port: endpoint.port,
      minVersion: 'TLSv1.2',
      ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
      checkServerIdentity: (_host, certificate) => checkServerIdentity(serverName, certificate),
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    });
  } catch (error) {
    // Node parses the certificates here.
    return Promise.reject(refusal(error as Error, endpoint));
  }
  socket.setNoDelay(true);
  socket.setKeepAlive(true, 10_000);
  socket.on('data', (bytes: Uint8Array) => stream.received(bytes));
  return whenOpen(stream, socket, 'secureConnect', endpoint, signal);
}

function whenOpen(
  stream: SocketStream,
  socket: Socket,
  opened: 'connect' | 'secureConnect',
  endpoint: Endpoint,
  signal: AbortSignal,
): Promise<ByteStream> {
  return attempt(
    signal,
    () => socket.destroy(),
    (end) => {
      socket.once('error', (error) => end.failed(refusal(error, endpoint)));
      socket.once(opened, () => {
        socket.removeAllListeners('error');
        stream.attach(socket, endpoint);
        end.opened(stream);
      });
    },
  );
}

class SocketStream implements ByteStream {
  #socket: Socket | undefined;
  #onBytes: ((bytes: Uint8Array) => void) | undefined;
  #onEnd: ((why: GatewayError) => void) | undefined;

  attach(socket: Socket, endpoint: Endpoint): void {
    this.#socket = socket;
    socket.on('error', (error) => this.#end(refusal(error, endpoint)));
    socket.on('end', () => this.#end(closedBy(endpoint)));
    socket.on('close', () => this.#end(closedBy(endpoint)));
  }

  received(bytes: Uint8Array): void {
    this.#onBytes?.(bytes);
  }
  onBytes(handler: (bytes: Uint8Array) => void): void {
    this.#onBytes = handler;
  }
  onEnd(handler: (why: GatewayError) => void): void {
    this.#onEnd = handler;
  }

  write(bytes: Uint8Array): void {
    // The contract lets the caller use its bytes again at once; the socket may still hold them.
    this.#socket?.write(Buffer.from(bytes));
  }

  close(): void {
    this.#onBytes = undefined;
    this.#onEnd = undefined;
    this.#socket?.destroy();
  }

  #end(why: GatewayError): void {
    const handler = this.#onEnd;
    this.close();
    handler?.(why);
  }
}

function closedBy(endpoint: Endpoint): GatewayError {
  return new GatewayError('link-closed', `${endpoint.text} closed the connection`);
}

function refusal(error: Error, endpoint: Endpoint): GatewayError {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (code === 'ECONNREFUSED') {
    return new GatewayError(
      'link-refused',
      `${endpoint.text} refuses the connection`,
      { code },
      error,
    );
  }
  if (/^ERR_(TLS|SSL|OSSL)|^CERT_|_CERT|SELF_SIGNED|UNABLE_TO_/.test(code)) {
    return new GatewayError('auth-failed', `${endpoint.text}: ${error.message}`, { code }, error);
  }
  if (code === 'ECONNRESET' || code === 'EPIPE') {
    return new GatewayError(
      'link-closed',
      `${endpoint.text} reset the connection`,
      { code },
      error,
    );
  }
  return new GatewayError(
    'link-unreachable',
    `${endpoint.text}: ${error.message}`,
    { code },
    error,
  );
}
