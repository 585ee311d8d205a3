/** What can be shown to make no sense is refused: each planted case beside a neighbour that is fine. */
import t from 'tap';
import { compileRules } from '../../../rules/index.js';
import { compiled, lookupOf, problemsOf, type TagSpecs } from '../plant.js';

const tags: TagSpecs = {
  A: { unit: 'bar', span: [0, 25] },
  B: { unit: 'bar', span: [0, 25] },
  C: { unit: 'bar', span: [0, 25] },
  D: 'kW',
  'P.run': 'bool',
  'P.cmd': { type: 'bool', writable: true },
  'P.speed': { unit: '%', writable: true },
  'P.enable': { type: 'bool', writable: true },
  BUTTON: 'bool',
  MODE: { type: 'uint16', enumeration: { 0: 'OFF', 1: 'AUTO' } },
};
const stop = { set: 'P.cmd', to: false };
const trip = { interlock: 'T', reset: 'rising(BUTTON)', effects: [stop] };

/** Refused by a check of this version, at that place and with those words; the neighbour is not. */
function refused(planted: object, path: string, message: RegExp | string, neighbour: object): void {
  const found = problemsOf([planted], tags);
  t.equal(found.length, 1, `one problem in ${JSON.stringify(planted)}`);
  t.equal(found[0]?.path.join('.'), path);
  t.match(found[0]?.message, message);
  t.equal(found[0]?.since, 2, 'an earlier version ran it');
  t.same(problemsOf([neighbour], tags), [], `fine: ${JSON.stringify(neighbour)}`);
}
function cause(planted: string, message: RegExp | string, neighbour: string): void {
  refused({ ...trip, cause: planted }, 'cause', message, { ...trip, cause: neighbour });
}

void t.test('conditions that are always or never true', (t) => {
  cause('A > 5 bar or A < 6 bar', 'is always true', 'A > 6 bar or A < 5 bar');
  cause('A > 6 bar and A < 5 bar', 'is never true', 'A > 5 bar and A < 6 bar');
  cause('A >= 5 bar or A < 500 kPa', 'is always true', 'A > 5 bar or A < 500 kPa');
  cause('P.run and not P.run', 'is never true', 'P.run and not BUTTON');
  cause('(A > 6 bar and 5 bar > A) for 5s', 'is never true', '(A > 6 bar and 7 bar > A) for 5s');
  cause(
    'P.run and (A < 5 bar and A > 6 bar)',
    /never true, for A < 5 bar and A > 6 bar is never/,
    'P.run and A < 5 bar',
  );
  cause('MODE == "AUTO" and MODE == "OFF"', 'is never true', 'MODE == "AUTO" or A > 5 bar');
  cause(
    '2 of [A > 5 bar, A < 3 bar, A < 2 bar and B > 1 bar and A > 4 bar]',
    'never true',
    '2 of [A > 5 bar, B > 5 bar, C > 5 bar]',
  );
  const alarm = { alarm: 'AL', priority: 'low' };
  refused({ ...alarm, when: 'A != 5 bar or A == 5 bar' }, 'when', 'always true', {
    ...alarm,
    when: 'A > 5 bar',
  });
  const permissive = { permissive: 'PM' };
  refused(
    { ...permissive, all_of: { one: 'A > 5 bar and A < 4 bar' } },
    'all_of.one',
    'never true',
    { ...permissive, all_of: { one: 'A > 4 bar and A < 5 bar' } },
  );
  t.same(
    problemsOf([{ ...trip, cause: 'A > 6 bar hyst 2 bar and A < 5 bar' }], tags),
    [],
    'in the band it may be',
  );
  t.same(
    problemsOf([{ ...trip, cause: '(A > 6 bar held 5s) and A < 5 bar' }], tags),
    [],
    'soon after it may be',
  );
  t.same(
    problemsOf([{ ...trip, cause: 'A > B and A < B' }], tags),
    [],
    'of two tags nothing is claimed',
  );
  const many = Array.from(
    { length: 13 },
    (_, i) => `A > ${i} bar and D > ${i} kW and B > ${i} bar`,
  );
  t.same(problemsOf([{ ...trip, cause: many.join(' or ') }], tags), [], 'nor of very many cases');
  t.match(problemsOf([{ ...trip, cause: 'A > 6 bar and A < 5 bar' }], tags)[0], {
    offset: 0,
    hint: 'should and be or?',
  });
  t.end();
});

void t.test('delays, hysteresis, votes', (t) => {
  cause('rising(P.run) for 2s', 'true for one scan only', 'pulse(rising(P.run), 5s) for 2s');
  cause('(P.run and changed(A)) for 2s', 'one scan only', '(P.run or changed(A)) for 2s');
  cause(
    'A > 3 bar hyst 5 bar',
    /never becomes false again: A would have to be at or below -2 bar, its span is 0 to 25 bar/,
    'A > 3 bar hyst 3 bar',
  );
  cause('A < 24 bar hyst 200 kPa', 'at or above 26 bar', 'A < 24 bar hyst 100 kPa');
  cause(
    '2 of [A > 12 bar, B > 12 bar, A > 12 bar]',
    'A > 12 bar votes twice',
    '2 of [A > 12 bar, B > 12 bar, C > 12 bar]',
  );
  const degraded = { ...trip, cause: '2 of [A > 5 bar, B > 5 bar, C > 5 bar] degrade 1oo2' };
  refused({ ...degraded, min_good: 5 }, 'min_good', 'a vote has 3 channels', {
    ...degraded,
    min_good: 3,
  });
  const plain = { ...trip, cause: 'A > 5 bar or 2 of [A > 6 bar, B > 6 bar]' };
  refused({ ...plain, cause: 'A > 5 bar', on_bad: { A: 'vote' } }, 'on_bad.A', 'A is in no vote', {
    ...plain,
    on_bad: { A: 'vote' },
  });
  refused(
    { ...plain, cause: 'A > 5 bar', on_bad: { '*': 'vote' } },
    'on_bad.*',
    'there is no vote',
    { ...plain, on_bad: { '*': 'vote' } },
  );
  t.end();
});

void t.test('trips that nothing can end, and resets that never come', (t) => {
  cause('not P.cmd', /can never be reset: the trip holds P.cmd at false/, 'not P.run');
  cause('not P.cmd for 2s', 'can never be reset', 'P.cmd and A > 5 bar');
  const slow = { set: 'P.speed', to: '0 %' };
  refused(
    { ...trip, effects: [slow], cause: 'P.speed < 10 %' },
    'cause',
    'the trip holds P.speed at 0',
    { ...trip, effects: [slow], cause: 'P.speed < 10 % and A > 5 bar' },
  );
  const group = { group: 'G', reset: 'rising(BUTTON)', effects: [stop] };
  refused(
    { ...group, causes: { off: 'not P.cmd', high: 'A > 5 bar' } },
    'causes',
    'never be reset',
    { ...group, causes: { off: 'not P.run', high: 'A > 5 bar' } },
  );
  const armed = { ...trip, cause: 'not P.cmd', arm: 'P.cmd' };
  refused(armed, 'arm', 'it can never trip', { ...armed, arm: 'P.run', cause: 'A > 5 bar' });

  const reset = (planted: string, message: string, neighbour: string, more: object = {}): void => {
    const rule = { ...trip, cause: 'A > 5 bar', ...more };
    refused({ ...rule, reset: planted }, 'reset', message, { ...rule, reset: neighbour });
  };
  reset(
    'rising(BUTTON) and P.cmd',
    'the trip holds P.cmd at false',
    'rising(BUTTON) and not P.cmd',
  );
  const verified = { effects: [{ ...stop, verify: { expect: 'not P.run', within: '3s' } }] };
  reset(
    'rising(BUTTON) and P.run',
    'the opposite of what the trip expects (not P.run)',
    'rising(BUTTON) and not P.run',
    verified,
  );
  reset('rising(BUTTON) and A > 6 bar', 'the cause stands', 'rising(BUTTON) and A < 4 bar');
  t.same(
    problemsOf(
      [{ ...trip, cause: 'A > 5 bar', arm: 'P.run', reset: 'rising(BUTTON) and A > 6 bar' }],
      tags,
    ),
    [],
    'where it is not armed the cause does not stand',
  );
  t.end();
});

void t.test('expectations, bypasses', (t) => {
  const expects = (expect: string, within = '3s'): object => ({
    ...trip,
    cause: 'A > 5 bar',
    effects: [{ ...stop, verify: { expect, within } }],
  });
  const path = 'effects.0.verify.expect';
  refused(expects('P.cmd'), path, 'P.cmd cannot be while P.cmd is false', expects('not P.cmd'));
  refused(
    expects('not P.run for 1min'),
    path,
    'takes 1min to become true, within is 3s',
    expects('not P.run for 1s'),
  );
  refused(
    expects('not P.run for 3s and A < 5 bar'),
    path,
    'takes 3s',
    expects('not P.run for 3s or A < 5 bar'),
  );
  const bypass = { ...trip, cause: 'A > 5 bar', bypass: { per_input: true, at_most: 3 } };
  refused(bypass, 'bypass.at_most', 'at_most is 3, and there is 1 input', {
    ...bypass,
    cause: 'A > 5 bar or B > 5 bar or D > 5 kW',
  });
  t.end();
});

void t.test(
  'alarms that nobody hears, permissives that never permit, shedding that never sheds',
  (t) => {
    const alarm = { alarm: 'AL', when: 'A > 5 bar', priority: 'low' };
    refused({ ...alarm, suppress: 'A > 5 bar' }, 'suppress', 'it never comes up', {
      ...alarm,
      suppress: 'A > 6 bar',
    });
    refused({ ...alarm, suppress: 'A > 4 bar or P.run' }, 'suppress', 'it never comes up', {
      ...alarm,
      suppress: 'P.run',
    });
    refused({ ...alarm, arm: 'A < 5 bar' }, 'arm', 'it never comes up', {
      ...alarm,
      arm: 'A < 6 bar',
    });
    const permissive = { permissive: 'PM', output: 'P.enable' };
    refused({ ...permissive, all_of: { on: 'P.enable' } }, 'all_of.on', 'it is never permitted', {
      ...permissive,
      all_of: { on: 'P.run' },
    });
    const shed = { shed: 'S', start: 'D > 1850 kW', steps: [stop] };
    refused({ ...shed, restore: 'D > 1700 kW' }, 'restore', 'it never sheds', {
      ...shed,
      restore: 'D < 1700 kW for 3min',
    });
    t.end();
  },
);

void t.test('what only new checks refuse runs at a start, and what else is wrong does not', (t) => {
  const start = (cause: string): ReturnType<typeof compileRules> =>
    compileRules([{ file: 'r', index: 0, rule: { ...trip, cause } }], lookupOf(tags), {
      atStart: true,
    });
  t.match(start('A > 5 bar or A < 6 bar'), { ok: true, program: { ids: ['T'] } });
  t.match(start('(A > 5 bar or A < 6 bar) and X'), { ok: false });
  t.ok(compiled([{ ...trip, cause: 'A > 5 bar' }], tags));
  t.end();
});
