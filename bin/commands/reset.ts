import type { Command } from 'commander';
import { ask } from '../client.js';
import { type GlobalOptions, action, socketOf } from '../context.js';
import { Exit } from '../exit.js';
import { CliError, print, printJson } from '../output.js';

interface ResetOptions extends GlobalOptions {
  readonly memoryLost?: boolean;
}

async function resetLost(options: ResetOptions): Promise<void> {
  const done = (await ask(socketOf(options), 'reset', { memoryLost: true })) as {
    readonly reset: readonly string[];
    readonly refused: Readonly<Record<string, string>>;
  };
  if (options.json) {
    printJson(done);
    return;
  }
  const refused = Object.entries(done.refused);
  for (const rule of done.reset) print(`${rule}: reset`);
  for (const [rule, reason] of refused) print(`${rule}: refused: ${reason}`);
  if (done.reset.length + refused.length === 0) print('no rule is tripped for a lost memory');
}

/** `millrace reset RULE` */
export function reset(program: Command): void {
  program
    .command('reset [rule]')
    .description(
      'reset a latched interlock, or an order without a rule; refused while its cause is present',
    )
    .option(
      '--memory-lost',
      'reset all rules that are tripped because their memory was lost (engineer)',
    )
    .action(
      action(async (options: ResetOptions, rule: string | undefined) => {
        if (options.memoryLost === true) {
          await resetLost(options);
          return;
        }
        if (rule === undefined)
          throw new CliError('what is to be reset?', 'millrace reset RULE', Exit.usage);
        const done = await ask(socketOf(options), 'reset', { rule });
        if (options.json) printJson(done);
        else print(`${rule}: reset`);
      }),
    );
}
