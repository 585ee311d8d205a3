import type { Command } from 'commander';
import { ask } from '../client.js';
import { type GlobalOptions, action, socketOf } from '../context.js';
import { print, printJson } from '../output.js';

/** `millrace reload` */
export function reload(program: Command): void {
  program
    .command('reload')
    .description(
      'read the configuration again; only what changed is restarted, a bad file is refused',
    )
    .action(
      action(async (options: GlobalOptions) => {
        const done = (await ask(socketOf(options), 'reload')) as { text: string };
        if (options.json) printJson(done);
        else print(done.text);
      }),
    );
}
