import { formatWithCaret } from '../../gateway/config/format.js';
import { runSuite, type SuiteResult } from '../wire-rules.js';
import type { GlobalOptions } from '../context.js';
import { Exit } from '../exit.js';
import { print, printJson, table } from '../output.js';
import { loadRuleFiles, loadTests } from './load.js';

export interface TestOptions extends GlobalOptions {
  readonly mutate?: boolean;
}

/** Least share of mutants that tests should notice. */
const goodScore = 0.9;

/** Runs test files against the rules of a configuration; the exit code is 3 when something is not as written. */
export async function testRules(
  options: TestOptions,
  file: string,
  testFiles: readonly string[],
): Promise<void> {
  const { config, lookup, place } = await loadRuleFiles(file);
  const tests = (await Promise.all(testFiles.map(loadTests))).flat();
  const result = runSuite({
    sources: config.rules,
    lookup,
    tests,
    mutate: options.mutate === true,
    onProgress: options.mutate === true && options.json !== true ? progress : () => undefined,
  });
  const isGood = result.problems.length === 0 && result.failures.length === 0;
  if (!isGood) process.exitCode = Exit.config;
  if (options.json) {
    printJson({ ok: isGood, ...result });
    return;
  }
  for (const problem of result.problems)
    print(
      'path' in problem
        ? formatWithCaret(place(problem, 'error'))
        : `${problem.file}: ${problem.test}: ${problem.message}`,
    );
  for (const { file: where, test, message } of result.failures)
    print(`${where}: ${test}\n  ${message}`);
  if (result.problems.length === 0) printResult(result);
}

/** One line that is written over and over, only for a person who watches. */
function progress(done: number, all: number): void {
  if (!process.stderr.isTTY) return;
  process.stderr.write(`\r${done} of ${all}${done === all ? '\n' : ''}`);
}

function printResult({ runs, failures, coverage, untested, mutation }: SuiteResult): void {
  const failed = new Set(failures.map(({ file, test }) => `${file} ${test}`)).size;
  const scores = new Map(mutation.map((one) => [one.rule, one]));
  const rows = coverage.map((one) => {
    const score = scores.get(one.rule);
    return [
      one.rule,
      `${one.both}/${one.atoms}`,
      `${one.unknown}/${one.atoms}`,
      one.deciding === undefined ? '' : `${one.deciding}/${one.deciding + one.undecided.length}`,
      score ? `${score.killed}/${score.made}` : '',
    ];
  });
  print(table(['rule', 'true+false', 'not known', 'MC/DC', 'mutants'], rows));
  for (const { rule, oneSided } of coverage) for (const line of oneSided) print(`${rule}: ${line}`);
  for (const { rule, undecided } of coverage)
    for (const line of undecided) print(`${rule}: never shown to decide: ${line}`);
  for (const { rule, survivors } of mutation)
    for (const line of survivors) print(`${rule}: not noticed: ${line}`);
  if (untested.length > 0) print(`no test names ${untested.join(', ')}`);
  if (mutation.length > 0) print(scoreText(mutation));
  print(`${runs} runs, ${failed} failed`);
}

function scoreText(mutation: SuiteResult['mutation']): string {
  const made = mutation.reduce((sum, one) => sum + one.made, 0);
  const killed = mutation.reduce((sum, one) => sum + one.killed, 0);
  const share = made === 0 ? 1 : killed / made;
  const verdict =
    share >= goodScore ? 'good' : `less than ${goodScore * 100} %: look at what is not noticed`;
  return `mutants: ${killed} of ${made} noticed (${(share * 100).toFixed(0)} %), ${verdict}`;
}
