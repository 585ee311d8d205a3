/**
 * A trip stands, and the configuration changes under it: every kind of change, by every way in which it comes into
 * force, for every kind of rule that holds outputs. No output is released, the opposite is never written, it is told,
 * and a person can end it. Planted bugs show that the matrix finds what it is for.
 */
import t from 'tap';
import { changes, kinds } from './latch/changes.js';
import { ends, judge, ways } from './latch/judge.js';
import { engine } from './latch/plant.js';
import { planted } from './latch/planted.js';
import { some } from '../support/effort.js';

for (const kind of kinds)
  void t.test(`a tripped ${kind} under every change`, async (t) => {
    for (const change of some(
      changes.filter((one) => one.kinds.includes(kind)),
      2,
    ))
      for (const way of ways) {
        const results = new Set<string>();
        for (const end of ends) {
          const { result, faults } = await judge(kind, change, way, end, engine);
          t.same(faults, [], `${change.name}, ${way}, ${end}`);
          results.add(result);
        }
        t.comment(`latch: ${kind} × ${change.name} × ${way} → ${[...results].join(' / ')}`);
      }
  });

for (const { name, rules, kind, change, way } of planted)
  void t.test(`it would be found that ${name}`, async (t) => {
    const one = changes.find((other) => other.name === change);
    t.ok(one, 'premise');
    if (!one) return;
    const { faults } = await judge(kind, one, way, 'the former file put back', rules);
    t.not(faults.length, 0, `${kind}, ${change}, ${way}`);
    t.comment(`planted: ${name} → ${faults[0] ?? 'not found'}`);
  });
