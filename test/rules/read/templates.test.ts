/** Templates, constants, curves and models: what stands in rule files besides rules. */
import t from 'tap';
import { compiled, plant, problemsOf, type TagSpecs } from '../plant.js';

const tags: TagSpecs = {
  FT101: 'm3/h',
  'FT-102': 'm3/h',
  'P101.run_cmd': { type: 'bool', writable: true },
  'P102.run_cmd': { type: 'bool', writable: true },
};
const template = {
  template: 'pump',
  tags: ['flow'],
  parameters: { rated: null, min_flow: '5 m3/h' },
  rules: [
    {
      interlock: '$unit-DRYRUN',
      cause: '$flow < $unit.min_flow for 5s',
      on_bad: { $flow: 'trip after 10s' },
      effects: [{ set: '$unit.run_cmd', to: false }],
    },
  ],
};
const use = [
  { equipment: 'P101', template: 'pump', parameters: { rated: '32 A' }, tags: { flow: 'FT101' } },
  {
    equipment: 'P102',
    template: 'pump',
    parameters: { rated: '32 A', min_flow: '8 m3/h' },
    tags: { flow: 'FT-102' },
  },
];

void t.test('one rule for every machine, each with its own numbers', (t) => {
  const program = compiled([template, ...use], tags);
  t.same(program.ids, ['P101-DRYRUN', 'P102-DRYRUN']);
  const p = plant([template, ...use], tags);
  p.set({ FT101: 6, 'FT-102': 6 });
  p.to(10);
  t.equal(p.state('P101-DRYRUN'), 'NORMAL');
  t.equal(p.state('P102-DRYRUN'), 'TRIPPED', '6 is less than its 8 m3/h');
  t.equal(p.demanded('P102.run_cmd'), false);
  t.end();
});

void t.test('a problem is told where the template has it, and for which machine', (t) => {
  const wrong = {
    ...template,
    rules: [{ interlock: '$unit-DRYRUN', cause: '$flow < $unit.min_flw for 5s', effects: [] }],
  };
  const [problem] = problemsOf([wrong, ...use], tags);
  t.match(problem, {
    index: 0,
    path: ['rules', 0, 'cause'],
    message: /P101.min_flw \(in P101 by the template pump\)/,
    hint: 'did you mean P101.min_flow?',
    offset: 8,
  });
  t.end();
});

void t.test('templates that cannot be used', (t) => {
  const lines = (rules: readonly unknown[]): string =>
    problemsOf(rules, tags)
      .map(({ message, hint }) => `${message} | ${hint ?? ''}`)
      .join('\n');
  t.match(
    lines([template, { equipment: 'P101', template: 'pmp' }]),
    /no template pmp \| did you mean/,
  );
  t.match(lines([template, { equipment: 'P101', template: 'pump' }]), /needs the parameter rated/);
  const slip = { ...use[0], parameters: { rated: '32 A', min_flw: '9 m3/h' } };
  t.match(compiled([template, slip], tags).warnings, [
    { message: /pump has no parameter min_flw/, hint: 'did you mean min_flow?' },
  ]);
  const own = { ...use[0], parameters: { rated: '32 A', stages: 3 } };
  t.equal(lines([template, own]), '', 'a machine may have parameters of its own');
  const strange = { ...template, rules: [{ alarm: '$unit-X', when: '$foo > 1', priority: 'low' }] };
  t.match(lines([strange, ...use]), /does not say what \$foo is/);
  t.match(lines([{ template: 'x', rules: 5 }]), /rules is a list/);
  t.match(lines([template, template]), /there is a template pump already/);
  t.end();
});

void t.test('constants, curves and models that are wrong are refused with their place', (t) => {
  const table: readonly (readonly [unknown, RegExp])[] = [
    [{ constants: { A: 'five' } }, /five is no number with a unit/],
    [{ constants: { A: '5 foo' } }, /unknown unit foo/],
    [{ equipment: 'P', curves: { head: {} } }, /ends in _curve/],
    [
      { equipment: 'P', curves: { a_curve: { x: 'bar', y: 'm', points: [[0, 1]] } } },
      /2 to 1000 points/,
    ],
    [
      {
        equipment: 'P',
        curves: {
          a_curve: {
            x: 'bar',
            y: 'm',
            points: [
              [1, 1],
              [1, 2],
            ],
          },
        },
      },
      /must rise/,
    ],
    [{ model: 'M', variables: [], loadings: [], variances: [] }, /1 to 64 variables/],
    [{ equipment: 'P', pameters: {} }, /unknown key pameters/],
    [{ constnts: { A: 1 } }, /what kind of rule is this\? \| did you mean constants/],
  ];
  for (const [rule, wanted] of table) {
    const found = problemsOf([rule], tags)
      .map(({ message, hint }) => `${message} | ${hint ?? ''}`)
      .join('\n');
    t.match(found, wanted, JSON.stringify(rule));
  }
  t.end();
});

void t.test('a baseline without a value is bad, and told', (t) => {
  const program = compiled(
    [{ alarm: 'A', when: 'FT101 > baseline(FT101.mean)', priority: 'low' }],
    tags,
  );
  t.match(program.warnings[0]?.message, /baseline FT101.mean has no value yet/);
  t.end();
});
