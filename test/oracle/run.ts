/**
 * `node dist/test/oracle/run.js [--lines 1000] [--rules 40] [--expressions 60] [--alarms 20] [--permissives 10]
 * [--seed 1]`
 * `--with resets,keeps`: with these features, too; `--all`: with all; `--self`: the oracle against itself; `--planted`: looks for planted bugs.
 */
import { all, current, type Features } from './features.js';
import { reportOf, runLines } from './lines.js';
import { OracleSubject, planted } from './planted.js';

function option(name: string, fallback: number): number {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
}

/** `--with resets,keeps`: beside what the engine has. */
function chosen(): Features {
  if (process.argv.includes('--all')) return all;
  const at = process.argv.indexOf('--with');
  const names = at < 0 ? [] : (process.argv[at + 1] ?? '').split(',');
  return { ...current, ...Object.fromEntries(names.map((name) => [name, true])) };
}

const features = chosen();
if (process.argv.includes('--planted')) process.exit(huntPlanted());

function huntPlanted(): number {
  let missed = 0;
  const counts = { interlocks: 40, expressions: 12, alarms: 20, permissives: 5 };
  for (const { name, features: with_, subject } of planted(features)) {
    const began = performance.now();
    const result = runLines({
      lines: 60,
      seed: option('seed', 1),
      counts,
      features: with_,
      subject,
      isBrief: true,
    });
    const isFound = result.failedLines > 0;
    if (!isFound) missed++;
    const ms = Math.round(performance.now() - began);
    process.stdout.write(
      `${isFound ? 'found' : 'MISSED'} after ${result.lines} lines, ${ms} ms: ${name}\n`,
    );
  }
  return missed === 0 ? 0 : 1;
}

const isSelf = process.argv.includes('--self');
const began = performance.now();
const result = runLines({
  ...(isSelf && { subject: (set) => () => new OracleSubject(set, features) }),
  lines: option('lines', 100),
  seed: option('seed', 1),
  counts: {
    interlocks: option('rules', 40),
    expressions: option('expressions', 60),
    alarms: option('alarms', 20),
    permissives: option('permissives', 10),
  },
  features,
});
const shown = option('show', 20);
for (const failure of result.failures.slice(0, shown)) process.stdout.write(reportOf(failure));
for (const [question, times] of result.open)
  process.stdout.write(`left open ${times} times: ${question}\n`);
const seconds = ((performance.now() - began) / 1_000).toFixed(1);
const failed = result.failedLines;
process.stdout.write(`${result.comparisons} comparisons in ${seconds} s\n`);
process.stdout.write(`${result.lines - failed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
