/** Point 36 of the semantics: margin to trip, and other figures of rules as tags. */
import t from 'tap';
import { Quality } from '../../../gateway/contract/index.js';
import { plant, problemsOf, type TagSpecs } from '../plant.js';

const tags: TagSpecs = { A: 'bar', B: 'bar', C: 'bar', RUN: 'bool' };
const trip = (cause: string): object => ({
  interlock: 'I',
  cause,
  on_bad: { '*': 'hold' },
  effects: [],
  publish: ['tripped', 'margin'],
});

void t.test('point 36: how far it is from a trip, in per cent of the limit', (t) => {
  const table: readonly (readonly [cause: string, margin: number])[] = [
    ['A > 10 bar', 20],
    ['A < 10 bar', -20],
    ['A > 10 bar for 5s', 20],
    ['A > 10 bar or B > 10 bar', 10],
    ['A > 10 bar and B > 10 bar', 20],
    ['not (A < 4 bar)', -100],
    ['2 of [A > 10 bar, B > 10 bar, C > 10 bar]', 20],
    ['RUN', 100],
    ['A > 10 bar and RUN', 100],
    ['A > 1 mbar', -1000],
  ];
  for (const [cause, margin] of table) {
    const p = plant([trip(cause)], tags);
    p.set({ A: 8, B: 9, C: 1, RUN: false });
    p.scan();
    t.equal(Math.round(p.value('I.margin') * 1e6) / 1e6, margin, cause);
  }
  t.end();
});

void t.test('point 36: a vote is as near as the channels that it still needs', (t) => {
  const three = '[A > 10 bar, B > 10 bar, C > 10 bar]';
  const table: readonly (readonly [cause: string, policy: string, bad: string, margin: number])[] =
    [
      [`2 of ${three} degrade 1oo2`, '', '', 20],
      // The two good ones decide, one of them is enough.
      [`2 of ${three} degrade 1oo2`, '', 'C', 10],
      [`2 of ${three} degrade 2oo2`, '', 'C', 20],
      [`2 of ${three} degrade 1oo2`, '', 'BC', 20],
      // C votes for the trip: one more is enough.
      [`2 of ${three}`, 'vote', 'C', 10],
      // A channel that is not known may have voted.
      [`2 of ${three}`, '', 'C', 10],
      // C and D may say what they like: it is tripped.
      [`2 of [A > 7 bar, B > 7 bar, C > 10 bar, RUN]`, '', 'C', -100],
      // The delay of A stands while A is bad: it may have voted too.
      [`2 of [A > 10 bar for 5s, B > 10 bar, C > 10 bar]`, 'vote', 'C', 10],
      // Taken out, it has not.
      [`2 of ${three}`, 'ignore', 'C', 20],
    ];
  for (const [cause, policy, bad, margin] of table) {
    const p = plant([{ ...trip(cause), on_bad: policy === '' ? undefined : { C: policy } }], tags);
    p.set({ A: 8, B: 9, C: 1 });
    for (const name of bad) p.quality(name, Quality.timeout);
    p.scan();
    t.equal(Math.round(p.value('I.margin')), margin, `${cause} ${policy}, bad: ${bad}`);
  }
  const late = plant([{ ...trip(`2 of ${three} degrade 1oo2`), on_bad: undefined }], tags);
  late.set({ A: 8, B: 9, C: 1 });
  late.scan();
  late.quality('B', Quality.timeout);
  late.quality('C', Quality.timeout);
  late.to(5);
  t.equal(Math.round(late.value('I.margin')), 20, 'the one that is left');
  late.to(11);
  t.equal(late.state('I'), 'TRIPPED');
  t.ok(late.value('I.margin') <= 0, 'no margin while it is tripped');
  t.end();
});

void t.test('not known where nothing is known; other rules can use it', (t) => {
  const p = plant(
    [
      trip('A > 10 bar'),
      { alarm: 'NEAR', when: 'I.margin < 5 % hyst 1 %', priority: 'low' },
      { signal: 'SAME', value: 'I.tripped' },
    ],
    tags,
  );
  p.set({ A: 8 });
  p.scan();
  t.equal(p.state('NEAR'), 'NORMAL');
  p.set({ A: 9.6 });
  p.to(1);
  t.equal(p.state('NEAR'), 'UNACK', 'in the same scan');
  t.equal(p.value('SAME'), 0);
  p.set({ A: 11 });
  p.to(2);
  t.equal(p.value('SAME'), 1);
  const q = plant([trip('A > 10 bar')], tags);
  q.quality('A', Quality.timeout);
  q.scan();
  t.equal(q.qualityOf('I.margin'), Quality.input);
  t.end();
});

void t.test('figures that a rule does not have', (t) => {
  const [problem] = problemsOf([{ ...trip('RUN'), publish: ['speed'] }], tags);
  t.match(problem, {
    message: /interlock has no figure "speed"/,
    hint: 'there are tripped, margin',
  });
  t.end();
});
