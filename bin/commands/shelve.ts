import type { Command } from 'commander';
import { ask } from '../client.js';
import { type GlobalOptions, action, socketOf } from '../context.js';
import { Exit } from '../exit.js';
import { CliError, print, printJson } from '../output.js';

interface Options extends GlobalOptions {
  readonly for?: string;
  readonly reason?: string;
  readonly once?: boolean;
  readonly end?: boolean;
}

/** `millrace shelve ALARM --for 1h --reason TEXT`, `--once`, `--end` */
export function shelve(program: Command): void {
  program
    .command('shelve <alarm>')
    .description('put an alarm away for a time')
    .option('--for <time>', 'how long, such as 1h; it comes back by itself')
    .option('--reason <text>', 'why; kept in the audit and shown with the alarm')
    .option('--once', 'it comes back as soon as its cause has gone once')
    .option('--end', 'take it off the shelf')
    .action(
      action(async (options: Options, alarm: string) => {
        const isEnd = options.end === true;
        const { reason, once } = options;
        if (!isEnd && (options.for === undefined || reason === undefined))
          throw new CliError('shelving needs --for and --reason', 'or --end', Exit.usage);
        const args = isEnd ? { alarm } : { alarm, for: options.for, reason, once };
        const done = await ask(socketOf(options), isEnd ? 'unshelve' : 'shelve', args);
        if (options.json) printJson(done);
        else print(isEnd ? `${alarm}: unshelved` : `${alarm}: shelved for ${options.for ?? ''}`);
      }),
    );
}
