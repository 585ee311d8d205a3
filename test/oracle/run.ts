/**
 * `node dist/test/oracle/run.js [--lines 1000] [--rules 40] [--expressions 60] [--alarms 20] [--permissives 10]
 * [--seed 1]`
 * `--gateway`: through a whole gateway and a controller that it polls; `--self`: the oracle against itself; `--planted`: looks for planted bugs.
 */
import { GatewaySubject, overModbus } from './gateway.js';
import { reportOf, runLines } from './lines.js';
import { OracleSubject, planted } from './planted.js';

function option(name: string, fallback: number): number {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
}

if (process.argv.includes('--planted')) process.exit(await huntPlanted());

async function huntPlanted(): Promise<number> {
  let missed = 0;
  const counts = { interlocks: 40, expressions: 12, alarms: 20, permissives: 5 };
  for (const { name, subject } of planted) {
    const began = performance.now();
    const result = await runLines({
      lines: 60,
      seed: option('seed', 1),
      counts,
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

const isGateway = process.argv.includes('--gateway');
const isSelf = process.argv.includes('--self');
const began = performance.now();
const result = await runLines({
  ...(isGateway && {
    subject: (set) => () => GatewaySubject.make(set),
    scope: overModbus,
  }),
  ...(isSelf && { subject: (set) => () => new OracleSubject(set) }),
  lines: option('lines', 100),
  seed: option('seed', 1),
  counts: {
    interlocks: option('rules', 40),
    expressions: option('expressions', 60),
    alarms: option('alarms', 20),
    permissives: option('permissives', 10),
  },
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
