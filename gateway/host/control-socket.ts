import { chmod, rm } from 'node:fs/promises';
import { type Server, type Socket, connect, createServer } from 'node:net';
import { type Clock, GatewayError, asGatewayError, isMap } from '../contract/index.js';
import { limits } from '../limits.js';
import { systemClock } from './clock.js';
import { ControlClient, refusal, turnAway } from './control-client.js';
import { makeFolderOf } from './files.js';
import { Turns } from './turns.js';

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
  readonly #clock: Clock;
  readonly #turns: Turns;
  readonly #clients = new Set<ControlClient>();

  private constructor(server: Server, path: string, clock: Clock) {
    this.#server = server;
    this.#path = path;
    this.#clock = clock;
    this.#turns = new Turns(clock, limits.controlRest, limits.controlRestMs);
  }

  /** Listens at `path`; a file left by a gateway that died is replaced, a live one is respected. */
  static async listen(
    path: string,
    handler: ControlHandler,
    clock: Clock = systemClock,
  ): Promise<ControlSocket> {
    await makeFolderOf(path);
    if (await answers(path)) {
      throw new GatewayError('config-invalid', `another gateway answers on ${path}`);
    }
    await rm(path, { force: true });
    // Who has said all may still wait for the answer.
    const server = createServer({ allowHalfOpen: true });
    const control = new ControlSocket(server, path, clock);
    server.on('connection', (socket) => control.#serve(socket, handler));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    await chmod(path, 0o660);
    return control;
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.end();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await rm(this.#path, { force: true });
  }

  #serve(socket: Socket, handler: ControlHandler): void {
    if (!this.#hasRoom()) {
      turnAway(socket);
      return;
    }
    const client = new ControlClient(
      socket,
      (line, isWanted) => answer(line, handler, { turns: this.#turns, isWanted }),
      this.#clock,
    );
    this.#clients.add(client);
    socket.on('close', () => this.#clients.delete(client));
  }

  /** Who has asked nothing for longest makes room for who has something to ask. */
  #hasRoom(): boolean {
    if (this.#clients.size < limits.controlClients) return true;
    // Of who has just come the request is on its way.
    const before = this.#clock.mono() - limits.controlGraceMs;
    const [idlest] = [...this.#clients]
      .filter(({ idleSince }) => idleSince !== undefined && idleSince <= before)
      .sort((a, b) => (a.idleSince ?? 0) - (b.idleSince ?? 0));
    if (!idlest) return false;
    idlest.end();
    this.#clients.delete(idlest);
    return true;
  }
}

/** When something may be done for a client, and whether it still waits for it. */
interface Way {
  readonly turns: Turns;
  readonly isWanted: () => boolean;
}

/** @returns nothing where nobody waits for it any more: then it was not asked either */
async function answer(
  line: string,
  handler: ControlHandler,
  { turns, isWanted }: Way,
): Promise<string | undefined> {
  let id: string | number | null = null;
  try {
    const request = await turns.take(() => JSON.parse(line) as unknown, isWanted);
    if (request === undefined) return undefined;
    if (!isMap(request)) throw new GatewayError('bad-request', 'a request must be an object');
    const { op, args = {}, who } = request;
    // Nothing else is given back: it may be nested so deeply that it cannot be written.
    if (typeof request['id'] === 'string' || typeof request['id'] === 'number') id = request['id'];
    if (typeof op !== 'string') throw new GatewayError('bad-request', 'op must be a text');
    if (!isMap(args)) throw new GatewayError('bad-request', 'args must be an object');
    const name = typeof who === 'string' ? who.slice(0, 64) : 'cli';
    // A promise would be waited for by `take` as well: who waits for a device holds up nobody.
    const asked = await turns.take(() => ({ begun: handler(op, args, name) }), isWanted);
    if (!asked) return undefined;
    const result = (await asked.begun) ?? null;
    return await turns.take(() => `${JSON.stringify({ id, ok: true, result })}\n`, isWanted);
  } catch (thrown) {
    const error =
      thrown instanceof SyntaxError
        ? new GatewayError('bad-request', 'not JSON')
        : asGatewayError(thrown);
    return refusal(id, error);
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
