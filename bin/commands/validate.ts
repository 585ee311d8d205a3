import type { Command } from 'commander';
import { type GlobalOptions, action } from '../context.js';
import { Exit } from '../exit.js';
import { print, printJson } from '../output.js';

/** `millrace validate FILE` */
export function validate(program: Command): void {
  program
    .command('validate <file>')
    .description(
      'check a configuration and its rules: all problems at once, with file, line and a hint',
    )
    .action(
      action(async (options: GlobalOptions, file: string) => {
        const { loadAll } = await import('../load.js');
        const { formatProblem } = await import('../../gateway/config/format.js');
        const loaded = await loadAll(file);
        const problems = loaded.ok ? loaded.warnings : loaded.problems;
        if (!loaded.ok) process.exitCode = Exit.config;
        if (options.json) {
          printJson({ ok: loaded.ok, problems });
          return;
        }
        for (const problem of problems) print(formatProblem(problem));
        if (!loaded.ok) {
          const errors = problems.filter(({ severity }) => severity === 'error').length;
          print(`${file}: ${String(errors)} problem(s)`);
          return;
        }
        const { config, plan } = loaded;
        print(
          `${file}: good (${String(config.links.length)} links, ${String(plan.table.size)} tags, ` +
            `${String(plan.program.ids.length)} rules, ${String(config.sinks.length)} sinks)`,
        );
      }),
    );
}
