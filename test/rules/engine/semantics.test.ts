/**
 * The checklist of semantics, point by point, where no other file has the point in the name of a test. Points
 * that belong to the gateway around the rules stand in its tests (search for "point 23" and the like).
 */
import { createHash } from 'node:crypto';
import t from 'tap';
import { mono, Quality, wall, type ScanResult } from '../../../gateway/contract/index.js';
import { createEngine, parseExpression, runSuite } from '../../../rules/index.js';
import { compiled, epoch, lookupOf, person, plant, problemsOf, type Plant } from '../plant.js';
import { started, tags, trip } from '../valves.js';

void t.test(
  'point 1: all rules of a scan see one picture; outputs are demanded once, at its end',
  (t) => {
    const p = started([
      { signal: 'S1', value: 'A + 1 bar' },
      { signal: 'S2', value: 'S1 - A' },
      trip({ cause: 'S2 > 1.5 bar or S2 < 0.5 bar' }),
    ]);
    for (let i = 0; i < 50; i++) {
      p.set({ A: (i * 7919) % 97 });
      p.to(i + 1);
    }
    t.equal(p.state('I'), 'NORMAL', 'the difference was never seen with values of two scans');
    t.equal(p.result.intents.length, 0);
    t.end();
  },
);

void t.test('point 2: order follows need, then name; rings are refused with the ring', (t) => {
  const list = [
    { signal: 'Z', value: 'A' },
    { signal: 'M', value: 'Z' },
    { signal: 'B1', value: 'A' },
  ];
  t.same(compiled(list, tags).ids, compiled([...list].reverse(), tags).ids);
  t.same(compiled(list, tags).ids, ['B1', 'Z', 'M']);
  const ring = [
    { signal: 'P', value: 'Q' },
    { signal: 'Q', value: 'P' },
  ];
  t.match(problemsOf(ring, tags)[0]?.message, /P → Q → P/);
  const fed = { signal: 'P', value: 'prev(Q)', unit: 'bar' };
  t.same(problemsOf([fed, { signal: 'Q', value: 'P + A', unit: 'bar' }], tags), []);
  t.end();
});

/** Of the log of point 4. */
const pinned = 'f220e6b88b36d924';

/** Everything that comes out of a history, as one text. */
function logOf(p: Plant, results: ScanResult[]): string {
  return JSON.stringify([
    results,
    [...p.image.numbers].map((value) => (Number.isNaN(value) ? 'NaN' : value)),
    [...p.image.qualities],
    p.engine.retained(),
  ]);
}

void t.test(
  'point 4: the same rules on the same input give the same bytes, on every machine',
  (t) => {
    const rules = [
      { signal: 'S', value: 'ewma(A, 7s) + stddev(B, 9s) - slope(A, 5s) * 1 s' },
      { signal: 'R', value: 'rho_water(20 degC + (A / 1 bar) * 1 K)' },
      { alarm: 'C', when: 'cusum(A, 5 bar, 0.5 bar, 4 bar)', priority: 'low' },
      trip({
        cause: '(A > 9 bar or S > 20 bar) for 2s',
        latch: 'auto',
        hold: '3s',
        reset: undefined,
      }),
    ];
    const run = (): string => {
      const p = started(rules);
      const results: ScanResult[] = [];
      let state = 42;
      for (let i = 1; i <= 500; i++) {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        p.set({ A: (state % 1200) / 100, B: ((state >>> 8) % 1000) / 100 });
        if (state % 17 === 0) p.quality('B', Quality.timeout);
        results.push({ ...p.to(i * 0.7) });
      }
      return logOf(p, results);
    };
    const first = run();
    t.equal(run(), first);
    t.equal(
      createHash('sha256').update(first).digest('hex').slice(0, 16),
      pinned,
      'pinned: another processor, or another version of Node, must give the same',
    );
    t.end();
  },
);

/** States of a delayed interlock at each second, under a wall clock that is set every second. */
function underClock(step: (second: number) => number): readonly unknown[] {
  const program = compiled([trip({ cause: 'A > 10 bar for 5s' })], tags);
  const size = Object.keys(tags).length;
  const numbers = new Float64Array(size).fill(1);
  const image = {
    size,
    numbers,
    qualities: new Uint8Array(size),
    times: new Float64Array(size),
    wide: [],
  };
  let offset = 0;
  const engine = createEngine(program, {
    image,
    signalIndex: [],
    put: () => undefined,
    wallOf: (ms) => wall(epoch + ms + offset),
  });
  engine.scan(mono(0));
  numbers[0] = 11;
  return Array.from({ length: 8 }, (_, second) => {
    offset = step(second);
    engine.scan(mono((second + 1) * 1000));
    return engine.states().get('I');
  });
}

void t.test('point 7: delays do not see the wall clock', (t) => {
  const straight = underClock(() => 0);
  t.same(straight, [
    ...Array.from({ length: 5 }, () => 'PENDING'),
    'TRIPPED',
    'TRIPPED',
    'TRIPPED',
  ]);
  t.same(
    underClock((second) => second * 3_600_000),
    straight,
    'put forward by an hour, every second',
  );
  t.same(
    underClock((second) => second * -3_600_000),
    straight,
    'and back',
  );
  t.end();
});

void t.test(
  'point 8: what came first is told by the time of the tags, and a tie is marked',
  (t) => {
    const p = started([trip({ cause: 'A > 10 bar or B > 10 bar' })]);
    p.now = 5000;
    p.set({ B: 11 });
    p.now = 5400;
    p.set({ A: 11 });
    p.scan();
    const [first, second] = p.engine.why('I')?.now ?? [];
    t.match(first, { expression: 'B > 10 bar', tie: undefined });
    t.match(second, { expression: 'A > 10 bar', tie: true });
    const q = started([trip({ cause: 'A > 10 bar or B > 10 bar' })]);
    q.set({ B: 11 });
    q.to(5);
    t.match(q.engine.why('I')?.firstOut, { tag: 'B' });
    q.set({ A: 12 });
    q.to(9);
    t.match(q.engine.why('I')?.firstOut, { tag: 'B' }, 'who comes later is not first');
    t.end();
  },
);

void t.test('points 9 and 10: what decides alone decides; no number is no value', (t) => {
  const is = (value: string, bad: string): string => {
    const p = started([{ signal: 'S', value }]);
    p.quality(bad, Quality.timeout);
    p.scan();
    return p.qualityOf('S') >= 0x80 ? 'bad' : String(p.value('S'));
  };
  t.equal(is('A > 10 bar and B > 0 bar', 'B'), '0');
  t.equal(is('A > 0 bar or B > 0 bar', 'B'), '1');
  t.equal(is('A > 0 bar and B > 0 bar', 'B'), 'bad');
  t.equal(is('A / (B - B)', 'BTN'), 'bad');
  t.equal(is('(A / 1 bar) * 1e308 * 1e10', 'BTN'), 'bad');
  t.end();
});

void t.test(
  'points 11 and 12: stale is bad; uncertain is bad for what trips, used for what tells',
  (t) => {
    const rules = [
      trip({ latch: 'auto', reset: undefined }),
      { permissive: 'PM', all_of: { low: 'A < 10 bar' } },
      { alarm: 'AL', when: 'A < 10 bar', priority: 'low' },
      { signal: 'S', value: 'A' },
    ];
    const p = started(rules);
    p.quality('A', Quality.outOfRange);
    p.to(1);
    t.equal(p.state('I'), 'TRIPPED');
    t.equal(p.state('PM'), 'DENIED');
    t.equal(p.state('AL'), 'UNACK');
    t.equal(p.qualityOf('S'), Quality.outOfRange, 'and marked');
    p.quality('A', Quality.stale);
    p.to(2);
    t.equal(p.qualityOf('S'), Quality.stale, 'the reason is kept');
    t.end();
  },
);

void t.test('point 13: every answer to a bad tag', (t) => {
  const after = (policy: string | undefined, seconds: number): unknown => {
    const p = started([trip(policy === undefined ? {} : { on_bad: { A: policy } })]);
    p.to(1);
    p.quality('A', Quality.timeout);
    p.scan();
    p.to(1 + seconds);
    return p.state('I');
  };
  t.equal(after(undefined, 0.1), 'TRIPPED');
  t.equal(after('trip', 0.1), 'TRIPPED');
  t.same([after('trip after 5s', 4.9), after('trip after 5s', 5.1)], ['PENDING', 'TRIPPED']);
  t.equal(after('hold', 1e5), 'NORMAL');
  t.same(
    [after('hold for 5s then trip', 4.9), after('hold for 5s then trip', 5.1)],
    ['PENDING', 'TRIPPED'],
  );
  t.same([after('last_good for 5s', 4.9), after('last_good for 5s', 5.1)], ['NORMAL', 'TRIPPED']);
  t.equal(after('ignore', 1e5), 'NORMAL');
  t.end();
});

void t.test('point 14: a window with too little in it is bad', (t) => {
  const p = started([
    { signal: 'S', value: 'avg(A, 10s)' },
    { signal: 'L', value: 'avg(A, 10s, min_valid 30 %)' },
  ]);
  p.to(20);
  p.quality('A', Quality.timeout);
  p.scan();
  p.to(22);
  t.equal(p.qualityOf('S'), Quality.good, '80 % of it are good');
  p.to(23.5);
  t.equal(p.qualityOf('S'), Quality.input);
  t.equal(p.qualityOf('L'), Quality.good);
  p.to(28);
  t.equal(p.qualityOf('L'), Quality.input);
  t.end();
});

void t.test(
  'point 15: a bad tag restarts the delay of an alarm, and not that of an interlock',
  (t) => {
    const p = started([
      trip({ cause: 'A > 10 bar for 10s', on_bad: { A: 'hold' } }),
      { alarm: 'AL', when: 'A > 10 bar', priority: 'low', on_delay: '10s' },
    ]);
    p.set({ A: 11 });
    p.to(5);
    p.quality('A', Quality.timeout);
    p.to(6);
    p.set({ A: 11 });
    p.to(10.1);
    t.equal(p.state('I'), 'TRIPPED', '10 s after it began');
    t.equal(p.state('AL'), 'NORMAL');
    p.to(16.1);
    t.equal(p.state('AL'), 'UNACK', '10 s after it was known again');
    t.end();
  },
);

void t.test('points 16 and 17: the states of an interlock, and that an inhibit is seen', (t) => {
  const p = started([trip({ cause: 'A > 10 bar for 2s', arm: 'RUN' })], { RUN: false });
  const states = [p.state('I')];
  const go = (values: Record<string, number | boolean>, at: number): void => {
    p.set(values);
    p.to(at);
    states.push(p.state('I'));
  };
  go({ RUN: true }, 1);
  go({ A: 11 }, 2);
  go({}, 4.1);
  go({ BTN: true }, 5); // the cause stands: no reset
  go({ A: 1 }, 6); // held true it is no edge
  go({ BTN: false }, 7);
  go({ BTN: true }, 8);
  t.same(states, [
    'DISARMED',
    'NORMAL',
    'PENDING',
    'TRIPPED',
    'TRIPPED',
    'TRIPPED_CLEAR',
    'TRIPPED_CLEAR',
    'NORMAL',
  ]);
  t.end();
});

void t.test('point 18: a group tells which of its causes came first', (t) => {
  const group = {
    group: 'G',
    causes: { one: 'A > 10 bar for 2s', two: 'B > 10 bar for 1s' },
    effects: [],
  };
  const p = started([group]);
  p.set({ A: 11 });
  p.to(0.5);
  p.set({ B: 11 });
  p.to(3);
  t.match(p.engine.why('G')?.firstOut, { cause: 'two', tag: 'B' }, 'its delay ran out first');
  t.end();
});

void t.test(
  'points 19 to 21: what was tripped stays so: restart, lost states, another text',
  (t) => {
    const p = started([trip()]);
    p.set({ A: 11 });
    p.to(1);
    t.ok(p.result.retainedChanged || p.events.length > 0);
    const kept = JSON.parse(JSON.stringify(p.engine.retained())) as never;
    const again = (rules: readonly object[], retained: unknown): Plant => {
      const q = plant(rules, tags, retained as never);
      q.set({ A: 1, B: 1, RUN: true, BTN: true });
      q.scan();
      return q;
    };
    t.equal(
      again([trip()], kept).state('I'),
      'TRIPPED_CLEAR',
      'and a button that is held is no edge',
    );
    t.equal(again([trip({ cause: 'A > 12 bar' })], kept).state('I'), 'TRIPPED_CLEAR');
    t.equal(again([trip()], undefined).state('I'), 'NORMAL');
    t.equal(again([trip({ init: 'tripped' })], undefined).state('I'), 'TRIPPED_CLEAR');
    t.equal(again([trip()], { I: { state: 5, hash: null } }).state('I'), 'NORMAL', 'junk');
    const lost = plant([trip()], tags, undefined, { lost: new Set(['I']) });
    lost.set({ A: 1, B: 1, RUN: true, BTN: false });
    lost.scan();
    t.equal(lost.state('I'), 'TRIPPED_CLEAR');
    t.match(lost.engine.why('I')?.firstOut?.expression, /retained state was lost/);
    t.end();
  },
);

void t.test('point 25: the strongest level wins, and a conflict at one level is refused', (t) => {
  const shed = {
    shed: 'SH',
    start: 'B > 10 bar',
    restore: 'B < 5 bar',
    steps: [{ set: 'V', to: true }],
  };
  const p = started([trip(), shed]);
  p.set({ B: 11 });
  p.to(1);
  t.equal(p.demanded('V'), true);
  p.set({ A: 11 });
  p.to(2);
  t.equal(p.demanded('V'), false, 'the trip is stronger');
  const other = { ...trip(), interlock: 'J', effects: [{ set: 'V', to: true }] };
  t.match(problemsOf([trip(), other], tags)[0]?.message, /I and J may set V to different values/);
  const weaker = { ...other, effects: [{ set: 'V', to: true, level: 'interlock' }] };
  t.same(problemsOf([trip(), weaker], tags), []);
  t.end();
});

void t.test('point 38: coverage sees what was never true, false or not known', (t) => {
  const result = runSuite({
    sources: [{ file: 'r', index: 0, rule: trip({ cause: 'A > 10 bar and B > 5 bar' }) }],
    lookup: lookupOf(tags),
    tests: [
      {
        file: 't',
        test: {
          test: 'half',
          rules: ['I'],
          timeline: { '0s': { A: '1 bar', B: '6 bar', BTN: false }, '5s': { A: '11 bar' } },
          expect: [{ at: '6s', I: 'TRIPPED' }],
        },
      },
    ],
    mutate: true,
  });
  t.same(result.failures, []);
  t.match(result.coverage[0], { atoms: 3, both: 1, undecided: ['B > 5 bar'] });
  t.match(result.coverage[0]?.oneSided.join(), /B > 5 bar was never false/);
  const [score] = result.mutation;
  t.ok(score && score.killed < score.made, 'slips in what was not tried are not noticed');
  t.match(score?.survivors.join('\n'), /B > 4.75 bar/);
  t.end();
});

void t.test('point 41: bounds are met at load', (t) => {
  const deep = `${'('.repeat(70)}RUN${')'.repeat(70)}`;
  t.match(parseExpression(deep), { ok: false });
  t.match(parseExpression(`RUN ${'or RUN '.repeat(1200)}`), { ok: false });
  const long = { signal: 'S', value: 'avg(A, 9999d)' };
  t.match(problemsOf([long], tags)[0]?.message, /needs a time/);
  t.end();
});

void t.test('point 42: rules cannot run code, nor make names', (t) => {
  for (const text of [
    'constructor',
    '__proto__',
    'A.constructor',
    'toString(A)',
    'eval("1")',
    '`1`',
  ])
    t.ok(problemsOf([{ signal: 'S', value: text }], tags).length > 0, text);
  t.match(problemsOf([{ alarm: '__proto__', when: 'RUN', priority: 'low' }], tags), []);
  t.equal(({} as Record<string, unknown>)['state'], undefined);
  t.end();
});

void t.test('a person can do to a rule only what belongs to it', (t) => {
  const p = started([{ signal: 'S', value: 'A' }, trip()]);
  const tell = (id: string, kind: 'ack' | 'reset' | 'unshelve'): unknown =>
    p.engine.command(id, { kind }, person('ann'), mono(p.now));
  t.match(tell('S', 'reset'), { ok: false, reason: /signal/ });
  t.match(tell('I', 'unshelve'), {
    ok: false,
    reason: /I is an interlock: unshelve means nothing/,
  });
  t.match(tell('NO', 'ack'), { ok: false, reason: /no rule NO/ });
  t.end();
});
