import { formatWithCaret } from '../../gateway/config/format.js';
import { formatDuration, GatewayError, type RuleProblem } from '../../gateway/contract/index.js';
import type { GlobalOptions } from '../context.js';
import { Exit } from '../exit.js';
import { print, printJson, table } from '../output.js';
import {
  budgetsOf,
  compileRules,
  describeRule,
  lintProgram,
  type Budget,
  type TagTiming,
} from '../wire-rules.js';
import { loadRuleFiles, type RuleFiles } from './load.js';

/** `millrace rules check`: problems, warnings, what a colleague would ask about, and response budgets. */
export async function checkRules(options: GlobalOptions, file: string): Promise<void> {
  const files = await loadRuleFiles(file);
  const compiled = compileRules(files.config.rules, files.lookup);
  if (!compiled.ok) {
    tellProblems(options, files, compiled.problems);
    return;
  }
  const { program } = compiled;
  const warnings = program.warnings.map((problem) => files.place(problem, 'warning'));
  const facts = factsOf(files);
  const lints = lintProgram(program, facts, rolesOf(files));
  const budgets = budgetsOf(program, facts);
  if (options.json) {
    printJson({ ok: true, warnings, lints, budgets });
    return;
  }
  for (const warning of warnings) print(formatWithCaret(warning));
  for (const { rule, code, message } of lints) print(`${rule}: ${message} (${code})`);
  const time = (ms: number): string => formatDuration(ms);
  if (budgets.length > 0)
    print(
      table(
        [
          'interlock',
          'scan',
          'function',
          'delays',
          'grace',
          'gateway',
          'silent tag',
          'verified',
          'in all',
        ],
        budgets.map((one) => [
          one.rule,
          time(one.scan),
          one.unbounded.length > 0 ? 'no bound' : time(one.function),
          time(one.delay),
          time(one.grace),
          time(one.gateway),
          silentText(one),
          one.verify === 0 ? 'never' : time(one.verify),
          one.unbounded.length > 0 ? `no bound: ${one.unbounded.join(', ')}` : time(one.sum),
        ]),
      ),
    );
  print(`${program.ids.length} rules, ${warnings.length} warnings, ${lints.length} remarks`);
}

function silentText({ silent, never }: Budget): string {
  const parts = [
    ...(silent > 0 ? [formatDuration(silent)] : []),
    ...(never.length > 0 ? [`${never.join(', ')}: never`] : []),
  ];
  return parts.join('; ');
}

function tellProblems(
  { json }: GlobalOptions,
  { place }: RuleFiles,
  found: readonly RuleProblem[],
): void {
  process.exitCode = Exit.config;
  const problems = found.map((problem) => place(problem, 'error'));
  if (json) printJson({ ok: false, problems });
  else for (const problem of problems) print(formatWithCaret(problem));
}

/** Roles that somebody has. */
function rolesOf({ config }: RuleFiles): ReadonlySet<string> {
  return new Set([...config.roles].flatMap(([role, users]) => (users.length > 0 ? [role] : [])));
}

/** Span, deadband and stale time of a tag, as the configuration has them. */
function factsOf({ config }: RuleFiles): (tag: string) => TagTiming | undefined {
  const facts = new Map<string, TagTiming>();
  for (const device of config.links.flatMap((link) => link.devices))
    for (const { name, span, deadband, stale } of device.tags)
      facts.set(name, { span, deadband, stale });
  return (tag) => facts.get(tag);
}

/** `millrace rules explain RULE`: what it does, in sentences. */
export async function explainRule(
  options: GlobalOptions,
  file: string,
  rule: string,
): Promise<void> {
  const files = await loadRuleFiles(file);
  const compiled = compileRules(files.config.rules, files.lookup);
  if (!compiled.ok) {
    tellProblems(options, files, compiled.problems);
    return;
  }
  const lines = describeRule(compiled.program, rule);
  const source = compiled.program.describe(rule)?.source;
  if (!lines || source === undefined)
    throw new GatewayError(
      'unknown-name',
      `there is no rule ${rule}: ${compiled.program.ids.join(', ')}`,
    );
  if (options.json) printJson({ rule, lines, source });
  else print([...lines, '', source].join('\n'));
}
