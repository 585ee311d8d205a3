import type { Command } from 'commander';
import { action } from '../context.js';
import type { FitOptions } from '../proving/fit.js';

/** `millrace model fit FILE` */
export function model(program: Command): void {
  const group = program.command('model').description('learn normal behaviour from recorded data');
  group
    .command('fit <file>')
    .description(
      'compute baselines and models as items of a rule file; without --data or --journal from the data of the running gateway',
    )
    .option('--data <csv>', 'samples of normal operation: time, tag, value, or one column per tag')
    .option('--journal <path>', 'journal of a stopped gateway, or a copy')
    .option('--baselines <name...>', 'such as VT101.sd; for a signal, its mean')
    .option('--model <name>', 'name of a principal-component model for t2(), spe() and contrib()')
    .option('--tags <a,b,c>', 'variables of the model: tags and signals')
    .option('--explain <share>', 'share of the variance that the components explain', '90 %')
    .option('--out <file>', 'write the items to this file instead of printing them')
    .action(
      action(async (options: FitOptions, file: string) => {
        const { fit } = await import('../proving/fit.js');
        await fit(options, file);
      }),
    );
}
