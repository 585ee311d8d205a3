import t from 'tap';
import { planted } from './planted.js';
import { failureLine, runSeeds, vacuous } from './run.js';
import { World } from './world.js';
import { draws, isThorough } from '../support/effort.js';

const hour = 3_600;

void t.test('plants live through an hour of faults each, and are well afterwards', async (t) => {
  const results = await runSeeds({ from: 1, seeds: draws(20, 10), seconds: hour });
  t.same(
    results.filter(({ violations }) => violations.length > 0).map(failureLine),
    [],
    'no invariant is broken; run again with: npm run sim -- --seed N',
  );
  // The share of `npm test` is too short for each of them.
  if (isThorough) t.same(vacuous(results), [], 'every fault has happened');
  t.ok(results.some(({ trips }) => trips > 0) && results.some(({ writes }) => writes > 0));
});

void t.test('the same seed gives the same run', async (t) => {
  const first = await new World(7).run(900, 300);
  const second = await new World(7).run(900, 300);
  t.equal(first.trace, second.trace);
  t.equal(first.samples, second.samples);
});

void t.test('each planted bug is noticed within a few seeds', async (t) => {
  for (const [name, plants] of Object.entries(planted)) {
    let noticed: string | undefined;
    for (let seed = 1; seed <= 20 && noticed === undefined; seed++) {
      const { violations } = await new World(seed, plants).run(hour, 300, 1);
      [noticed] = violations;
    }
    t.ok(noticed, `${name}: ${noticed ?? 'NOT noticed'}`);
  }
});
