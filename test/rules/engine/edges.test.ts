/** What is said at the edges: what came first, how long a delay still runs, what nobody may rely on. */
import t from 'tap';
import { compileRules } from '../../../rules/index.js';
import { lookupOf, plant, problemsOf, type Plant, type TagSpecs } from '../plant.js';

const tags: TagSpecs = {
  A: 'bar',
  B: { unit: 'bar', period: 5_000 },
  LOADED: { unit: 'bar', span: [0, 25] },
  BUTTON: 'bool',
  COUNT: { type: 'uint16' },
  CMD: { type: 'bool', writable: true },
  HB: { type: 'uint16', writable: true },
};
const trip = { interlock: 'I', reset: 'rising(BUTTON)', effects: [{ set: 'CMD', to: false }] };
const why = (p: Plant, id = 'I'): string => p.engine.why(id)?.text.join('\n') ?? '';

function started(...rules: readonly object[]): Plant {
  const p = plant(rules, tags);
  p.set({ A: 1, B: 1, LOADED: 1, BUTTON: false, COUNT: 0, CMD: true, HB: 0 });
  p.scan();
  return p;
}

void t.test('who has a span and no word on its signal is warned once', (t) => {
  const rules = [
    { ...trip, cause: 'LOADED > 20 bar' },
    { ...trip, interlock: 'J', cause: 'LOADED < 2 bar' },
  ];
  const warned = (known: boolean): unknown => {
    const lookup = lookupOf(tags);
    const found = compileRules(
      rules.map((rule, index) => ({ file: 'r.yaml', index, rule })),
      {
        ...lookup,
        find: (name) => {
          const tag = lookup.find(name);
          return tag && { ...tag, isSignalKnown: known };
        },
      },
    );
    if (!found.ok) return found.problems;
    return found.program.warnings.filter(({ message }) => message.includes('signal'));
  };
  t.match(warned(false), [{ index: 0, message: 'LOADED has a span', hint: 'signal: 4-20mA' }]);
  t.same(warned(true), []);
  t.end();
});

void t.test('what resets must be a button: a measurement or a constant is refused', (t) => {
  for (const reset of [
    'A < 1 bar',
    'true',
    'BUTTON',
    'not BUTTON',
    'rising(A < 1 bar) or BUTTON',
  ]) {
    const found = problemsOf([{ ...trip, cause: 'A > 9 bar', reset }], tags);
    t.match(found, [{ path: ['reset'], since: 2 }], reset);
  }
  for (const reset of ['rising(BUTTON)', 'falling(BUTTON) and A < 1 bar', 'changed(COUNT)'])
    t.same(problemsOf([{ ...trip, cause: 'A > 9 bar', reset }], tags), [], reset);
  t.end();
});

void t.test('what is asked more seldom may have come first, and that is said', (t) => {
  const group = { group: 'I', causes: { quick: 'A > 9 bar', slow: 'B > 9 bar' } };
  const p = started({ ...group, reset: 'rising(BUTTON)', effects: trip.effects });
  p.now = 10_000;
  p.set({ A: 1, B: 1 });
  p.scan();
  p.now = 14_000;
  p.set({ A: 10 });
  p.scan();
  t.match(why(p), /came first: A > 9 bar/);
  t.notMatch(why(p), 'may have come first');
  p.now = 15_000;
  p.set({ B: 10 });
  p.scan();
  t.match(why(p), /may have come first: .*A > 9 bar.*B > 9 bar.*cannot be told apart/);
  t.ok(
    p.events.some(({ text }) => text.startsWith('I: may have come first as well: ')),
    'with an event of its own',
  );

  const q = started({ ...group, reset: 'rising(BUTTON)', effects: trip.effects });
  q.now = 10_000;
  q.set({ A: 1, B: 1 });
  q.scan();
  q.now = 14_000;
  q.set({ A: 10 });
  q.scan();
  q.now = 20_000;
  q.set({ B: 10 });
  q.scan();
  t.notMatch(why(q), 'may have come first', 'a period after the trip it came later for certain');
  t.end();
});

void t.test('PENDING says that a delay runs, and how long still', (t) => {
  const p = started({ ...trip, cause: 'A > 9 bar for 10s' });
  p.set({ A: 10 });
  p.scan();
  p.to(0.2);
  t.equal(p.state('I'), 'PENDING');
  t.match(why(p), 'the condition stands, its delay runs: A > 9 bar');
  t.match(why(p), 'trips in 9.8s unless that changes');
  t.notMatch(why(p), 'no cause now');
  t.end();
});

void t.test('a heartbeat whose own writes are refused does not say that it beats', (t) => {
  const p = started({ heartbeat: 'GW', set: 'HB', every: '1s' });
  t.match(why(p, 'GW'), /GW is BEATING/);
  p.engine.obeyed(p.index('HB'), 'not-permitted');
  p.to(2);
  t.equal(p.state('GW'), 'STOPPED');
  t.match(why(p, 'GW'), /not obeyed: .*HB.*not-permitted/);
  p.engine.obeyed(p.index('HB'), undefined);
  p.to(4);
  t.equal(p.state('GW'), 'BEATING');
  t.end();
});

void t.test('rules write inside `writes: range` only', (t) => {
  const lookup = lookupOf({ ...tags, SP: { unit: 'bar', writable: true } });
  const within = (to: string, more: object = {}): readonly unknown[] => {
    const rule = { ...trip, cause: 'A > 9 bar', effects: [{ set: 'SP', to }], ...more };
    const found = compileRules([{ file: 'r.yaml', index: 0, rule }], {
      ...lookup,
      find: (name) => {
        const tag = lookup.find(name);
        return tag?.name === 'SP' || tag?.name === 'HB' ? { ...tag, range: [2, 8] } : tag;
      },
    });
    return found.ok ? [] : found.problems;
  };
  t.same(within('2 bar'), []);
  t.same(within('800 kPa'), []);
  for (const to of ['1.9 bar', '8.1 bar', '810 kPa'])
    t.match(within(to), [{ message: /outside the range of SP: 2 .*to 8/ }], to);
  const beat = { heartbeat: 'GW', set: 'HB', every: '1s' };
  const found = compileRules([{ file: 'r.yaml', index: 0, rule: beat }], {
    ...lookup,
    find: (name) => {
      const tag = lookup.find(name);
      return tag?.name === 'HB' ? { ...tag, range: [2, 8] } : tag;
    },
  });
  t.match(found, { ok: false, problems: [{ message: /range/ }] }, 'a heartbeat counts beyond it');
  t.end();
});
