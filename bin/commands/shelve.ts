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
    .description('shelve an alarm for a limited time')
    .option('--for <time>', 'how long, such as 1h; shelving ends automatically')
    .option('--reason <text>', 'reason, kept in the audit and shown with the alarm')
    .option('--once', 'also end as soon as the cause has gone once')
    .option('--end', 'end the shelving early')
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
