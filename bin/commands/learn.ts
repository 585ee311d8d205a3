import type { Command } from 'commander';
import { type GlobalOptions, action } from '../context.js';

/** `millrace learn FILE [LINK]` */
export function learn(program: Command): void {
  program
    .command('learn <file> [link]')
    .description('ask devices what they have: tags of folders, units and spans')
    .addHelpText(
      'after',
      '\nFor links with expand: or learnUnits:. What they say is kept beside the journal (learned/LINK.json) and is part\n' +
        'of the configuration from then on. The gateway asks by itself when it starts, but only adds; this takes away too\n' +
        'what a device no longer has. A running gateway takes it over with millrace reload.',
    )
    .action(
      action(async (options: GlobalOptions, file: string, link: string | undefined) => {
        const { learnCommand } = await import('../survey.js');
        await learnCommand(options, file, link);
      }),
    );
}
