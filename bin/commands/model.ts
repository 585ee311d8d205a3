import type { Command } from 'commander';
import { action } from '../context.js';
import type { FitOptions } from '../proving/fit.js';

/** `millrace model fit FILE` */
export function model(program: Command): void {
  const group = program.command('model').description('what was normal, from recorded data');
  group
    .command('fit <file>')
    .description(
      'baselines and models of several variables, as elements of a rule file. Without --data or --journal: from what the running gateway still has',
    )
    .option('--data <csv>', 'samples of a good time: time, tag, value, or one column a tag')
    .option('--journal <path>', 'the journal of a gateway that is stopped, or a copy of one')
    .option('--baselines <name...>', 'such as VT101.sd, or a signal: its mean')
    .option('--model <name>', 'a principal-component model for t2(), spe() and contrib()')
    .option('--tags <a,b,c>', 'its variables: tags and signals')
    .option('--explain <share>', 'share of the variance that its components hold', '90 %')
    .option('--out <file>', 'write the elements to this file; else they are printed')
    .action(
      action(async (options: FitOptions, file: string) => {
        const { fit } = await import('../proving/fit.js');
        await fit(options, file);
      }),
    );
}
