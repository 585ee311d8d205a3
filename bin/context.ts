import { resolve } from 'node:path';
import type { Command } from 'commander';
import { report } from './output.js';

/** Options that every command has. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly socket?: string;
}

/** Where a gateway started in this folder listens, unless its configuration says otherwise. */
export const defaultSocket = 'millrace-data/control.sock';

export function socketOf(options: GlobalOptions): string {
  return resolve(options.socket ?? process.env['MILLRACE_SOCKET'] ?? defaultSocket);
}

/**
 * Wraps the body of a command: errors become a message and an exit code. `body` gets the arguments and all
 * options, the global ones included.
 */
export function action(
  body: (options: never, ...args: never[]) => Promise<void> | void,
): (...raw: unknown[]) => Promise<void> {
  return async (...raw) => {
    const command = raw.at(-1) as Command;
    const options = command.optsWithGlobals<GlobalOptions>();
    try {
      await body(options as never, ...(raw.slice(0, -2) as never[]));
    } catch (thrown) {
      report(thrown, options.json === true);
    }
  };
}
