import type { Command } from 'commander';
import { ask } from '../client.js';
import { type GlobalOptions, action, socketOf } from '../context.js';
import { Exit } from '../exit.js';
import { CliError, print, printJson } from '../output.js';

interface Options extends GlobalOptions {
  readonly input?: string;
  readonly for?: string;
  readonly reason?: string;
  readonly end?: boolean;
}

/** `millrace bypass RULE --for 2h --reason TEXT`, `--input TAG`, `--end` */
export function bypass(program: Command): void {
  program
    .command('bypass <rule>')
    .description('bypass an interlock, or one of its inputs, for a limited time')
    .option('--input <tag>', 'bypass only this tag; default: the whole rule')
    .option('--for <time>', 'how long, such as 2h; the bypass ends automatically')
    .option('--reason <text>', 'reason, kept in the audit and shown with the alarm')
    .option('--end', 'end the bypass early')
    .action(
      action(async (options: Options, rule: string) => {
        const { input, reason } = options;
        if (options.end !== true && (options.for === undefined || reason === undefined))
          throw new CliError('a bypass needs --for and --reason', 'or --end', Exit.usage);
        const op = options.end === true ? 'unbypass' : 'bypass';
        const done = await ask(socketOf(options), op, { rule, input, for: options.for, reason });
        const what = input === undefined ? rule : `${input} of ${rule}`;
        if (options.json) printJson(done);
        else
          print(
            options.end === true
              ? `${what}: bypass ended`
              : `${what}: bypassed for ${options.for ?? ''}`,
          );
      }),
    );
}
