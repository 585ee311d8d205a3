import type { Command } from 'commander';
import { type GlobalOptions, action } from '../context.js';
import type { ReplayOptions } from '../proving/replay.js';
import type { TestOptions } from '../proving/test.js';

/** `millrace rules check|test|replay|explain FILE …` */
export function rules(program: Command): void {
  const group = program.command('rules').description('prove rules before they are armed');
  group
    .command('check <file>')
    .description('check rules: problems, remarks and response times')
    .action(
      action(async (options: GlobalOptions, file: string) => {
        const { checkRules } = await import('../proving/check.js');
        await checkRules(options, file);
      }),
    );
  group
    .command('test <file> <tests...>')
    .description('run test files against the rules of a configuration, without devices')
    .option(
      '--mutate',
      'make deliberate mistakes in the rules and see whether the tests catch them',
    )
    .action(
      action(async (options: TestOptions, file: string, tests: string[]) => {
        const { testRules } = await import('../proving/test.js');
        await testRules(options, file, tests);
      }),
    );
  group
    .command('replay <file>')
    .description(
      'run recorded data through the rules without writing; default: data of the running gateway (journal.history.keep)',
    )
    .option('--data <csv>', 'samples: time, tag, value[, quality], or one column per tag')
    .option('--journal <path>', 'journal of a stopped gateway, or a copy')
    .option('--speed <times>', 'multiple of real time, such as 1; default: as fast as possible')
    .option(
      '--change <rule.key=text...>',
      'try this change of a rule: lists trips added and removed',
    )
    .option('--why <rule>', 'explain the state of this rule, instead of trips and alarms')
    .option(
      '--at <time>',
      'with --why: time, 14:03:20 (on the last day of the record) or 2026-05-01T14:03; default: its end',
    )
    .option('--all', 'print every event, not only trips and alarms')
    .action(
      action(async (options: ReplayOptions, file: string) => {
        const { replayRules } = await import('../proving/replay.js');
        await replayRules(options, file);
      }),
    );
  group
    .command('explain <file> <rule>')
    .description('describe a rule in sentences')
    .action(
      action(async (options: GlobalOptions, file: string, rule: string) => {
        const { explainRule } = await import('../proving/check.js');
        await explainRule(options, file, rule);
      }),
    );
}
