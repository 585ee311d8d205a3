import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { GatewayError } from '../../gateway/contract/index.js';
import { Child, type Exit } from './child.js';
import type { Cleanup } from './scratch.js';

interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** A process that stands for a device, a broker or a consumer; asked and answered by JSON lines. */
export class Helper<Ready> {
  readonly child: Child;
  readonly ready: Ready;
  readonly #waiting: Map<number, (reply: Reply) => void>;
  #id = 0;

  private constructor(child: Child, ready: Ready, waiting: Map<number, (reply: Reply) => void>) {
    this.child = child;
    this.ready = ready;
    this.#waiting = waiting;
  }

  /** Starts `test/support/NAME-main.js`; settles when it says that it is ready. */
  static start<Ready>(
    t: Cleanup,
    name: string,
    args: readonly (string | number)[],
  ): Promise<Helper<Ready>> {
    const script = fileURLToPath(new URL(`${name}-main.js`, import.meta.url));
    return Helper.of(t, name, new Child([script, ...args.map(String)]));
  }

  /** A process that speaks the same; settles when it says that it is ready. */
  static of<Ready>(t: Cleanup, name: string, child: Child): Promise<Helper<Ready>> {
    t.teardown(() => child.kill());
    const waiting = new Map<number, (reply: Reply) => void>();
    return new Promise((resolve, reject) => {
      waiting.set(0, ({ result }) => resolve(new Helper(child, result as Ready, waiting)));
      child.onLine((line) => {
        const reply = JSON.parse(line) as Reply;
        waiting.get(reply.id)?.(reply);
        waiting.delete(reply.id);
      });
      void child.exit.then(({ code }) => {
        const why = `${name} ended with ${String(code)}: ${child.stderr.join('\n')}`;
        reject(new GatewayError('internal', why));
        for (const [id, give] of waiting) give({ id, error: why });
      });
    });
  }

  ask(op: string, ...args: readonly unknown[]): Promise<unknown> {
    const id = ++this.#id;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ result, error }) => {
        if (error === undefined) resolve(result);
        else reject(new GatewayError('internal', error));
      });
      this.child.write(JSON.stringify({ id, op, args }));
    });
  }

  kill(): Promise<Exit> {
    return this.child.kill();
  }
}

type Handler = (...args: readonly unknown[]) => unknown;

/** Inside a helper: says that it is ready, answers until its parent is gone. */
export function serve(ready: unknown, handlers: Readonly<Record<string, Handler>>): void {
  const say = (reply: Reply): void => {
    process.stdout.write(`${JSON.stringify(reply)}\n`);
  };
  const lines = createInterface({ input: process.stdin });
  lines.on('close', () => process.exit(0));
  lines.on('line', (line) => {
    const { id, op, args } = JSON.parse(line) as { id: number; op: string; args: unknown[] };
    Promise.resolve()
      .then(() => handlers[op]?.(...args))
      .then(
        (result) => say({ id, result: result ?? null }),
        (error: unknown) => say({ id, error: String(error) }),
      );
  });
  say({ id: 0, result: ready });
}
