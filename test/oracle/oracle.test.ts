import t from 'tap';
import { current } from './features.js';
import { reportOf, runLines } from './lines.js';
import { planted, right } from './planted.js';

void t.test('the engine does what the specification says, computed by another hand', (t) => {
  const counts = { interlocks: 40, expressions: 30, alarms: 20, permissives: 10 };
  const result = runLines({ lines: 20, seed: 1, counts, features: current });
  t.same(result.failures.slice(0, 5).map(reportOf), []);
  t.ok(result.comparisons > 100_000, `${String(result.comparisons)} comparisons`);
  const open = [...result.open.values()].reduce((sum, times) => sum + times, 0);
  t.ok(open < result.lines * 15, 'few rules are left open by the specification');
  t.end();
});

void t.test('whatever is wrong is noticed', (t) => {
  const counts = { interlocks: 24, expressions: 8, alarms: 10, permissives: 3 };
  const missed = planted(current).filter(({ features, subject }) => {
    const result = runLines({ lines: 60, seed: 9, counts, features, subject, isBrief: true });
    return result.failedLines === 0;
  });
  t.same(
    missed.map(({ name }) => name),
    [],
  );
  const noise = right.filter(({ features, subject }) => {
    const result = runLines({ lines: 8, seed: 9, counts, features, subject });
    return result.failedLines > 0;
  });
  t.same(noise, [], 'and nothing else is');
  t.end();
});
