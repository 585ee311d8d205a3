import type { Command } from 'commander';
import { ask } from '../client.js';
import { type GlobalOptions, action, socketOf } from '../context.js';
import { print, printJson, valueText } from '../output.js';

/** `millrace write TAG VALUE` */
export function write(program: Command): void {
  program
    .command('write <tag> <value>')
    .description('write a tag: checked against its permission, audited and read back')
    .option('--expect <value>', 'refuse unless the tag has this value now')
    .addHelpText(
      'after',
      '\nOnly tags under `writes:` with `allow: [operator]` can be written. A trip always wins.\n' +
        'This is not a safety instrumented system.',
    )
    .action(
      action(async (options: GlobalOptions & { expect?: string }, tag: string, value: string) => {
        const args = {
          tag,
          value,
          ...(options.expect === undefined ? {} : { expect: options.expect }),
        };
        const done = (await ask(socketOf(options), 'write', args)) as {
          before: unknown;
          after: unknown;
          verified: boolean;
        };
        const seen = done.verified ? 'verified' : 'taken by the device; nobody reads it back';
        if (options.json) printJson(done);
        else print(`${tag}: ${valueText(done.before)} -> ${valueText(done.after)}, ${seen}`);
      }),
    );
}
