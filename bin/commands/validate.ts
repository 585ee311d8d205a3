import type { Command } from 'commander';
import { type GlobalOptions, action } from '../context.js';
import { Exit } from '../exit.js';
import type { OnlineProblem } from '../survey.js';
import type { SurveyPlan } from '../../gateway/config/learned.js';
import type { Config } from '../../gateway/config/model.js';
import type { OutageEstimate } from '../../gateway/config/outage.js';
import type { LineBudget } from '../../gateway/config/budget.js';
import { limits } from '../../gateway/limits.js';
import { print, printJson, table, printAside } from '../output.js';

/** `millrace validate FILE` */
export function validate(program: Command): void {
  program
    .command('validate <file>')
    .description(
      'check a configuration and its rules; reports all problems with file, line and a hint',
    )
    .option(
      '--online',
      'also ask devices whose driver supports it whether all tags exist as configured',
    )
    .action(
      action(async (options: GlobalOptions & { online?: boolean }, file: string) => {
        const { loadAll } = await import('../load.js');
        const { formatWithCaret } = await import('../../gateway/config/format.js');
        const loaded = await loadAll(file);
        const problems = loaded.ok ? loaded.warnings : loaded.problems;
        if (!loaded.ok) process.exitCode = Exit.config;
        const { budgetOf } = await import('../../gateway/config/budget.js');
        const budgets = loaded.ok
          ? loaded.config.links.flatMap((link) => budgetOf(link) ?? [])
          : [];
        const { outageOf } = await import('../../gateway/config/outage.js');
        const outages = loaded.ok
          ? loaded.config.sinks.map((sink) => outageOf(sink, loaded.config.links))
          : [];
        const online =
          loaded.ok && options.online ? await onlineProblems(loaded.config, loaded.surveys) : [];
        if (options.json) {
          printJson({ ok: loaded.ok && online.length === 0, problems, budgets, outages, online });
          return;
        }
        for (const problem of problems) print(formatWithCaret(problem));
        if (!loaded.ok) {
          const errors = problems.filter(({ severity }) => severity === 'error').length;
          print(`${file}: ${String(errors)} problem(s)`);
          return;
        }
        for (const { link, tag, message } of online) print(`${tag ?? link}: ${message}`);
        const { config, plan } = loaded;
        for (const budget of budgets) print(budgetText(budget));
        for (const outage of outages) print(outageText(outage));
        if (online.length > 0) {
          print(`${file}: ${String(online.length)} problem(s) with the devices`);
          return;
        }
        print(
          `${file}: good (${String(config.links.length)} links, ${String(plan.table.size)} tags, ` +
            `${String(plan.program.ids.length)} rules, ${String(config.sinks.length)} sinks)`,
        );
      }),
    );
}

/** What devices say against the configuration; sets the exit code. */
async function onlineProblems(
  config: Config,
  surveys: readonly SurveyPlan[],
): Promise<readonly OnlineProblem[]> {
  const { compareOnline } = await import('../survey.js');
  const found = await compareOnline(config, surveys);
  if (found.length > 0) process.exitCode = Exit.device;
  const others = config.links.filter(({ name }) => !surveys.some(({ link }) => link === name));
  const names = others.map(({ name, driver }) => `${name} (${driver.name})`);
  if (names.length > 0) printAside(`not asked, because their drivers cannot: ${names.join(', ')}`);
  return found;
}

/** What a day without the broker takes, for people. */
function outageText({ sink, perSecond, rate, drainMs }: OutageEstimate): string {
  const count = (n: number): string => String(n < 10 ? Number(n.toFixed(1)) : Math.round(n));
  const hours = drainMs / 3_600_000;
  const time = hours >= 1 ? `${count(hours)} h` : `${count(Math.max(1, drainMs / 60_000))} min`;
  return `${sink}: up to ${count(perSecond)} messages a second; a day without the broker takes up to ${time} to make up for, at ${count(rate)} a second`;
}

/** The time budget of a serial line, for people. */
function budgetText({ link, endpoint, classes, share, timeout }: LineBudget): string {
  const percent = (part: number): string => `${(part * 100).toFixed(1)} %`;
  const ms = (time: number): string => `${String(Math.round(time))} ms`;
  const rows = classes.map((row) => [
    row.scanClass,
    ms(row.period),
    String(row.devices),
    String(row.requests),
    ms(row.ms),
    percent(row.share),
  ]);
  const left = Math.max(0, 1 - share);
  return [
    `${link} (${endpoint}): time on the line`,
    table(['class', 'period', 'devices', 'requests', 'needs', 'share'], rows, [1, 2, 3, 4, 5]),
    `needs ${percent(share)}, leaves ${percent(left)}; with any number of silent units ` +
      percent(Math.max(0, left - limits.probeShare)),
    `a unit that falls silent holds the line ${String(limits.demoteAfter)} times for at most ${ms(timeout)}, ` +
      `then at most ${percent(limits.probeShare)} of the time\n`,
  ].join('\n');
}
