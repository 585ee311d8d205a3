import type { Command } from 'commander';
import { action } from '../context.js';
import type { TestOptions } from '../proving/test.js';

/** `millrace rules test FILE TESTS…` */
export function rules(program: Command): void {
  const group = program.command('rules').description('prove rules before they are armed');
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
}
