import type { Command } from 'commander';
import { type GlobalOptions, action } from '../context.js';
import type { ReplayOptions } from '../proving/replay.js';
import type { TestOptions } from '../proving/test.js';

/** `millrace rules check|test|replay|explain FILE …` */
export function rules(program: Command): void {
  const group = program.command('rules').description('prove rules before they are armed');
  group
    .command('check <file>')
    .description('problems, remarks of a careful colleague, and response times')
    .action(
      action(async (options: GlobalOptions, file: string) => {
        const { checkRules } = await import('../proving/check.js');
        await checkRules(options, file);
      }),
    );
  group
    .command('test <file> <tests...>')
    .description('run test files against the rules of a configuration, without devices')
    .option('--mutate', 'make slips in the rules and see whether the tests notice')
    .action(
      action(async (options: TestOptions, file: string, tests: string[]) => {
        const { testRules } = await import('../proving/test.js');
        await testRules(options, file, tests);
      }),
    );
  group
    .command('replay <file>')
    .description(
      'run recorded data through the rules; nothing is written. Without --data or --journal: what the running gateway still has (journal.history.keep)',
    )
    .option('--data <csv>', 'samples: time, tag, value[, quality], or one column a tag')
    .option('--journal <path>', 'the journal of a gateway that is stopped, or a copy of one')
    .option('--speed <times>', 'at so many times the speed of the record, such as 1; else at once')
    .option('--change <rule.key=text...>', 'what if a rule said this: trips added and removed')
    .option('--why <rule>', 'why the rule was as it was, instead of trips and alarms')
    .option(
      '--at <time>',
      'with --why: when, 14:03:20 (on the day of its end) or 2026-05-01T14:03; else at the end',
    )
    .option('--all', 'every event, not only trips and alarms')
    .action(
      action(async (options: ReplayOptions, file: string) => {
        const { replayRules } = await import('../proving/replay.js');
        await replayRules(options, file);
      }),
    );
  group
    .command('explain <file> <rule>')
    .description('what a rule does, in sentences')
    .action(
      action(async (options: GlobalOptions, file: string, rule: string) => {
        const { explainRule } = await import('../proving/check.js');
        await explainRule(options, file, rule);
      }),
    );
}
