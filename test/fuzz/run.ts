/** `npm run fuzz [-- --what modbus|rules --count 10000000 --seed 1]` */
import { fuzzModbus } from './modbus.js';
import { fuzzRules } from './rules.js';

function option(name: string, fallback: number): number {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
}

const began = performance.now();
const [count, seed] = [option('count', 1_000_000), option('seed', 1)];
const isRules = process.argv.includes('rules');
const { problems, counts } = isRules ? fuzzRules(count, seed) : await fuzzModbus(count, seed);
for (const problem of problems) process.stdout.write(`FAIL ${problem}\n`);
const seconds = ((performance.now() - began) / 1_000).toFixed(1);
process.stdout.write(`${JSON.stringify(counts)} in ${seconds} s\n`);
process.stdout.write(`${problems.length === 0 ? '1 passed, 0' : '0 passed, 1'} failed\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
