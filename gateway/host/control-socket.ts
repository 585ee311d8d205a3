import { chmod, rm } from 'node:fs/promises';
import { type Server, type Socket, connect, createServer } from 'node:net';
import { GatewayError, asGatewayError, isMap } from '../contract/index.js';
import { limits } from '../limits.js';
import { makeFolderOf } from './files.js';

export type ControlHandler = (
  op: string,
  args: Record<string, unknown>,
  who: string,
) => Promise<unknown>;

/**
 * The Unix socket of the command line: one JSON object a line, both ways. Whoever may open the file (owner
 * and group) may use it; nothing listens on the network.
 */
export class ControlSocket {
  readonly #server: Server;
  readonly #path: string;
  readonly #clients = new Set<Socket>();

  private constructor(server: Server, path: string) {
    this.#server = server;
    this.#path = path;
  }

  /** Listens at `path`; a file left by a gateway that died is replaced, a live one is respected. */
  static async listen(path: string, handler: ControlHandler): Promise<ControlSocket> {
    await makeFolderOf(path);
    if (await answers(path)) {
      throw new GatewayError('config-invalid', `another gateway answers on ${path}`);
    }
    await rm(path, { force: true });
    const server = createServer();
    const control = new ControlSocket(server, path);
    server.maxConnections = limits.controlClients;
    server.on('connection', (socket) => control.#serve(socket, handler));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    await chmod(path, 0o660);
    return control;
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await rm(this.#path, { force: true });
  }

  #serve(socket: Socket, handler: ControlHandler): void {
    this.#clients.add(socket);
    let text = '';
    socket.setEncoding('utf8');
    socket.on('close', () => this.#clients.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.length > limits.controlBytes) {
        socket.destroy();
        return;
      }
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines)
        void answer(line, handler).then((reply) => socket.writable && socket.write(reply));
    });
  }
}

async function answer(line: string, handler: ControlHandler): Promise<string> {
  let id: string | number | null = null;
  try {
    const request = JSON.parse(line) as unknown;
    if (!isMap(request)) throw new GatewayError('bad-request', 'a request must be an object');
    const { op, args = {}, who } = request;
    // Nothing else is given back: it may be nested so deeply that it cannot be written.
    if (typeof request['id'] === 'string' || typeof request['id'] === 'number') id = request['id'];
    if (typeof op !== 'string') throw new GatewayError('bad-request', 'op must be a text');
    if (!isMap(args)) throw new GatewayError('bad-request', 'args must be an object');
    const result = await handler(op, args, typeof who === 'string' ? who.slice(0, 64) : 'cli');
    return `${JSON.stringify({ id, ok: true, result: result ?? null })}\n`;
  } catch (thrown) {
    const error =
      thrown instanceof SyntaxError
        ? new GatewayError('bad-request', 'not JSON')
        : asGatewayError(thrown);
    const { code, kind, message, advice } = error;
    return `${JSON.stringify({ id, ok: false, error: { code, kind, message, advice } })}\n`;
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}
