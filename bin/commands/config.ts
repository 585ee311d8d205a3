import type { Command } from 'commander';
import { action } from '../context.js';
import type { MigrateOptions } from '../migrate/run.js';

const example = `
Example:
  millrace config migrate plant.yaml            what means something else
  millrace config migrate plant.yaml --write    and write what can be written

Exit code 0: nothing is left to do; 3: something is left for a person.
Each file that is written is kept as FILE.before-migrate.`;

/** `millrace config migrate FILE` */
export function config(program: Command): void {
  const group = program.command('config').description('adapt a configuration to a new version');
  group
    .command('migrate <file>')
    .description(
      'list settings whose meaning has changed since a version, with their places, and adapt the file',
    )
    .option('--from <version>', 'the version that ran this file', '0.1')
    .option('--write', 'change the file, with comments and layout preserved')
    .addHelpText('after', example)
    .action(
      action(async (options: MigrateOptions, file: string) => {
        const { migrateConfig } = await import('../migrate/run.js');
        await migrateConfig(options, file);
      }),
    );
}
