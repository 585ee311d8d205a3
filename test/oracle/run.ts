/** `node dist/test/oracle/run.js [--lines 1000] [--rules 40] [--expressions 60] [--seed 1] [--all]` */
import { all, current } from './features.js';
import { reportOf, runLines } from './lines.js';

function option(name: string, fallback: number): number {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
}

const began = performance.now();
const result = runLines({
  lines: option('lines', 100),
  seed: option('seed', 1),
  counts: {
    interlocks: option('rules', 40),
    expressions: option('expressions', 60),
    alarms: option('alarms', 20),
  },
  features: process.argv.includes('--all') ? all : current,
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
