/** Point 36 of the semantics: margin to trip, and other figures of rules as tags. */
import t from 'tap';
import { Quality } from '../../gateway/contract/index.js';
import { plant, problemsOf, type TagSpecs } from './plant.js';

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
