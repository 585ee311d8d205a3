/** Cause-and-effect matrices: the same interlocks as written out. */
import t from 'tap';
import { compiled, plant, problemsOf, type TagSpecs } from '../plant.js';

const tags: TagSpecs = {
  A: 'bar',
  B: 'bar',
  C: 'bar',
  BTN: 'bool',
  XV: { type: 'bool', writable: true },
  P1: { type: 'bool', writable: true },
  FAN: { type: 'bool', writable: true },
};
const head = ['cause \\ effect', 'expr', 'XV=false', 'P1=false', 'FAN=true'];
const matrix = (rows: readonly (readonly string[])[], more: object = {}): object => ({
  matrix: 'CE1',
  csv: 'as read',
  reset: 'rising(BTN)',
  rows: [head, ...rows],
  ...more,
});

void t.test('latched, non-latched, delayed', (t) => {
  const rules = [
    matrix([
      ['A HIGH', 'A > 10 bar', 'L', '', 'N'],
      ['B HIGH', 'B > 10 bar', '', 'T5s', ''],
    ]),
  ];
  t.same(compiled(rules, tags).ids, ['A-HIGH', 'A-HIGH-2', 'B-HIGH']);
  const p = plant(rules, tags);
  p.set({ A: 11, B: 1, C: 1, BTN: false });
  p.to(1);
  t.equal(p.demanded('XV'), false);
  t.equal(p.demanded('FAN'), true);
  t.equal(p.demanded('P1'), undefined);
  p.set({ A: 9, B: 11 });
  p.to(5.9);
  t.equal(p.demanded('XV'), false, 'latched');
  t.equal(p.demanded('FAN'), undefined, 'not latched');
  t.equal(p.demanded('P1'), undefined, 'delayed');
  p.to(6.1);
  t.equal(p.demanded('P1'), false);
  p.set({ BTN: true, B: 1 });
  p.to(7);
  t.equal(p.demanded('XV'), undefined, 'reset');
  t.end();
});

void t.test('vote groups and permissives', (t) => {
  const rules = [
    matrix(
      [
        ['A HIGH', 'A > 10 bar', '1', '', ''],
        ['B HIGH', 'B > 10 bar', '1', '', ''],
        ['C HIGH', 'C > 10 bar', '1', '', ''],
        ['A LOW', 'A < 5 bar', '', '', 'P'],
      ],
      { votes: { 1: 2 } },
    ),
  ];
  t.same(compiled(rules, tags).ids, ['CE1-FAN', 'CE1-XV-G1']);
  const p = plant(rules, tags);
  p.set({ A: 11, B: 1, C: 1, BTN: false });
  p.to(1);
  t.equal(p.demanded('XV'), undefined, 'one of three');
  t.equal(p.demanded('FAN'), false, 'not permitted');
  p.set({ B: 11, A: 3 });
  p.to(2);
  t.equal(p.demanded('FAN'), true);
  p.set({ A: 11 });
  p.to(3);
  t.equal(p.demanded('XV'), false, 'two of three');
  t.end();
});

void t.test('what is wrong is told with its line', (t) => {
  const lines = (rows: readonly (readonly string[])[]): string =>
    problemsOf([matrix(rows)], tags)
      .map(({ path, message }) => `${path.join('.')}: ${message}`)
      .join('\n');
  t.match(lines([['A', 'A > 5', 'L']]), /csv: .*no unit.*\(line 2 of the matrix CE1\)/);
  t.match(lines([['A', 'A > 5 bar', 'X']]), /line 2: X says nothing/);
  t.match(lines([['A', 'A > 5 bar', '3']]), /how many of group 3 trip/);
  t.match(lines([['', 'A > 5 bar', 'L']]), /line 2: the cause has no name/);
  t.match(
    lines([
      ['A', 'A > 5 bar', ''],
      ['B', 'B > 5 bar', 'L'],
    ]),
    /line 2: A has no effect/,
  );
  t.match(
    lines([
      ['A', 'A > 5 bar', 'L'],
      ['A', 'B > 5 bar', 'L'],
    ]),
    /line 3: there is a cause A in line 2 already/,
  );
  t.match(problemsOf([{ matrix: 'X' }], tags)[0]?.message, /needs csv: or file:/);
  t.end();
});
