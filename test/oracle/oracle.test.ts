import t from 'tap';
import { GatewaySubject, overModbus } from './gateway.js';
import { plantedInGateway } from './gateway-planted.js';
import { reportOf, runLines } from './lines.js';
import { OracleSubject, planted } from './planted.js';
import type { RuleSet } from './rules.js';
import type { Subject } from './subject.js';
import { draws, some } from '../support/effort.js';

void t.test('the engine does what the specification says, computed by another hand', async (t) => {
  const counts = { interlocks: 40, expressions: 30, alarms: 20, permissives: 10 };
  const lines = draws(20, 8);
  const result = await runLines({ lines, seed: 1, counts });
  t.same(result.failures.slice(0, 5).map(reportOf), []);
  t.ok(result.comparisons > 5_000 * lines, `${String(result.comparisons)} comparisons`);
  const open = [...result.open.values()].reduce((sum, times) => sum + times, 0);
  t.ok(open < result.lines * 15, 'few rules are left open by the specification');
});

void t.test('whatever is wrong is noticed', async (t) => {
  const counts = { interlocks: 24, expressions: 8, alarms: 10, permissives: 3 };
  const missed: string[] = [];
  for (const { name, subject } of some(planted)) {
    const result = await runLines({ lines: 60, seed: 9, counts, subject, isBrief: true });
    if (result.failedLines === 0) missed.push(name);
  }
  t.same(missed, []);
  const subject = (set: RuleSet) => (): Subject => new OracleSubject(set);
  const noise = await runLines({ lines: 8, seed: 9, counts, subject });
  t.same(noise.failures.map(reportOf), [], 'and nothing else is');
});

void t.test('so does a whole gateway that polls a controller', async (t) => {
  const counts = { interlocks: 40, expressions: 30, alarms: 20, permissives: 10 };
  const subject = (set: RuleSet) => (): Promise<Subject> => GatewaySubject.make(set);
  const lines = draws(6, 2);
  const result = await runLines({ lines, seed: 1, counts, subject, scope: overModbus });
  t.same(result.failures.slice(0, 5).map(reportOf), []);
  t.ok(result.comparisons > 5_000 * lines, `${String(result.comparisons)} comparisons`);
});

for (const [name, tampering] of Object.entries(plantedInGateway))
  void t.test(`a gateway in which ${name} is noticed`, async (t) => {
    const counts = { interlocks: 24, expressions: 8, alarms: 10, permissives: 3 };
    const subject = (set: RuleSet) => (): Promise<Subject> => GatewaySubject.make(set, tampering);
    const options = { lines: 20, seed: 9, counts, subject, scope: overModbus, isBrief: true };
    t.equal((await runLines(options)).failedLines, 1);
  });
