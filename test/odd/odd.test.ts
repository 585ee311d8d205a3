/**
 * Devices that differ from the book, each on each way to reach it: no good value that the device did not mean, no write
 * to another place, no neighbour that is not read for longer than a time-out takes, and the text names the cause.
 */
import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { answerOddities } from './answers.js';
import { everyWay, OddRig, type Oddity, type Way } from './oddity.js';
import { valueOddities } from './values.js';
import { wireOddities } from './wires.js';
import { writeOddities } from './writes.js';
import { isThorough, seedsOf } from '../support/effort.js';

const seeds = seedsOf(1);
/** A scan, a time-out of 300 ms and the time on the line. */
const longestGapMs = 1_000 + 300 + 400;

/** One scan that was lost on the way. */
const mostLostMs = 2_500;

const oddities: readonly Oddity[] = [
  ...answerOddities,
  ...writeOddities,
  ...valueOddities,
  ...wireOddities,
];

async function live(oddity: Oddity, way: Way, seed: number, t: Test): Promise<void> {
  const rig = new OddRig(oddity, way, seed);
  const { bench } = rig;
  const said = `${oddity.name}, ${way}, seed ${String(seed)}`;
  await bench.pass(10_000);
  bench.measureFromNow();
  await oddity.during?.(rig, t);
  await bench.pass(10_000);
  if (oddity.learning !== undefined) await bench.pass(oddity.learning);
  const neighbourMs = bench.longestGap('N.a');
  bench.measureFromNow();
  await bench.pass(10_000);
  t.same(bench.lies, [], `${said}: every good value is the device's own`);
  for (const { name } of bench.link.config.bindings) {
    const expected = oddity.bad?.[name.slice(name.indexOf('.') + 1)];
    if (name.startsWith('O.') && expected)
      t.match(bench.quality(name), expected, `${said}: ${name}`);
    else t.ok(bench.longestGap(name) <= mostLostMs, `${said}: ${name} is ${bench.quality(name)}`);
  }
  if (!oddity.alone) t.ok(neighbourMs <= longestGapMs, `${said}: the neighbour, ${neighbourMs} ms`);
  if (oddity.says) t.match(bench.notices.join('\n'), oddity.says, `${said}: what is said of it`);
}

void t.test('there are enough of them', (t) => {
  t.ok(oddities.length >= 60, `${oddities.length} oddities`);
  t.equal(new Set(oddities.map(({ name, on }) => `${name} ${on.join()}`)).size, oddities.length);
  const table = readFileSync('docs/odd-devices.md', 'utf8');
  for (const { name, source } of oddities) {
    t.ok(table.includes(`| ${name}`), `${name}: is in the table`);
    t.ok(table.includes(source), `${name}: with its source`);
  }
  t.end();
});

for (const way of everyWay)
  void t.test(way, async (t) => {
    for (const [i, oddity] of oddities.entries()) {
      if (!oddity.on.includes(way)) continue;
      // Ways take turns, so that a few of them have each oddity.
      const isTurn = oddity.on[i % oddity.on.length] === way;
      for (let seed = 1; (isThorough || isTurn) && seed <= seeds; seed++)
        await live(oddity, way, seed, t);
    }
  });
