/** What a careful colleague asks about: each planted case beside a neighbour of which nothing is said. */
import t from 'tap';
import { lintProgram } from '../../../rules/index.js';
import { compiled, type TagSpecs } from '../plant.js';

const span = [0, 25] as const;
const tags: TagSpecs = {
  A: { unit: 'bar', span },
  B: { unit: 'bar', span },
  C: { unit: 'kPa', span: [0, 2500] },
  N: { type: 'uint16' },
  D: 'kW',
  'P.running': 'bool',
  'P.run_cmd': { type: 'bool', writable: true },
  'V.closed': 'bool',
  'V.open_cmd': { type: 'bool', writable: true },
  'P.enable': { type: 'bool', writable: true },
  BUTTON: 'bool',
};
const stop = { set: 'P.run_cmd', to: false };
const trip = { interlock: 'T', cause: 'A > 12 bar hyst 1 bar', reset: 'rising(BUTTON)' };
const alarm = {
  alarm: 'AL',
  priority: 'low',
  consequence: 'a',
  response: 'b',
  response_time: '5min',
};

function said(code: string, ...rules: readonly object[]): readonly string[] {
  const facts = (name: string): ReturnType<Parameters<typeof lintProgram>[1]> => {
    const spec = tags[name];
    return { span: typeof spec === 'object' ? spec.span : undefined, deadband: 1, stale: 0 };
  };
  return lintProgram(compiled(rules, tags), facts, new Set(['engineer']))
    .filter((one) => one.code === code)
    .map(({ message }) => message);
}
/** Said of the planted case and of nothing in the neighbour. */
function found(
  code: string,
  planted: readonly object[],
  message: RegExp | string,
  neighbour: readonly object[],
): void {
  t.match(said(code, ...planted), [message], JSON.stringify(planted));
  t.same(said(code, ...neighbour), [], `fine: ${JSON.stringify(neighbour)}`);
}
function cause(code: string, planted: string, message: RegExp | string, neighbour: string): void {
  const rule = { ...trip, effects: [] };
  found(code, [{ ...rule, cause: planted }], message, [{ ...rule, cause: neighbour }]);
}

void t.test('comparisons', (t) => {
  cause(
    'unit-slip',
    'A < 1.2 kPa hyst 0.1 kPa',
    /1.2 kPa is at 0.048 % of the span of A \(0 to 25 bar\): is kPa right/,
    'A < 120 kPa hyst 0.1 kPa',
  );
  t.same(
    said('unit-slip', { ...trip, effects: [], cause: 'A < 0.1 bar' }),
    [],
    'in its own unit it is meant',
  );
  cause('float-equal', 'A == 5 bar', 'hardly ever true of a measured number', 'N == 5');
  cause('float-equal', 'A != B', 'nearly always true', 'N != 5');
  cause(
    'always',
    'P.running and (A > 5 bar or A < 6 bar)',
    'A > 5 bar or A < 6 bar is always true: it decides nothing',
    'P.running and (A > 6 bar or A < 5 bar)',
  );
  cause(
    'always',
    'P.running or A < 5 bar and A > 6 bar',
    'never true: it decides nothing',
    'P.running or A < 6 bar and A > 5 bar',
  );
  cause('always', '26 bar < A', 'is never true: the span of A is 0 to 25', '24 bar < A');
  const warnings = compiled([{ ...trip, effects: [], cause: 'A > 5 bar for 0s' }], tags).warnings;
  t.match(warnings, [{ message: 'A > 5 bar for 0s delays nothing', path: ['cause'] }]);
  t.end();
});

void t.test('channels of a vote', (t) => {
  cause(
    'odd-channel',
    '2 of [A > 12 bar, B > 1.2 bar, C > 1200 kPa]',
    'B > 1.2 bar asks something else than A > 12 bar',
    '2 of [A > 12 bar, B > 12 bar, C > 1200 kPa]',
  );
  cause(
    'odd-channel',
    '2 of [A > 12 bar, B < 12 bar, C >= 1200 kPa]',
    'B < 12 bar asks something else',
    '2 of [A > 12 bar, D > 5 kW, BUTTON]',
  );
  cause(
    'odd-channel',
    '1 of [A > 12 bar, B > 13 bar]',
    'have different limits',
    '1 of [A > 12 bar, B > 12 bar]',
  );
  t.match(
    said('odd-channel', {
      ...trip,
      effects: [],
      cause: '2 of [A > 12 bar, A > 13 bar, B > 12 bar]',
    }),
    ['A has more than one voice', 'A > 13 bar asks'],
  );
  t.end();
});

void t.test('what is expected, what is read', (t) => {
  const expects = (set: object, expect: string): object[] => [
    { ...trip, effects: [{ ...set, verify: { expect, within: '3s' } }] },
  ];
  found(
    'verified-by-command',
    expects(stop, 'not P.run_cmd'),
    'that shows the write, not that the plant followed',
    expects(stop, 'not P.running'),
  );
  found(
    'odd-expectation',
    expects(stop, 'P.running'),
    'P.run_cmd = false, and P.running is expected',
    expects(stop, 'not P.running'),
  );
  const close = { set: 'V.open_cmd', to: false };
  t.same(said('odd-expectation', ...expects(close, 'V.closed')), [], 'closed is not open');
  const clean = { interlock: 'T', latch: 'auto', effects: [stop] };
  found(
    'own-output',
    [{ ...clean, cause: 'P.run_cmd and A > 5 bar' }],
    'with latch: auto it comes and goes',
    [{ ...clean, cause: 'P.running and A > 5 bar' }],
  );
  const permissive = { permissive: 'PM', output: 'P.enable' };
  found(
    'own-output',
    [{ ...permissive, all_of: { x: 'P.enable or BUTTON' } }],
    'x reads P.enable, which the permissive itself holds',
    [{ ...permissive, all_of: { x: 'BUTTON' } }],
  );
  t.end();
});

void t.test('bad inputs, bypasses, roles', (t) => {
  const bad = (on_bad: object, cause = trip.cause): object[] => [
    { ...trip, cause, on_bad, effects: [] },
  ];
  found(
    'blind',
    bad({ A: 'ignore' }),
    'on_bad: ignore, and A is its only input: while that is bad it cannot trip',
    bad({ A: 'trip after 10s' }),
  );
  found(
    'blind',
    bad({ '*': 'hold' }, 'A > 9 bar or B > 9 bar'),
    'so are all its inputs',
    bad({ A: 'hold' }, 'A > 9 bar or B > 9 bar'),
  );
  const terms = (bypass: object): object[] => [{ ...trip, bypass, effects: [] }];
  found(
    'bypass-for-all',
    terms({ max: '1h' }),
    'whoever may give commands',
    terms({ role: 'engineer' }),
  );
  found(
    'no-such-role',
    terms({ role: 'ghost' }),
    'bypass needs the role ghost, which nobody has',
    terms({ role: 'engineer' }),
  );
  found('no-such-role', [{ ...trip, effects: [], reset_role: 'ghost' }], 'reset_role needs', [
    { ...trip, effects: [], reset_role: 'engineer' },
  ]);
  const shelved = { ...alarm, when: 'A > 9 bar' };
  found('no-such-role', [{ ...shelved, shelve: { role: 'ghost' } }], 'shelve needs', [
    { ...shelved, shelve: { role: 'engineer' } },
  ]);
  const program = compiled(terms({ role: 'ghost' }), tags);
  t.notOk(
    lintProgram(program, () => undefined).some(({ code }) => code === 'no-such-role'),
    'where roles are not known nothing is said',
  );
  t.end();
});

void t.test('rules beside each other', (t) => {
  const high = { ...trip, effects: [] };
  const late = (when: string, rule: object = high): object[] => [{ ...alarm, when }, rule];
  found(
    'late-alarm',
    late('A > 13 bar for 5s'),
    'A > 13 bar for 5s comes after T, which trips at A > 12 bar hyst 1 bar',
    late('A > 11 bar for 5s'),
  );
  found(
    'late-alarm',
    late('A < 100 kPa', { ...high, cause: 'P.running or (A < 2 bar for 3s)' }),
    'comes after T',
    late('A > 13 bar', { ...high, cause: 'P.running or (A < 2 bar for 3s)' }),
  );
  t.same(
    said('late-alarm', ...late('A > 13 bar', { ...high, arm: 'P.running' })),
    [],
    'it may not be armed',
  );
  const shed = { shed: 'S', start: 'D > 1850 kW for 20s', steps: [stop] };
  found(
    'overlap',
    [{ ...shed, restore: 'D < 1900 kW for 3min' }],
    'where both are true it does neither',
    [{ ...shed, restore: 'D < 1700 kW for 3min' }],
  );
  t.end();
});
