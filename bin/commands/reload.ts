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
    .option(
      '--keep-trips',
      'hold on what tripped rules hold, where the new configuration would let go of it (engineer)',
    )
    .action(
      action(async (options: GlobalOptions & { keepTrips?: boolean }) => {
        const { keepTrips = false } = options;
        const done = (await ask(socketOf(options), 'reload', { keepTrips })) as { text: string };
        if (options.json) printJson(done);
        else print(done.text);
      }),
    );
}
