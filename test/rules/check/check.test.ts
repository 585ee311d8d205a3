import t from 'tap';
import { compileRules } from '../../../rules/index.js';
import { compiled, lookupOf, problemsOf, type TagSpecs } from '../plant.js';
import type { RuleProblem } from '../../../gateway/contract/index.js';

const tags: TagSpecs = {
  FT101: 'm3/h',
  FT102: 'm3/h',
  'PT-201A': 'bar',
  'P101.running': 'bool',
  'P101.run_cmd': { type: 'bool', writable: true },
  'P101.speed': { unit: '%', writable: true },
  LOCKED: 'bool',
  MODE: { type: 'uint16', enumeration: { 0: 'OFF', 1: 'AUTO' }, writable: true },
  NAME: 'string',
};
function lines(problems: readonly RuleProblem[]): string[] {
  return problems.map(
    (one) => `${one.path.join('.')}: ${one.message}${one.hint ? ` | ${one.hint}` : ''}`,
  );
}
const ok = { interlock: 'OK', cause: 'FT101 < 5 m3/h', effects: [] };

void t.test('cycles are refused with the ring printed; prev breaks them', (t) => {
  const ring = problemsOf(
    [
      { signal: 'B', value: 'C + 1' },
      { signal: 'A', value: 'B + 1' },
      { signal: 'C', value: 'A + 1' },
      { signal: 'USER', value: 'A * 2' },
    ],
    tags,
  );
  t.equal(ring.length, 1, lines(ring).join('\n'));
  t.match(ring[0], { message: /in a ring: A → B → C → A/, hint: /prev/ });
  t.match(problemsOf([{ signal: 'A', value: 'A + 1' }], tags)[0]?.message, /A → A/);
  const trips = problemsOf(
    [
      { interlock: 'X', cause: "tripped('Y')", effects: [] },
      { interlock: 'Y', cause: "tripped('X*')", effects: [] },
    ],
    tags,
  );
  t.match(trips[0]?.message, /X → Y → X/);
  t.ok(compiled([{ signal: 'A', value: 'prev(A) + 1 m3/h', unit: 'm3/h' }], tags));
  t.match(
    problemsOf([{ signal: 'A', value: 'prev(A) + 1 m3/h' }], tags)[0]?.hint,
    /add unit: or type:/,
  );
  t.end();
});

void t.test('order is by need, then by id, whatever the order of the files', (t) => {
  const rules = [
    { alarm: 'Z', when: 'S2 > 1 m3/h', priority: 'low' },
    { signal: 'S2', value: 'S1 + FT101' },
    { interlock: 'M', cause: 'S2 > 5 m3/h', effects: [] },
    { signal: 'S1', value: 'FT101' },
    { permissive: 'A', all_of: { x: "not tripped('M')" } },
  ];
  const order = compiled(rules, tags).ids;
  t.same(order, ['S1', 'S2', 'M', 'Z', 'A']);
  t.same(compiled([...rules].reverse(), tags).ids, order);
  t.end();
});

void t.test('two rules, one output', (t) => {
  const rule = (id: string, to: unknown, level = 'trip'): unknown => ({
    ...ok,
    interlock: id,
    effects: [{ set: 'P101.run_cmd', to, level }],
  });
  t.match(lines(problemsOf([rule('A', false), rule('B', true)], tags)), [
    /A and B may set P101.run_cmd to different values \(false, true\) at the level trip/,
  ]);
  t.same(problemsOf([rule('A', false), rule('B', false)], tags), []);
  t.same(problemsOf([rule('A', false), rule('B', true, 'interlock')], tags), []);
  t.match(
    lines(
      problemsOf(
        [
          rule('A', false, 'interlock'),
          { permissive: 'P', output: 'P101.run_cmd', all_of: { x: 'P101.running' } },
        ],
        tags,
      ),
    ),
    [/A and P may set P101.run_cmd/],
  );
  const twice = {
    ...ok,
    effects: [
      { set: 'P101.run_cmd', to: false },
      { set: 'P101.run_cmd', to: true },
    ],
  };
  t.match(lines(problemsOf([twice], tags)), [/OK sets P101.run_cmd twice/]);
  t.same(compiled([rule('A', false), rule('B', false)], tags).outputs.get(4), ['A', 'B']);
  t.end();
});

void t.test('outputs and their values', (t) => {
  const table: readonly (readonly [object, RegExp | undefined])[] = [
    [
      { set: 'LOCKED', to: false },
      /rules may not write LOCKED \| add writes: LOCKED: \{ allow: \[rules\] \}/,
    ],
    [{ set: 'P101.run_cm', to: false }, /no tag P101.run_cm \| did you mean P101.run_cmd/],
    [{ set: 'P101.run_cmd', to: 1 }, /true or false, not 1/],
    [{ set: 'P101.speed', to: true }, /is a number, not true/],
    [{ set: 'P101.speed', to: 60 }, /P101.speed is in %, 60 has no unit \| to: 60 %/],
    [{ set: 'P101.speed', to: '60 bar' }, /is in %, 60 bar is not/],
    [{ set: 'P101.speed', to: 'fast' }, /fast is no value/],
    [{ set: 'P101.speed', to: '60 %' }, undefined],
    [{ set: 'MODE', to: 'OF' }, /MODE is never OF \| did you mean OFF/],
    [{ set: 'MODE', to: 'OFF' }, undefined],
    [{ set: 'MODE', to: 1 }, undefined],
    [{ set: 'MODE' }, /to is missing/],
    [{ set: 'P101.run_cmd', to: false, levle: 'trip' }, /unknown key levle \| did you mean level/],
    [{ set: 'P101.run_cmd', to: false, level: 'auto' }, /level cannot be auto/],
    [
      { set: 'P101.run_cmd', to: false, verify: { expect: 'P101.runing', within: '3s' } },
      /no tag, signal or constant P101.runing \| did you mean P101.running/,
    ],
    [{ set: 'P101.run_cmd', to: false, verify: { expect: 'P101.running' } }, /within is missing/],
  ];
  for (const [effect, wanted] of table) {
    const found = lines(problemsOf([{ ...ok, effects: [effect] }], tags));
    if (wanted) t.match(found.join('\n'), wanted);
    else t.same(found, [], JSON.stringify(effect));
  }
  t.end();
});

void t.test('names: tags, functions, kinds, keys, values', (t) => {
  const table: readonly (readonly [object, RegExp])[] = [
    [{ ...ok, cause: 'FT10l < 5 m3/h' }, /no tag, signal or constant FT10l \| did you mean FT101/],
    [
      { ...ok, cause: 'PT-201A > 5 bar' },
      /no tag, signal or constant PT \| write 'PT-201A' in quotes/,
    ],
    [{ ...ok, cause: "tripped('OKK')" }, /no interlock fits OKK \| did you mean OK/],
    [{ ...ok, cuase: 'x' }, /unknown key cuase \| did you mean cause/],
    [{ ...ok, bypass: {} }, /^$/],
    [{ ...ok, latch: 'manuel' }, /latch cannot be manuel \| did you mean manual/],
    [{ ...ok, on_bad: { FT999: 'trip' } }, /no tag or signal FT999/],
    [{ ...ok, on_bad: { FT102: 'trip' } }, /FT102 is not used in cause or arm/],
    [{ ...ok, on_bad: { FT101: 'explode' } }, /explode is no answer to a bad value/],
    [{ ...ok, on_bad: { FT101: 'trip after soon' } }, /no answer/],
    [{ ...ok, latch: 'auto', reset: 'P101.running' }, /resets by itself/],
    [{ ...ok, hold: '5s' }, /hold is for latch: auto/],
    [{ ...ok, max_response: 'soon' }, /soon is no time/],
    [{ interlock: 'X Y', cause: 'true' }, /name of interlock must be/],
    [{ interlok: 'X' }, /what kind of rule is this\? \| did you mean interlock/],
    [{ diagnosis: 'P101' }, /symptoms is missing/],
    [{ shed: 'PEAK' }, /start is missing/],
    [{ group: 'CV1' }, /causes is missing/],
    [{ alarm: 'A', when: 'P101.running' }, /priority is missing/],
    [
      { alarm: 'A', when: 'FT101', priority: 'low' },
      /expected a condition, FT101 is a number in m3\/h/,
    ],
    [{ alarm: 'A', when: 'NAME', priority: 'low' }, /expected a condition, NAME is a text/],
    [
      { alarm: 'A', when: 'MODE == "AUT"', priority: 'low' },
      /MODE is never "AUT" \| did you mean AUTO/,
    ],
    [{ alarm: 'A', when: 'NAME < "x"', priority: 'low' }, /== and != only/],
    [{ alarm: 'A', when: 'FT101 == "x"', priority: 'low' }, /has no texts/],
    [{ alarm: 'A', when: 'P101.running > 1', priority: 'low' }, /cannot compare/],
    [{ alarm: 'A', when: 'P101.running < true', priority: 'low' }, /cannot be compared with </],
    [{ permissive: 'P', all_of: {} }, /no condition/],
    [{ permissive: 'P', output: 'P101.speed', all_of: { x: 'true' } }, /must be a bool/],
    [{ signal: 'FT101', value: '1' }, /there is a tag FT101 already/],
    [{ signal: 'S', value: '"x"' }, /not a text/],
    [{ signal: 'S', value: 'P101.running', unit: 'bar' }, /have no unit/],
    [{ signal: 'S' }, /value is missing/],
    [{ ...ok, cause: ['a'] }, /expected an expression/],
    [{ ...ok, effects: {} }, /effects is a list/],
    [{ ...ok, uncertain: 'maybe' }, /uncertain cannot be maybe/],
  ];
  for (const [rule, wanted] of table)
    t.match(lines(problemsOf([rule], tags)).join('\n'), wanted, JSON.stringify(rule));
  for (const junk of [null, 5, 'x', [], {}, { '': 1 }])
    t.equal(problemsOf([junk], tags).length, 1, JSON.stringify(junk));
  t.end();
});

void t.test('all problems at once, in the order of the rules, each with its place', (t) => {
  const problems = problemsOf(
    [
      {
        interlock: 'A',
        cause: 'FT101 < 5 and NOPE',
        arm: 'FT102',
        reset: 'x <',
        effects: [{ set: 'LOCKED', to: 1 }],
      },
      { alarm: 'A', when: 'P101.running', priority: 'low' },
      { signal: 'S', value: 'FT101 + NOPE2' },
      { alarm: 'USES-S', when: 'S > 5 m3/h', priority: 'low', oops: 1 },
    ],
    tags,
  );
  t.same(
    problems.map((one) => [one.index, one.path.join('.'), one.offset]),
    [
      [0, 'reset', 3],
      [0, 'cause', 0],
      [0, 'cause', 14],
      [0, 'arm', 0],
      [0, 'effects.0.set', undefined],
      [0, 'effects.0.to', undefined],
      [1, 'alarm', undefined],
      [2, 'value', 8],
      [3, 'oops', undefined],
    ],
    'and nobody is blamed for the problem of a signal that he uses',
  );
  t.match(problems[6]?.message, /A exists already: interlock in rules.yaml, rule 1/);
  t.end();
});

void t.test('a response budget that cannot be met is refused with the sum', (t) => {
  const cause = '(FT101 < 5 m3/h for 2s) for 3s';
  t.match(problemsOf([{ ...ok, cause, max_response: '6s' }], tags), [
    { message: 'cannot respond within 6s: scan 1s + delays 5s + gateway 100ms = 6.1s' },
  ]);
  t.same(problemsOf([{ ...ok, cause, max_response: '6100ms' }], tags), []);
  const behind = [
    { signal: 'LOW', value: 'FT101 < 5 m3/h for 2s' },
    { ...ok, cause: 'LOW for 3s', max_response: '6s' },
  ];
  t.match(problemsOf(behind, tags)[0]?.message, /delays 5s/, 'what a signal waits counts too');
  t.end();
});

void t.test('descriptions, hashes and warnings', (t) => {
  const program = compiled([ok], tags);
  t.match(program.describe('OK'), {
    kind: 'interlock',
    source: 'interlock: OK\ncause: FT101 < 5 m3/h\neffects: []',
  });
  t.equal(program.describe('NOPE'), undefined);
  const hash = (rule: unknown): string => compiled([rule], tags).describe('OK')?.hash ?? '';
  const { interlock, cause, effects } = ok;
  t.equal(hash({ effects, cause, interlock }), hash(ok), 'the order of keys has no meaning');
  t.not(hash({ ...ok, cause: 'FT101 < 6 m3/h' }), hash(ok));
  const short = compiled([{ ...ok, cause: 'FT101 < 5 m3/h for 500ms' }], tags);
  t.match(short.warnings, [
    { path: ['cause'], message: /for 500ms is shorter than two scans of 1s/ },
  ]);
  t.end();
});

void t.test('the examples of the language that this version covers compile', (t) => {
  const plantTags: TagSpecs = {
    GD601: '%LEL',
    GD602: '%LEL',
    GD603: '%LEL',
    'FAN6.high_cmd': { type: 'bool', writable: true },
    'FS6.airflow': 'bool',
    SOUNDER6: { type: 'bool', writable: true },
    'XV600.open_cmd': { type: 'bool', writable: true },
    'HS600.reset': 'bool',
    'PLC1.heartbeat': { type: 'uint16' },
    'PLC1.remote_sp_enable': { type: 'bool', writable: true },
  };
  const leak = {
    interlock: 'GD-VENT',
    cause: '1 of [GD601 > 20 %LEL, GD602 > 20 %LEL, GD603 > 20 %LEL] for 2s',
    on_bad: { '*': 'trip after 5s' },
    latch: 'auto',
    hold: '10min',
    effects: [
      {
        set: 'FAN6.high_cmd',
        to: true,
        level: 'trip',
        verify: { expect: 'FS6.airflow', within: '10s', retry: 1, on_fail: 'trip GD-ESD' },
      },
      { set: 'SOUNDER6', to: true, level: 'trip' },
    ],
  };
  const esd = {
    interlock: 'GD-ESD',
    cause: '2 of [GD601 > 40 %LEL, GD602 > 40 %LEL, GD603 > 40 %LEL] degrade 1oo2',
    latch: 'manual',
    reset: 'rising(HS600.reset) and 3 of [GD601 < 10 %LEL, GD602 < 10 %LEL, GD603 < 10 %LEL]',
    effects: [{ set: 'XV600.open_cmd', to: false, level: 'trip' }],
  };
  const comms = {
    interlock: 'PLC1-COMMS',
    cause: 'not changing(PLC1.heartbeat, 3s) or (bad(PLC1.heartbeat) for 3s)',
    latch: 'auto',
    hold: '30s',
    effects: [{ set: 'PLC1.remote_sp_enable', to: false, level: 'trip' }],
    alarm: {
      priority: 'high',
      consequence: 'remote set-points frozen',
      response: 'confirm PLC local mode',
      response_time: '5min',
    },
  };
  t.same(lines(problemsOf([leak, esd, comms], plantTags)), []);
  t.end();
});

void t.test('thousands of rules compile and none is lost', (t) => {
  const sources = Array.from({ length: 3000 }, (_, index) => ({
    file: 'a.yaml',
    index,
    rule: { signal: `S${index}`, value: index === 0 ? 'FT101' : `S${index - 1} + 1 m3/h` },
  }));
  const result = compileRules(sources, lookupOf(tags));
  t.ok(result.ok);
  t.equal(result.ok && result.program.ids.length, 3000);
  t.end();
});
