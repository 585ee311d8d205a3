import t from 'tap';
import { current } from './features.js';
import { reportOf, runLines } from './lines.js';
import { planted } from './planted.js';

void t.test('the engine does what the specification says, computed by another hand', (t) => {
  const counts = { interlocks: 40, expressions: 40, alarms: 20, permissives: 10 };
  const result = runLines({ lines: 25, seed: 1, counts, features: current });
  t.same(result.failures.slice(0, 5).map(reportOf), []);
  t.ok(result.comparisons > 100_000, `${String(result.comparisons)} comparisons`);
  const open = [...result.open.values()].reduce((sum, times) => sum + times, 0);
  t.ok(open < result.lines * 15, 'few rules are left open by the specification');
  t.end();
});

void t.test('whatever is wrong is noticed', (t) => {
  const counts = { interlocks: 40, expressions: 12, alarms: 20, permissives: 5 };
  const missed = planted(current).filter(({ features, subject }) => {
    const result = runLines({ lines: 40, seed: 1, counts, features, subject, isBrief: true });
    return result.failedLines === 0;
  });
  t.same(
    missed.map(({ name }) => name),
    [],
  );
  t.end();
});
