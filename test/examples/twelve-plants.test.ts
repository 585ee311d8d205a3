/**
 * `examples/twelve-plants`: the rules of the language note run as they stand, do what their tests say, and the
 * tests notice nearly every slip that could be made in them.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { loadRuleFiles, loadTests } from '../../bin/proving/load.js';
import { runSuite } from '../../rules/index.js';

const folder = fileURLToPath(new URL('../../../examples/twelve-plants', import.meta.url));

void t.test('all tests of the twelve plants hold, and kill 90 % of the mutants', async (t) => {
  const { config, lookup } = await loadRuleFiles(join(folder, 'plant.yaml'));
  const files = (await readdir(join(folder, 'tests'))).sort();
  t.equal(files.length, 12, 'one file a plant');
  const tests = (
    await Promise.all(files.map((file) => loadTests(join(folder, 'tests', file))))
  ).flat();
  const result = runSuite({ sources: config.rules, lookup, tests, mutate: true });
  t.same(result.problems, []);
  t.same(result.failures, []);
  t.ok(result.runs >= 100, `${result.runs} runs`);
  t.same(result.untested, [], 'every rule is named by a test');
  const made = result.mutation.reduce((sum, one) => sum + one.made, 0);
  const killed = result.mutation.reduce((sum, one) => sum + one.killed, 0);
  t.ok(killed / made >= 0.9, `${killed} of ${made} mutants noticed`);
  for (const { rule, undecided } of result.coverage)
    t.ok(rule === 'PLC1-COMMS' || undecided.length === 0, `MC/DC of ${rule}: ${undecided.join()}`);
});
