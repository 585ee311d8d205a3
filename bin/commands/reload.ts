import type { Command } from 'commander';
import { ask } from '../client.js';
import { type GlobalOptions, action, socketOf } from '../context.js';
import { print, printJson } from '../output.js';

/** `millrace reload` */
export function reload(program: Command): void {
  program
    .command('reload')
    .description(
      'load the configuration again; only changed parts restart, a faulty file is refused',
    )
    .option(
      '--keep-trips',
      'keep holding outputs that the new configuration would take from a trip (engineer)',
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
