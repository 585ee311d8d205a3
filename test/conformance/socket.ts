import { connect, type Socket } from 'node:net';
import { GatewayError, type ByteStream, type Endpoint } from '../../gateway/contract/index.js';

/** A byte stream over a connected TCP socket, for tests against programs that nobody here wrote. */
export function socketStream(socket: Socket): ByteStream {
  let onBytes: (bytes: Uint8Array) => void = () => undefined;
  let onEnd: (why: GatewayError) => void = () => undefined;
  let over = false;
  const finish = (why: string, cause?: unknown): void => {
    if (over) return;
    over = true;
    socket.destroy();
    onEnd(new GatewayError('link-closed', why, {}, cause));
  };
  socket.setNoDelay(true);
  socket.on('data', (bytes) => {
    if (!over) onBytes(bytes);
  });
  socket.on('error', (error) => finish('the connection broke', error));
  socket.on('end', () => finish('the other side closed the connection'));
  socket.on('close', () => finish('the connection is closed'));
  return {
    onBytes: (handler) => {
      onBytes = handler;
    },
    onEnd: (handler) => {
      onEnd = handler;
    },
    write: (bytes) => {
      // The stream may keep no reference, and a socket does until the bytes are out.
      if (!over) socket.write(bytes.slice());
    },
    close: () => {
      over = true;
      socket.destroy();
    },
  };
}

/** Connects to `endpoint`; what `DriverContext.open` does on a real network. */
export function openSocket(endpoint: Endpoint, signal: AbortSignal): Promise<ByteStream> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: endpoint.host, port: endpoint.port });
    const onAbort = (): void => {
      socket.destroy();
      reject(new GatewayError('aborted', 'the connection attempt was given up'));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    const done = (): void => {
      signal.removeEventListener('abort', onAbort);
      socket.removeAllListeners();
    };
    socket.once('connect', () => {
      done();
      resolve(socketStream(socket));
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      done();
      const code = error.code === 'ECONNREFUSED' ? 'link-refused' : 'link-unreachable';
      reject(new GatewayError(code, `cannot connect: ${error.message}`, {}, error));
    });
  });
}
