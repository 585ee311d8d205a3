import type { Command } from 'commander';
import { ask } from '../client.js';
import { type GlobalOptions, action, socketOf } from '../context.js';
import { Exit } from '../exit.js';
import { CliError, print, printJson } from '../output.js';

interface Options extends GlobalOptions {
  readonly out?: boolean;
  readonly in?: boolean;
  readonly reason?: string;
}

/** `millrace service ALARM --out --reason TEXT`, `--in` */
export function service(program: Command): void {
  program
    .command('service <alarm>')
    .description('take an alarm out of service, or return it')
    .option('--out', 'take out of service until it is returned')
    .option('--in', 'return to service')
    .option('--reason <text>', 'reason, kept in the audit and shown with the alarm')
    .action(
      action(async (options: Options, alarm: string) => {
        const isOut = options.out === true;
        if (isOut === (options.in === true))
          throw new CliError('say --out or --in', '--out needs a --reason', Exit.usage);
        if (isOut && options.reason === undefined)
          throw new CliError('out of service needs a --reason', '', Exit.usage);
        const op = isOut ? 'out-of-service' : 'in-service';
        const done = await ask(socketOf(options), op, { alarm, reason: options.reason });
        if (options.json) printJson(done);
        else print(`${alarm}: ${isOut ? 'out of service' : 'back in service'}`);
      }),
    );
}
