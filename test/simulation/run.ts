import { World, type WorldResult } from './world.js';
import { faultNames } from './faults.js';

/** `npm run sim -- --seed 123`, `--seeds 500 --from 1 --seconds 3600`. Prints failing seeds and a summary. */
interface SimOptions {
  readonly from: number;
  readonly seeds: number;
  readonly seconds: number;
}

/** Runs seeds one after the other. */
export async function runSeeds(
  o: SimOptions,
  each?: (result: WorldResult) => void,
): Promise<readonly WorldResult[]> {
  const results: WorldResult[] = [];
  for (let seed = o.from; seed < o.from + o.seeds; seed++) {
    const result = await new World(seed).run(o.seconds, 300);
    results.push(result);
    each?.(result);
  }
  return results;
}

/** Faults that never happened: then the runs prove nothing about them. */
export function vacuous(results: readonly WorldResult[]): readonly string[] {
  return faultNames.filter((name) => !results.some(({ faults }) => (faults.get(name) ?? 0) > 0));
}

/** One line for a failing seed: enough to run it again. */
export function failureLine(result: WorldResult): string {
  return `seed ${String(result.seed)}: ${result.violations.join('; ')}`;
}

function option(name: string, fallback: number): number {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
}

if (process.argv[1]?.endsWith('simulation/run.js')) {
  const seed = option('seed', 0);
  const options =
    seed > 0
      ? { from: seed, seeds: 1, seconds: option('seconds', 3_600) }
      : { from: option('from', 1), seeds: option('seeds', 20), seconds: option('seconds', 3_600) };
  const startedAt = performance.now();
  const results = await runSeeds(options, (result) => {
    if (result.violations.length > 0) process.stdout.write(`FAIL ${failureLine(result)}\n`);
  });
  const failed = results.filter(({ violations }) => violations.length > 0).length;
  const sum = (pick: (r: WorldResult) => number): string =>
    String(results.reduce((n, r) => n + pick(r), 0));
  const never = vacuous(results);
  process.stdout.write(
    `${String(results.length)} seeds, ${String(options.seconds)} s each: ${sum((r) => r.samples)} samples, ${sum((r) => r.trips)} trips, ` +
      `${sum((r) => r.writes)} writes, ${((performance.now() - startedAt) / 1_000).toFixed(1)} s\n`,
  );
  if (never.length > 0 && results.length >= 10)
    process.stdout.write(`never happened: ${never.join(', ')}\n`);
  process.stdout.write(`${String(results.length - failed)} passed, ${String(failed)} failed\n`);
  process.exitCode = failed > 0 || (never.length > 0 && results.length >= 10) ? 1 : 0;
}
