/** What is asked of rules before they are armed: points 37, 39 and 40 of the semantics. */
import t from 'tap';
import {
  budgetsOf,
  callsOf,
  describeRule,
  difference,
  lintProgram,
  type TagTiming,
  replay,
  runSuite,
  whyAt,
} from '../../../rules/index.js';
import { compiled, lookupOf, problemsOf, type TagSpecs } from '../plant.js';

const tags: TagSpecs = {
  FT: { unit: 'm3/h', period: 500 },
  RUN: { type: 'bool', period: 500 },
  CMD: { type: 'bool', writable: true },
  RESET: { type: 'bool', period: 500 },
};
const dry = {
  interlock: 'DRY',
  cause: 'FT < 5 m3/h for 5s',
  arm: 'RUN',
  effects: [{ set: 'CMD', to: false, verify: { expect: 'not RUN', within: '3s' } }],
};

void t.test('point 39: lints', (t) => {
  const lint = (rule: object, span?: readonly [number, number], deadband?: number): string =>
    lintProgram(compiled([rule], tags), () => ({ span, deadband, stale: 0 }))
      .map(({ code }) => code)
      .join();
  const quiet = { consequence: 'a', response: 'b', response_time: '5min' };
  t.equal(lint({ alarm: 'A', when: 'FT > 50 m3/h', priority: 'low', ...quiet }), 'no-hysteresis');
  t.equal(lint({ alarm: 'A', when: 'FT > 50 m3/h for 9s', priority: 'low', ...quiet }), '');
  t.equal(lint({ alarm: 'A', when: 'FT > 50 m3/h hyst 1 m3/h', priority: 'low' }), 'no-response');
  const never = { alarm: 'A', when: 'FT > 70 m3/h for 9s', priority: 'low', ...quiet };
  t.equal(lint(never, [0, 60]), 'always');
  t.equal(lint({ ...never, when: 'FT < 70 m3/h for 9s' }, [0, 60]), 'always');
  t.equal(lint(never, [0, 100]), '');
  t.equal(lint(never, undefined, 0), 'no-deadband');
  t.equal(lint(dry), 'no-reset');
  t.equal(
    lint({ ...dry, reset: 'rising(RESET)', effects: [{ set: 'CMD', to: false }] }),
    'not-verified',
  );
  const fan = { set: 'CMD', to: true, verify: { expect: 'RUN', within: '1s' } };
  t.equal(lint({ ...dry, reset: 'rising(RESET)', effects: [fan] }), 'energise-to-trip');
  t.equal(lint({ ...dry, reset: 'rising(RESET)', mode: 'shadow' }), 'shadow');
  t.match(
    compiled([{ ...dry, cause: 'FT < 5 m3/h for 900ms' }], tags).warnings[0]?.message,
    /two scans/,
  );
  t.end();
});

void t.test('point 40: response budgets', (t) => {
  const facts = (name: string): TagTiming => ({
    span: undefined,
    deadband: undefined,
    stale: name === 'FT' ? 1500 : 0,
  });
  const [budget] = budgetsOf(compiled([dry], tags), facts);
  t.strictSame(budget, {
    rule: 'DRY',
    wanted: undefined,
    scan: 500,
    delay: 5000,
    function: 0,
    grace: 0,
    functions: [],
    unbounded: [],
    gateway: 100,
    demand: 5600,
    silent: 6600,
    never: [],
    verify: 3000,
    sum: 9600,
  });
  const silence = (rule: object): unknown => {
    const budget = budgetsOf(compiled([{ ...dry, ...rule }], tags), facts)[0];
    return [budget?.silent, ...(budget?.never ?? [])];
  };
  t.same(silence({}), [6600], 'stale, the delay, the gateway');
  t.same(silence({ on_bad: { FT: 'trip after 10s' } }), [11_600], 'a demand waits for no delay');
  t.same(silence({ on_bad: { FT: 'hold for 4s then trip' } }), [5600]);
  t.same(silence({ on_bad: { FT: 'last_good for 4s' } }), [10_600]);
  t.same(silence({ on_bad: { FT: 'ignore' } }), [5100, 'FT'], 'that of RUN is left');
  t.same(silence({ on_bad: { FT: 'trip after 10s', RUN: 'ignore' } }), [11_600, 'RUN']);
  t.same(silence({ on_bad: { '*': 'hold' } }), [0, 'FT', 'RUN']);
  t.same(
    silence({ on_bad: { FT: 'ignore', RUN: 'trip after 20s' } }),
    [20_100, 'FT'],
    'arm counts',
  );
  const votes = '2 of [FT < 5 m3/h, FT < 6 m3/h, FT < 7 m3/h] degrade 1oo2';
  t.same(silence({ cause: votes, grace: '30s' }), [31_600], 'what the vote bears');
  const flow = { signal: 'FLOW', value: 'FT * 2' };
  const behind = { ...dry, cause: 'FLOW < 5 m3/h for 5s' };
  t.equal(budgetsOf(compiled([flow, behind], tags), facts)[0]?.silent, 6600, 'through signals');
  const near = { ...dry, publish: ['margin'], interlock: 'NEAR' };
  const far = { ...dry, cause: 'NEAR.margin < 5 %' };
  const both = budgetsOf(compiled([near, far], tags), facts);
  t.equal(both.find(({ rule }) => rule === 'DRY')?.silent, 1600, 'through figures');
  const slow = (max_response: string): string | undefined =>
    lintProgram(compiled([{ ...dry, max_response }], tags), facts).find(
      ({ code }) => code === 'slow-response',
    )?.message;
  t.equal(slow('9600ms'), undefined);
  t.equal(
    slow('8s'),
    'the demand comes within 5.6s, but a tag that falls silent may take 6.6s, and the plant has 3s to follow: 9.6s in all, max_response is 8s',
  );
  t.match(
    problemsOf([{ ...dry, max_response: '5s' }], tags)[0]?.message,
    /scan 500ms \+ delays 5s/,
  );
  t.end();
});

void t.test('a rule in sentences', (t) => {
  const lines = describeRule(compiled([dry], tags), 'DRY')?.join('\n');
  t.match(lines, /Trips when FT < 5 m3\/h for 5s/);
  t.match(lines, /Sets CMD = false, level trip; expects not RUN within 3s/);
  t.match(lines, /While an input is bad and could matter it trips/);
  t.equal(describeRule(compiled([dry], tags), 'NO'), undefined);
  const step = { set: 'CMD', to: false, min_off: '10min', max_off: '30min' };
  const shed = { shed: 'S', start: 'FT > 50 m3/h', restore: 'FT < 40 m3/h', steps: [step] };
  t.match(
    describeRule(compiled([shed], tags), 'S')?.join('\n'),
    'Step 1: CMD = false, off for at least 10min, back after 30min whatever the load, and on for as long.',
  );
  t.end();
});

void t.test('point 37: recorded data, and what if a limit were another one', (t) => {
  const lookup = lookupOf(tags);
  const start = 1_767_225_600_000;
  const sample = (at: number, tag: number, value: number, quality = 0): object => ({
    at: start + at * 1000,
    tag,
    value,
    quality,
  });
  const data = [
    sample(0, 1, 1),
    sample(0, 2, 1),
    ...[20, 20, 4.5, 4.5, 4.5, 20].map((flow, i) => sample(i * 3, 0, flow)),
    ...[20, 3, 3, 3, 20].map((flow, i) => sample(100 + i * 3, 0, flow)),
    sample(50, 0, 99),
  ] as never[];
  const run = (limit: number): ReturnType<typeof replay> =>
    replay(
      compiled([{ ...dry, cause: `FT < ${limit} m3/h for 5s`, latch: 'auto' }], tags),
      lookup,
      data,
    );
  const before = run(5);
  const calls = callsOf(before.events);
  t.same(
    calls.map(({ rule, at }) => [rule, (at - start) / 1000]),
    [
      ['DRY', 11],
      ['DRY-WRITE-FAILED', 14],
      ['DRY', 108],
      ['DRY-WRITE-FAILED', 111],
    ],
    'at the time at which the delay ran out, between the samples',
  );
  t.equal(before.backwards, 1, 'a sample from before is not used');
  const { added, removed } = difference(before.events, run(4).events);
  t.same(
    removed.map(({ rule, at }) => [rule, (at - start) / 1000]),
    [
      ['DRY', 11],
      ['DRY-WRITE-FAILED', 14],
    ],
  );
  t.same(added, []);
  const program = compiled([{ ...dry, cause: 'FT < 5 m3/h for 5s', latch: 'auto' }], tags);
  const then = (at: number): string | undefined => {
    const { explanation: found } = whyAt(program, lookup, data, {
      rule: 'DRY',
      at: start + at * 1000,
    });
    return found && `${String(found.state)}: ${found.firstOut?.expression ?? found.now.length}`;
  };
  t.equal(then(3), 'NORMAL: 1');
  t.equal(then(10.9), 'PENDING: 1', 'a delay that runs between two samples');
  t.equal(then(11), 'TRIPPED: FT < 5 m3/h', 'and has run out between them');
  t.equal(then(60), 'NORMAL: 1');
  t.equal(whyAt(program, lookup, data, { rule: 'WET', at: start }).explanation, undefined);
  const edge = compiled([{ interlock: 'EDGE', cause: 'rising(RUN)', latch: 'auto' }], tags);
  const pulse = [sample(0, 1, 0), sample(5, 1, 1), sample(9, 1, 1)] as never[];
  const edgeThen = (at: number): string | undefined =>
    whyAt(edge, lookup, pulse, { rule: 'EDGE', at: start + at * 1000 }).explanation?.state;
  t.equal(edgeThen(5), 'TRIPPED', 'what is true for one scan is true then');
  t.equal(edgeThen(5.005), 'TRIPPED');
  t.equal(edgeThen(5.01), 'NORMAL');
  t.end();
});

void t.test('a test file that is half read is refused', (t) => {
  const says = (test: object): string => {
    const sources = [{ file: 'r.yaml', index: 0, rule: dry }];
    const whole = { test: 'T', rules: ['DRY'], ...test };
    const found = runSuite({
      sources,
      lookup: lookupOf(tags),
      tests: [{ file: 't.yaml', test: whole }],
    });
    return [...found.problems, ...found.failures].map(({ message }) => message).join();
  };
  const expect = [{ at: '1s', DRY: 'DISARMED' }];
  const timeline = { '0s': { FT: '10 m3/h', RUN: false } };
  t.equal(says({ timeline, expect }), '');
  t.equal(
    says({ timeline, expect: { at: '1s', DRY: 'TRIPPED' } }),
    'expect is a list,the test expects nothing',
  );
  t.match(says({ timeline, expect: ['DRY'] }), /expect: each is a map of keys/);
  t.match(says({ timeline: [timeline], expect }), /timeline is a map of keys/);
  t.match(says({ timeline: { '0s': 'FT' }, expect }), /timeline 0s is a map of keys/);
  t.match(says({ timeline, expect, rules: 'DRY' }), /rules is a list/);
  const one = (more: object): object => ({ timeline, expect, cases: [{ name: 'c', ...more }] });
  t.match(says(one({ expects: expect })), /cases: unknown key expects; did you mean expect/);
  t.match(says(one({ replace: [] })), /replace is a map of keys/);
  t.match(
    says({ timeline: { '0s': { command: { reset: 'DRY', role: ['shift'] } } }, expect }),
    /command: unknown key role; did you mean roles/,
  );
  t.match(
    says({ timeline, expect, follow: { RUN: { off: 'CMD' } } }),
    /follow RUN: unknown key off/,
  );
  for (const name of ['DYR', 'DRY-FAILED'])
    t.match(
      says({ timeline, expect: [{ at: '1s', [name]: 'NORMAL' }] }),
      `there is no rule, alarm or tag ${name}`,
    );
  t.end();
});

void t.test('MC/DC: a cause counts when its delay has run out', (t) => {
  const deciding = (end: string): readonly string[] => {
    const sources = [{ file: 'r.yaml', index: 0, rule: dry }];
    const test = {
      test: 'T',
      rules: ['DRY'],
      timeline: { '0s': { FT: '10 m3/h', RUN: true }, '2s': { FT: '1 m3/h' } },
      expect: [{ at: end, RUN: true }],
    };
    const found = runSuite({ sources, lookup: lookupOf(tags), tests: [{ file: 't.yaml', test }] });
    t.same([...found.problems, ...found.failures], []);
    return found.coverage.flatMap(({ undecided }) => undecided);
  };
  t.same(deciding('6s'), ['FT < 5 m3/h']);
  t.same(deciding('8s'), []);
  t.end();
});

void t.test('slips are made in rules of templates and of matrices too', (t) => {
  const rules = [
    { template: 'pump', rules: [{ ...dry, interlock: '$unit-DRY' }] },
    { equipment: 'P1', template: 'pump' },
    {
      matrix: 'CE',
      csv: 'as read',
      reset: 'rising(RUN)',
      rows: [
        ['cause', 'expr', 'CMD=false'],
        ['LOW', 'FT < 2 m3/h', 'L'],
      ],
    },
  ];
  const test = {
    test: 'T',
    rules: ['P1-DRY', 'LOW'],
    timeline: { '0s': { FT: '1.9 m3/h', RUN: true } },
    expect: [{ at: '9s', 'P1-DRY': 'TRIPPED', LOW: 'TRIPPED' }],
  };
  const { problems, failures, mutation } = runSuite({
    sources: rules.map((rule, index) => ({ file: 'r.yaml', index, rule })),
    lookup: lookupOf(tags),
    tests: [{ file: 't.yaml', test }],
    mutate: true,
  });
  t.same([...problems, ...failures], []);
  t.same(mutation.map(({ rule }) => rule).sort(), ['LOW', 'P1-DRY']);
  t.ok(mutation.every(({ made, killed }) => killed > 0 && killed < made));
  t.end();
});
