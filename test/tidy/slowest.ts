/** The files of the last run of `npm test` that took longest, so that whoever adds a slow one sees it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './repository.js';

const most = 10;
/** Where `tap` leaves what each file printed. */
const results = join(root, '.tap/test-results');

/** Seconds of a file: the times of its tests, for they run one after the other. */
function secondsOf(tap: string): number {
  const times = [...tap.matchAll(/^(?:not )?ok .*# time=([\d.]+)ms/gm)];
  return times.reduce((sum, [, ms]) => sum + Number(ms), 0) / 1_000;
}

const files = readdirSync(results, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.tap'))
  .map((file) => ({
    file: file.replace(/\.js\.tap$/, ''),
    seconds: secondsOf(readFileSync(join(results, file), 'utf8')),
  }))
  .sort((a, b) => b.seconds - a.seconds);
process.stdout.write('\nThe slowest files:\n');
for (const { file, seconds } of files.slice(0, most))
  process.stdout.write(`${seconds.toFixed(1).padStart(7)} s  ${file}\n`);
