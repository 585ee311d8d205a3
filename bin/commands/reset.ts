import type { Command } from 'commander';
import { ask } from '../client.js';
import { type GlobalOptions, action, socketOf } from '../context.js';
import { print, printJson } from '../output.js';

/** `millrace reset RULE` */
export function reset(program: Command): void {
  program
    .command('reset <rule>')
    .description('reset a latched interlock; refused while its cause stands')
    .action(
      action(async (options: GlobalOptions, rule: string) => {
        const done = await ask(socketOf(options), 'reset', { rule });
        if (options.json) printJson(done);
        else print(`${rule}: reset`);
      }),
    );
}
