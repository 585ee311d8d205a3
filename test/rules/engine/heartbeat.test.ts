/** A heartbeat that is earned, not given. */
import t from 'tap';
import { plant, problemsOf, type Plant, type TagSpecs } from '../plant.js';

const tags: TagSpecs = {
  X: 'bar',
  OK: 'bool',
  V: { type: 'bool', writable: true },
  HB: { type: 'uint16', writable: true },
};
const rules = [
  { heartbeat: 'GW', set: 'HB', every: '1s', while: 'OK' },
  {
    interlock: 'I',
    cause: 'X > 10 bar',
    effects: [{ set: 'V', to: false, verify: { expect: 'bad(X)', within: '2s' } }],
    latch: 'auto',
  },
];
function started(): Plant {
  const p = plant(rules, tags);
  p.set({ X: 1, OK: true, V: true, HB: 0 });
  p.scan();
  return p;
}

void t.test('it counts up once a period, and not in between', (t) => {
  const p = started();
  t.equal(p.demanded('HB'), 1);
  p.to(0.9);
  t.equal(p.demanded('HB'), 1);
  p.to(1);
  t.equal(p.demanded('HB'), 2);
  p.to(10);
  t.equal(p.demanded('HB'), 11);
  t.match(p.result.intents[0], { level: 'auto', quiet: true });
  t.equal(p.state('GW'), 'BEATING');
  t.end();
});

void t.test('it stops while its condition is not surely true', (t) => {
  const p = started();
  p.to(5);
  p.set({ OK: false });
  p.to(8);
  t.equal(p.demanded('HB'), 6);
  t.equal(p.state('GW'), 'STOPPED');
  p.quality('OK', 0x80);
  p.to(9);
  t.equal(p.demanded('HB'), 6);
  p.set({ OK: true });
  p.to(10);
  t.equal(p.demanded('HB'), 7);
  t.end();
});

void t.test('it stops while an output is not obeyed', (t) => {
  const p = started();
  p.set({ X: 11 });
  p.to(5);
  t.equal(p.state('GW'), 'STOPPED');
  t.match(p.engine.why('GW')?.text.join(), /not obeyed: I: V/);
  p.set({ X: 1 });
  p.to(6);
  p.to(8);
  t.equal(p.state('GW'), 'BEATING', 'nothing is demanded any more');
  t.end();
});

void t.test('a scan that comes late has not earned it; nothing is made up for', (t) => {
  const p = started();
  p.to(3);
  const before = Number(p.demanded('HB'));
  p.now = 8000;
  p.scan();
  t.equal(p.demanded('HB'), before, 'five seconds late');
  t.match(p.engine.why('GW')?.text.join(), /ms late/);
  p.to(9.4);
  t.equal(p.demanded('HB'), before + 1);
  t.end();
});

void t.test('it needs a register that can count', (t) => {
  const lines = problemsOf([{ heartbeat: 'GW', set: 'V' }], tags).map(({ message }) => message);
  t.match(lines.join(), /must be an integer/);
  t.match(problemsOf([{ heartbeat: 'GW', set: 'HB', every: '10ms' }], tags)[0]?.message, /100ms/);
  t.end();
});
