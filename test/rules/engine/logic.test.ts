import t from 'tap';
import { Quality } from '../../../gateway/contract/index.js';
import { plant, type Plant, type TagSpecs } from '../plant.js';

/** F false, T true, B bad, f and t uncertain. */
type Letter = 'F' | 'T' | 'B' | 'f' | 't';
const letters: readonly Letter[] = ['F', 'T', 'B', 'f', 't'];

const bools: TagSpecs = { A: 'bool', B: 'bool', C: 'bool', D: 'bool' };
function put(p: Plant, name: string, letter: Letter): void {
  p.set({ [name]: letter === 'T' || letter === 't' });
  if (letter === 'B') p.quality(name, Quality.timeout);
  if (letter === 'f' || letter === 't') p.quality(name, Quality.substituted);
}
function letter(p: Plant, name: string): Letter {
  const quality = p.qualityOf(name);
  if (quality >= 0x80) return 'B';
  const value = p.value(name) === 1;
  return quality >= 0x40 ? (value ? 't' : 'f') : value ? 'T' : 'F';
}

void t.test('and, or, not: the complete tables', (t) => {
  const and: Record<Letter, string> = {
    F: 'FFFFF',
    T: 'FTBft',
    B: 'FBBfB',
    f: 'Fffff',
    t: 'FtBft',
  };
  const or: Record<Letter, string> = {
    F: 'FTBft',
    T: 'TTTTT',
    B: 'BTBBt',
    f: 'fTBft',
    t: 'tTttt',
  };
  const p = plant(
    [
      { signal: 'AND', value: 'A and B' },
      { signal: 'OR', value: 'A or B' },
      { signal: 'NOT', value: 'not A' },
      { signal: 'MORGAN', value: 'not (not A or not B)' },
    ],
    bools,
  );
  for (const a of letters)
    for (const [column, b] of letters.entries()) {
      put(p, 'A', a);
      put(p, 'B', b);
      p.scan();
      t.equal(letter(p, 'AND'), and[a][column], `${a} and ${b}`);
      t.equal(letter(p, 'OR'), or[a][column], `${a} or ${b}`);
      t.equal(letter(p, 'MORGAN'), and[a][column], `De Morgan ${a} ${b}`);
      t.equal(letter(p, 'NOT'), { F: 'T', T: 'F', B: 'B', f: 't', t: 'f' }[a], `not ${a}`);
    }
  t.end();
});

void t.test('votes: 2oo3 under bad, the table of the language reference', (t) => {
  // true/false/bad → plain, degrade 1oo2, degrade 2oo2; U unknown, - runs, T trips.
  const table: readonly (readonly [string, string, string, string])[] = [
    ['FFF', '-', '-', '-'],
    ['FFB', '-', '-', '-'],
    ['FBB', 'U', '-', '-'],
    ['BBB', 'U', 'T', 'T'],
    ['TFF', '-', '-', '-'],
    ['TFB', 'U', 'T', '-'],
    ['TBB', 'U', 'T', 'T'],
    ['TTF', 'T', 'T', 'T'],
    ['TTB', 'T', 'T', 'T'],
    ['TTT', 'T', 'T', 'T'],
  ];
  const p = plant(
    [
      { signal: 'PLAIN', value: '2 of [A, B, C]' },
      { signal: 'D1', value: '2 of [A, B, C] degrade 1oo2' },
      { signal: 'D2', value: '2 of [A, B, C] degrade 2oo2' },
    ],
    bools,
  );
  const shown = (name: string): string =>
    ({ F: '-', f: '-', T: 'T', t: 'T', B: 'U' })[letter(p, name)];
  for (const [state, plain, one, two] of table)
    for (const order of [
      [0, 1, 2],
      [2, 0, 1],
      [1, 2, 0],
    ]) {
      for (const [position, name] of ['A', 'B', 'C'].entries())
        put(p, name, (state[order[position] ?? 0] ?? 'B') as Letter);
      p.scan();
      t.equal(shown('PLAIN'), plain, `${state} plain`);
      t.equal(shown('D1'), one, `${state} degrade 1oo2`);
      t.equal(shown('D2'), two, `${state} degrade 2oo2`);
      p.now += 1000;
    }
  t.end();
});

void t.test(
  'votes: bad counts as true with on_bad vote; one channel is borne for the grace time',
  (t) => {
    const votes = plant(
      [
        {
          interlock: 'V',
          cause: '2 of [A, B, C]',
          on_bad: { '*': 'vote' },
          effects: [],
        },
      ],
      bools,
    );
    for (const [state, trips] of [
      ['FFB', false],
      ['FBB', true],
    ] as const) {
      for (const [position, name] of ['A', 'B', 'C'].entries())
        put(votes, name, (state[position] ?? 'F') as Letter);
      votes.scan();
      t.equal(votes.state('V'), trips ? 'TRIPPED' : 'NORMAL', state);
    }
    const graced = plant(
      [{ interlock: 'G', cause: '2 of [A, B, C] degrade 1oo2', grace: '1min', effects: [] }],
      bools,
    );
    graced.set({ A: false, B: false, C: false });
    graced.to(1);
    graced.quality('B', Quality.timeout);
    graced.quality('C', Quality.timeout);
    graced.to(60.9);
    t.equal(graced.state('G'), 'NORMAL', 'one good channel left');
    graced.to(61.1);
    t.equal(graced.state('G'), 'TRIPPED', 'not for longer than the grace time');
    t.end();
  },
);

void t.test('comparisons and arithmetic: bad stays bad, division by zero is bad', (t) => {
  const specs: TagSpecs = { X: '', Y: '' };
  const p = plant(
    [
      { signal: 'LT', value: 'X < 5' },
      { signal: 'GE', value: 'X >= 5' },
      { signal: 'EQ', value: 'X == 5' },
      { signal: 'NE', value: 'X != 5' },
      { signal: 'Q', value: 'X / Y' },
      { signal: 'ANY', value: 'X / Y > 1 or X > 100' },
      { signal: 'LIM', value: 'limit(Y, X, 10)' },
      { signal: 'NEG', value: '-X - 1' },
      { signal: 'MM', value: 'max(abs(X), Y) - min(X, Y)' },
    ],
    specs,
  );
  const at = (name: string): number | string => (p.qualityOf(name) >= 0x80 ? 'bad' : p.value(name));
  p.set({ X: 5, Y: 2 });
  p.scan();
  t.same(['LT', 'GE', 'EQ', 'NE', 'Q', 'LIM', 'NEG', 'MM'].map(at), [0, 1, 1, 0, 2.5, 5, -6, 3]);
  p.set({ X: -7, Y: 0 });
  p.scan();
  t.same(['Q', 'ANY', 'LIM', 'MM'].map(at), ['bad', 'bad', 0, 14], 'division by zero');
  p.set({ X: 0, Y: 0 });
  p.scan();
  t.equal(at('Q'), 'bad', 'zero by zero');
  p.set({ X: 200, Y: 0 });
  p.scan();
  t.equal(at('ANY'), 1, 'what is known absorbs it');
  p.set({ X: 5, Y: 11 });
  p.scan();
  t.equal(at('LIM'), 'bad', 'limits the wrong way round');
  p.set({ X: NaN });
  p.scan();
  t.same(['LT', 'GE', 'EQ', 'NE', 'NEG'].map(at), Array(5).fill('bad'), 'NaN with a good quality');
  p.set({ X: Infinity });
  p.scan();
  t.equal(at('GE'), 'bad', 'infinity too');
  p.set({ X: 1 });
  p.quality('X', Quality.stale);
  p.scan();
  t.same(['LT', 'GE', 'EQ', 'NE', 'NEG', 'Q'].map(at), Array(6).fill('bad'));
  t.end();
});

void t.test('hysteresis in both directions', (t) => {
  const p = plant(
    [
      { signal: 'HIGH', value: 'X > 10 hyst 2' },
      { signal: 'LOW', value: 'X <= 3 hyst 1' },
    ],
    { X: '' },
  );
  const walk: readonly (readonly [number, number, number])[] = [
    [9, 0, 0],
    [10, 0, 0],
    [10.1, 1, 0],
    [8.1, 1, 0],
    [8, 0, 0],
    [9.9, 0, 0],
    [3.1, 0, 0],
    [3, 0, 1],
    [4, 0, 1],
    [4.1, 0, 0],
    [3.5, 0, 0],
  ];
  for (const [x, high, low] of walk) {
    p.set({ X: x });
    p.scan();
    t.equal(p.value('HIGH'), high, `high at ${x}`);
    t.equal(p.value('LOW'), low, `low at ${x}`);
  }
  p.set({ X: 11 });
  p.scan();
  p.quality('X', Quality.timeout);
  p.scan();
  t.ok(p.qualityOf('HIGH') >= 0x80);
  p.set({ X: 9 });
  p.scan();
  t.equal(p.value('HIGH'), 1, 'remembered over a bad time');
  t.end();
});

void t.test('questions about quality are answered as soon as there is one', (t) => {
  const p = plant(
    ['good', 'bad', 'uncertain', 'stale', 'missing'].map((f) => ({
      signal: f.toUpperCase(),
      value: `${f}(X)`,
      uncertain: 'bad',
    })),
    { X: '' },
  );
  const table: readonly (readonly [number, string])[] = [
    [Quality.good, 'GOOD'],
    [Quality.forced, 'GOOD'],
    [Quality.substituted, 'UNCERTAIN'],
    [Quality.stale, 'BAD STALE MISSING'],
    [Quality.timeout, 'BAD MISSING'],
    [Quality.device, 'BAD'],
  ];
  // Else each start would raise the alarms of all that has not come yet.
  p.quality('X', Quality.waiting);
  p.scan();
  for (const name of ['GOOD', 'BAD', 'UNCERTAIN', 'STALE', 'MISSING'])
    t.equal(p.qualityOf(name), Quality.waiting);
  for (const [quality, wanted] of table) {
    p.set({ X: 1 });
    p.quality('X', quality);
    p.scan();
    const yes = ['GOOD', 'BAD', 'UNCERTAIN', 'STALE', 'MISSING'].filter((name) => p.value(name));
    t.equal(yes.join(' '), wanted, `quality ${quality}`);
    t.equal(p.qualityOf('GOOD'), Quality.good);
  }
  t.end();
});

void t.test('fallback, if, latches, texts, age', (t) => {
  const p = plant(
    [
      { signal: 'FB', value: 'fallback(X, Y)' },
      { signal: 'IF', value: 'if A then X else Y' },
      { signal: 'SR', value: 'latch(A, B)' },
      { signal: 'RS', value: 'latch_r(A, B)' },
      { signal: 'AUTO', value: 'MODE == "AUTO"' },
      { signal: 'NOTRUN', value: 'TXT != "run"' },
      { signal: 'OLD', value: 'age(X) > 5 s' },
      { signal: 'FORCED', value: 'X + Y' },
    ],
    {
      ...bools,
      X: '',
      Y: '',
      MODE: { type: 'uint16', enumeration: { 0: 'OFF', 1: 'AUTO' } },
      TXT: 'string',
    },
  );
  p.set({ A: false, B: false, X: 1, Y: 2, MODE: 1, TXT: 'run' });
  p.scan();
  t.same(
    ['FB', 'IF', 'SR', 'RS', 'AUTO', 'NOTRUN', 'OLD'].map((name) => p.value(name)),
    [1, 2, 0, 0, 1, 0, 0],
  );
  p.set({ A: true, B: true, MODE: 0, TXT: 'stop' });
  p.quality('X', Quality.timeout);
  p.scan();
  t.same([p.value('FB'), p.qualityOf('FB')], [2, Quality.fallback]);
  t.ok(p.qualityOf('IF') >= 0x80, 'the chosen branch is bad');
  t.same([p.value('SR'), p.value('RS')], [1, 0], 'set dominant, reset dominant');
  t.same([p.value('AUTO'), p.value('NOTRUN')], [0, 1]);
  p.set({ A: false, B: false });
  p.scan();
  t.same([p.value('SR'), p.value('RS')], [1, 0], 'both keep');
  p.quality('A', Quality.timeout);
  p.scan();
  t.equal(p.value('SR'), 1, 'set already: a bad set input cannot matter');
  t.ok(p.qualityOf('RS') >= 0x80, 'it may have been set: not known');
  t.ok(p.qualityOf('IF') >= 0x80, 'the condition is bad');
  put(p, 'A', 'F');
  put(p, 'B', 'T');
  p.set({ X: 1 });
  p.quality('X', Quality.forced);
  p.scan();
  t.same([p.value('SR'), p.value('RS')], [0, 0]);
  t.equal(p.qualityOf('FORCED'), Quality.forced, 'forced stays visible');
  p.to(6);
  t.equal(p.value('OLD'), 1, 'age passes without any input');
  p.quality('TXT', Quality.timeout);
  p.scan();
  t.ok(p.qualityOf('NOTRUN') >= 0x80);
  t.end();
});

void t.test('prev shows the scan before and lets a signal look at itself', (t) => {
  const p = plant(
    [
      { signal: 'RISES', value: 'X > prev(X)' },
      { signal: 'TOTAL', value: 'fallback(prev(TOTAL), 0) + X', type: 'number' },
    ],
    { X: '' },
  );
  p.set({ X: 1 });
  p.scan();
  t.ok(p.qualityOf('RISES') >= 0x80, 'no scan before the first');
  t.equal(p.value('TOTAL'), 1);
  p.set({ X: 2 });
  p.scan();
  t.equal(p.value('RISES'), 1);
  t.equal(p.value('TOTAL'), 3);
  p.scan();
  t.equal(p.value('RISES'), 0);
  t.equal(p.value('TOTAL'), 5);
  t.end();
});

void t.test('signals: valid, uncertain, order across rules', (t) => {
  const p = plant(
    [
      { signal: 'C.LAST', value: 'B.MID + 1' },
      { signal: 'B.MID', value: 'A.FIRST + 1' },
      { signal: 'A.FIRST', value: 'X + 1', valid: 'X > 0' },
      { signal: 'STRICT', value: 'X', uncertain: 'bad' },
    ],
    { X: '' },
  );
  t.same(p.program.ids, ['A.FIRST', 'STRICT', 'B.MID', 'C.LAST']);
  p.set({ X: 1 });
  p.scan();
  t.equal(p.value('C.LAST'), 4, 'one scan for the whole chain');
  t.same([...p.result.changed].sort(), [1, 2, 3, 4]);
  p.quality('X', Quality.substituted);
  p.scan();
  t.equal(p.qualityOf('C.LAST'), Quality.derived);
  t.ok(p.qualityOf('STRICT') >= 0x80);
  p.set({ X: -1 });
  p.scan();
  t.ok(p.qualityOf('C.LAST') >= 0x80, 'not valid is bad');
  t.equal(p.value('C.LAST'), 4, 'the last value stays');
  p.scan();
  const { changed, events, alarms } = p.result;
  t.equal(changed.length, 0);
  p.scan();
  t.equal(p.result.changed, changed, 'the same array while nothing changes');
  t.equal(p.result.events, events);
  t.equal(p.result.alarms, alarms);
  t.end();
});
