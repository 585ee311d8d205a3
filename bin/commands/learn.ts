import type { Command } from 'commander';
import { type GlobalOptions, action } from '../context.js';

/** `millrace learn FILE [LINK]` */
export function learn(program: Command): void {
  program
    .command('learn <file> [link]')
    .description('ask devices for their tags, units and spans')
    .addHelpText(
      'after',
      '\nFor links with expand: or learnUnits:. The result is kept beside the journal (learned/LINK.json) and belongs\n' +
        'to the configuration from then on. The gateway also asks at its start, but only adds tags; this command also\n' +
        'removes tags that a device no longer has. A running gateway applies the result after millrace reload.',
    )
    .action(
      action(async (options: GlobalOptions, file: string, link: string | undefined) => {
        const { learnCommand } = await import('../survey.js');
        await learnCommand(options, file, link);
      }),
    );
}
