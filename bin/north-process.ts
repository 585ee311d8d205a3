import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { errorOf } from '../gateway/contract/index.js';
import type { SocketConfig } from '../gateway/config/model.js';
import { cloned, PipePort } from '../gateway/host/pipe-port.js';
import { limits } from '../gateway/limits.js';
import type { LogLevel } from '../gateway/run/log.js';
import type { NorthPort } from '../gateway/run/wall/field-wall.js';
import { WallCodec } from '../gateway/run/wall/block-codec.js';
import { startChild } from './child-process.js';

const program = fileURLToPath(new URL('./north.js', import.meta.url));

/** What that process is told by its command line. */
export interface NorthArgs {
  /** Path of the control socket. */
  readonly control: string;
  /** Further ones. */
  readonly sockets: readonly SocketConfig[];
  readonly level: LogLevel;
}

/** Starts and ends the processes of the half that stores and talks, one after another. */
export class NorthProcess {
  readonly #args: NorthArgs;
  #child: ChildProcess | undefined;

  constructor({ control, sockets, level }: NorthArgs) {
    this.#args = { control, sockets, level };
  }

  /** Another one; one that is left is killed. Settles when it has the lock; rejects where another gateway has it. */
  async start(): Promise<NorthPort> {
    await this.kill();
    const { child, pipe, failed } = startChild(program, this.#args, { nice: niceness });
    this.#child = child;
    const port = new PipePort(pipe ?? (await failed), new WallCodec(cloned).north);
    try {
      await Promise.race([listening(port), failed]);
    } catch (thrown) {
      await this.kill();
      throw thrown;
    }
    return port;
  }

  /** It was told to end: waits until it has, and kills it when it does not. */
  async ended(): Promise<void> {
    const child = this.#child;
    if (!child || isOver(child)) return;
    const timer = setTimeout(() => child.kill('SIGKILL'), limits.closeMs);
    await once(child, 'exit');
    clearTimeout(timer);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || isOver(child)) return;
    const over = once(child, 'exit');
    child.kill('SIGKILL');
    await over;
  }
}

/** Settles when it has the lock; rejects with why it has not. */
function listening(port: NorthPort): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    port.onMessage((message) => {
      if (message.kind === 'listening') resolve();
      else if (message.kind === 'refused') reject(errorOf(message.why));
    });
    port.onEnd(() => reject(errorOf(goneAtOnce)));
  });
}

const goneAtOnce = {
  code: 'half-down',
  message: 'the half that stores and talks ended as it began',
  fields: {},
} as const;

function isOver({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** A third of the processor time of the other half, where both want all of it. */
const niceness = 5;
