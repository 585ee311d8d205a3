/** Points 19 to 22: what rules know, they know after a restart. */
import t from 'tap';
import { mono, wall, type RetainedStates } from '../../../gateway/contract/index.js';
import { epoch, person, plant, reloaded, type Plant, type TagSpecs } from '../plant.js';
import { calibration } from '../valves.js';

const tags: TagSpecs = {
  X: 'bool',
  R: 'bool',
  F: 'm3/h',
  P: 'kW',
  RUN: 'bool',
  BTN: 'bool',
  OUT: { type: 'bool', writable: true },
  TWO: { type: 'bool', writable: true },
};
const calm = { X: false, R: false, F: 0, P: 0, RUN: false, BTN: false, OUT: false, TWO: false };

/** What a process finds that starts `off` seconds after `p` ended; `clock` says what the clock was set by, s. */
function restarted(p: Plant, rules: readonly object[], off: number, clock = 0): Plant {
  const kept = JSON.parse(JSON.stringify(p.engine.retained())) as RetainedStates;
  const gone = p.now + wallAt(p) + (off + clock) * 1000;
  const next = plant(rules, tags, kept, { wallOf: (ms) => wall(epoch + gone + ms) });
  offsets.set(next, gone);
  next.set(calm);
  return next;
}
const offsets = new WeakMap<Plant, number>();
/** Ms that the wall clock of this plant is ahead of that of the first one. */
function wallAt(p: Plant): number {
  return offsets.get(p) ?? 0;
}
function first(rules: readonly object[]): Plant {
  const p = plant(rules, tags);
  p.set(calm);
  p.scan();
  return p;
}

void t.test('functions go on where they were', (t) => {
  const rules = [
    { signal: 'HOURS', value: 'runtime(X, R)' },
    { signal: 'TOTAL', value: 'integral(F)', unit: 'm3' },
    { signal: 'STARTS', value: 'count(X, 10min)' },
    { signal: 'AGO', value: 'since(X)' },
    { signal: 'HELD', value: 'latch(X, R)' },
    { signal: 'DONE', value: 'ctu(X, R, 3)' },
  ];
  const p = first(rules);
  for (const [at, X] of [true, false, true, false].entries()) {
    p.set({ X, F: 3600 });
    p.to(10 * (at + 1));
  }
  p.set({ F: 0 });
  p.to(60);
  const seen = (plant: Plant): readonly number[] =>
    rules.map(({ signal }) => Math.round(plant.value(signal)));
  t.same(seen(p), [20, 40, 2, 30, 1, 0]);

  const q = restarted(p, rules, 300);
  q.to(1);
  t.same(seen(q), [20, 40, 2, 331, 1, 0], 'five minutes later');
  q.set({ X: true });
  q.to(2);
  q.set({ X: false });
  q.to(3);
  t.same(seen(q), [21, 40, 3, 1, 1, 1], 'and go on');
  q.to(290);
  t.equal(q.value('STARTS'), 1, 'what is older than ten minutes has left the window');

  q.set({ X: true });
  q.to(300);
  q.to(320);
  t.ok(q.result.retainedChanged || q.engine.retained()['AGO'], 'it is kept');
  const later = restarted(q, rules, 5);
  later.to(1);
  t.equal(Math.round(later.value('AGO')), 6, 'true until the stop, it was true last then');

  const other = restarted(p, [{ signal: 'HOURS', value: 'runtime(X)' }], 0);
  other.to(1);
  t.equal(other.value('HOURS'), 0, 'a rule that was written differently begins anew');
  t.end();
});

void t.test('a total goes on only in its unit', (t) => {
  const rules = [{ signal: 'TOTAL', value: 'integral(F)', unit: 'm3' }];
  const p = first(rules);
  p.set({ F: 3600 });
  p.to(10);
  const kept = JSON.parse(JSON.stringify(p.engine.retained())) as RetainedStates;
  const started = (unit: string): number => {
    const q = plant(rules, { ...tags, F: unit }, kept);
    q.set({ F: 0 });
    q.to(1);
    return Math.round(q.value('TOTAL'));
  };
  t.equal(started('m3/h'), 10);
  t.equal(started('L/s'), 0, 'the tag has another unit by now');
  t.end();
});

void t.test('what is not stored yet is stored after a reload too', (t) => {
  const rules = [{ signal: 'STARTS', value: 'count(X, 10min)' }];
  const p = first(rules);
  p.set({ X: true });
  p.to(1);
  p.set({ X: false });
  p.to(2);
  p.set({ X: true });
  p.to(3);
  t.notOk(p.result.retainedChanged);
  const q = reloaded(p, rules, tags);
  q.scan();
  let stored = q.result.retainedChanged;
  for (let at = 4; at < 70; at++) {
    q.to(at);
    stored ||= q.result.retainedChanged;
  }
  t.ok(stored);
  t.end();
});

void t.test('a latch is stored at once, a total within a minute', (t) => {
  const p = first([{ signal: 'S', value: 'latch(X, R) and runtime(RUN) > 0 s' }]);
  p.set({ RUN: true });
  p.to(0.5);
  p.set({ X: true });
  p.scan();
  t.ok(p.result.retainedChanged, 'latched');
  const stored: number[] = [];
  for (let at = 1; at <= 130; at++) {
    p.to(at + 0.5);
    if (p.result.retainedChanged) stored.push(at);
  }
  t.same(stored, [60, 120]);
  t.end();
});

void t.test('a step that rests after its longest time off still does', (t) => {
  const rules = [
    {
      shed: 'S',
      start: 'P > 100 kW',
      restore: 'P < 50 kW',
      interval: '1s',
      steps: [{ set: 'OUT', to: false, min_off: '1s', max_off: '60s' }],
    },
  ];
  const p = first(rules);
  p.set({ P: 200 });
  p.to(61);
  p.set({ P: 200 });
  p.to(62);
  t.equal(p.state('S'), 'NORMAL', 'back after its longest time off');
  const q = restarted(p, rules, 10);
  q.set({ P: 200 });
  q.to(30);
  t.equal(q.state('S'), 'NORMAL');
  q.to(60);
  t.equal(q.state('S'), 'SHEDDING');
  t.end();
});

void t.test('an order to trip in the place of another stands until the plant has followed', (t) => {
  const verify = { expect: 'not RUN', within: '1s', on_fail: 'trip J' };
  const rules = [
    {
      interlock: 'I',
      cause: 'X',
      latch: 'manual',
      reset: 'rising(BTN)',
      effects: [{ set: 'OUT', to: false, verify }],
    },
    { interlock: 'J', cause: 'R', latch: 'auto', hold: '0s', effects: [{ set: 'TWO', to: false }] },
  ];
  const p = first(rules);
  p.set({ X: true, RUN: true });
  p.to(3);
  t.equal(p.state('J'), 'TRIPPED');
  const q = restarted(p, rules, 1);
  q.set({ RUN: true });
  q.scan();
  q.to(0.5);
  t.equal(q.state('J'), 'TRIPPED');
  t.match(JSON.stringify(q.engine.why('J')), /OUT = false had no effect/);
  q.set({ RUN: false });
  q.to(5);
  t.equal(q.state('J'), 'NORMAL');
  t.end();
});

void t.test('a clock that is put back prolongs no bypass over a restart', (t) => {
  const rules = [
    { interlock: 'V', cause: 'X', effects: [], bypass: { per_input: true, max: '8h' } },
  ];
  const hour = 3600;
  const isBypassed = (p: Plant): boolean =>
    JSON.stringify(p.engine.why('V')).includes('is bypassed by');
  const bypassed = (): Plant => {
    const p = first(rules);
    const what = { ...calibration, input: 'X' };
    p.engine.command('V', what, person('ann'), mono(p.now));
    p.scan();
    return p;
  };
  const p = bypassed();
  p.to(600);
  const q = restarted(p, rules, 60, -5 * hour);
  q.to(1);
  t.ok(isBypassed(q));
  q.to(hour - 1);
  t.ok(isBypassed(q));
  q.to(hour + 1);
  t.notOk(isBypassed(q), 'never longer than it was given for');

  const r = restarted(q, rules, 1);
  r.to(1);
  t.notOk(isBypassed(r));
  const late = restarted(bypassed(), rules, hour + 1);
  late.to(1);
  t.notOk(isBypassed(late), 'it ends while nothing runs');
  // Without a battery the clock is wrong at first, and put right after a while.
  let clock = -5 * hour * 1000;
  const kept = JSON.parse(JSON.stringify(bypassed().engine.retained())) as RetainedStates;
  const boot = plant(rules, tags, kept, { wallOf: (ms) => wall(epoch + ms + clock) });
  boot.set(calm);
  boot.to(10);
  clock = 1200 * 1000;
  boot.to(20);
  t.ok(isBypassed(boot), 'twenty minutes of the hour are over');
  boot.to(2399);
  t.ok(isBypassed(boot));
  boot.to(2401);
  t.notOk(isBypassed(boot), 'it ends when it was to end');
  t.end();
});

void t.test('whatever a rule is called, it is known after a restart', (t) => {
  for (const interlock of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const rules = [
      { interlock, cause: 'X', reset: 'rising(R)', effects: [{ set: 'OUT', to: true }] },
    ];
    const p = first(rules);
    p.set({ X: true });
    p.to(1);
    p.set({ X: false });
    p.to(2);
    const q = restarted(p, rules, 1);
    q.to(1);
    t.equal(q.engine.states().get(interlock), 'TRIPPED_CLEAR', interlock);
  }
  t.end();
});
