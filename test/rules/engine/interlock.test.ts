import t from 'tap';
import { mono, Quality, type RetainedStates } from '../../../gateway/contract/index.js';
import { epoch, plant, person, type Plant, type TagSpecs } from '../plant.js';

const tags: TagSpecs = {
  FT101: 'm3/h',
  'P101.current': 'A',
  'P101.rated_current': 'A',
  'P101.running': 'bool',
  'HS101.reset': 'bool',
  'P101.run_cmd': { type: 'bool', writable: true },
};
const dryRun = {
  interlock: 'P101-DRYRUN',
  cause: '(FT101 < 5 m3/h or P101.current < 0.55 * P101.rated_current) for 5s',
  arm: 'P101.running for 8s',
  on_bad: { FT101: 'trip after 10s', 'P101.current': 'ignore' },
  latch: 'manual',
  reset: 'rising(HS101.reset) and not P101.running',
  effects: [
    {
      set: 'P101.run_cmd',
      to: false,
      level: 'trip',
      verify: { expect: 'not P101.running', within: '3s', retry: 2, on_fail: 'alarm X' },
    },
  ],
  max_response: '8s',
  alarm: {
    priority: 'high',
    consequence: 'seal damage',
    response: 'open suction valve HV100 and check strainer',
    response_time: '10min',
  },
};
const running = {
  FT101: 20,
  'P101.current': 30,
  'P101.rated_current': 40,
  'P101.running': true,
  'HS101.reset': false,
};

function started(rule: unknown = dryRun, retained?: RetainedStates): Plant {
  const p = plant([rule], tags, retained);
  p.set(running);
  p.scan();
  return p;
}

void t.test('dry run: trips 5 s after flow is lost, latches, needs a reset', (t) => {
  const p = started();
  t.equal(p.state('P101-DRYRUN'), 'DISARMED');
  p.to(7.9);
  t.equal(p.state('P101-DRYRUN'), 'DISARMED');
  p.to(8);
  t.equal(p.state('P101-DRYRUN'), 'NORMAL');
  p.to(20);
  p.set({ FT101: 3 });
  p.scan();
  t.equal(p.state('P101-DRYRUN'), 'PENDING');
  t.equal(p.result.nextDue, 25_000);
  p.to(24.9);
  t.equal(p.state('P101-DRYRUN'), 'PENDING');
  t.equal(p.demanded('P101.run_cmd'), undefined);
  p.to(25.1);
  t.equal(p.state('P101-DRYRUN'), 'TRIPPED');
  t.equal(p.demanded('P101.run_cmd'), false);
  t.strictSame(p.result.intents, [{ tag: 5, value: false, level: 'trip', source: 'P101-DRYRUN' }]);
  const trip = p.events.find((event) => event.to === 'TRIPPED');
  t.equal(trip?.time, epoch + 25_000);
  t.strictSame(trip?.evidence, [
    {
      expression: 'FT101 < 5 m3/h',
      tag: 'FT101',
      value: 3,
      unit: 'm3/h',
      limit: 5,
      quality: 'good',
      time: epoch + 20_000,
    },
  ]);
  t.match(trip?.text, 'P101-DRYRUN tripped: FT101 < 5 m3/h (3 m3/h, good)');
  t.match(p.engine.alarms()[0], { id: 'P101-DRYRUN', state: 'UNACK', priority: 'high' });
  t.same(p.engine.command('P101-DRYRUN', { kind: 'ack' }, person('ann'), mono(p.now)), {
    ok: true,
  });
  p.to(40);
  t.match(
    p.events.find((event) => event.by === 'ann'),
    { from: 'UNACK', to: 'ACKED' },
  );
  p.set({ FT101: 20 });
  p.to(45);
  t.equal(p.state('P101-DRYRUN'), 'TRIPPED_CLEAR');
  t.equal(p.demanded('P101.run_cmd'), false, 'still held');
  p.to(50);
  p.set({ 'P101.running': false, 'HS101.reset': true });
  p.to(50.1);
  t.equal(p.state('P101-DRYRUN'), 'DISARMED', 'reset; not armed, the pump stands');
  t.strictSame(p.result.intents, []);
  t.match(
    p.engine.alarms(),
    [
      {
        id: 'X',
        state: 'RTN_UNACK',
        text: /P101.run_cmd = false had no effect within 3s and 2 more/,
      },
    ],
    'the pump ran on for longer than 9 s: that was told',
  );
  p.engine.command('X', { kind: 'ack' }, person('ann'), mono(p.now));
  p.to(50.2);
  t.equal(p.engine.alarms().length, 0);
  t.end();
});

void t.test('a bad flow trips after 10 s; a bad current is ignored', (t) => {
  const p = started();
  p.to(15);
  p.quality('P101.current', Quality.timeout);
  p.to(20);
  p.quality('FT101', Quality.timeout);
  p.to(29.9);
  t.equal(p.state('P101-DRYRUN'), 'PENDING');
  p.to(30.2);
  t.equal(p.state('P101-DRYRUN'), 'TRIPPED');
  t.match(p.events.at(-1)?.evidence[0], {
    expression: 'FT101 BAD > 10s',
    tag: 'FT101',
    value: null,
    quality: 'bad (timeout)',
  });
  t.match(p.engine.why('P101-DRYRUN')?.firstOut, { expression: 'FT101 BAD > 10s' });
  t.end();
});

const simple = {
  interlock: 'HI',
  cause: "'PT-1' > 12 bar hyst 0.5 bar or LSH",
  reset: 'rising(HS)',
  effects: [
    { set: 'XV', to: false },
    { set: 'SP', to: '60 %', level: 'interlock' },
  ],
};
const simpleTags: TagSpecs = {
  'PT-1': 'bar',
  LSH: 'bool',
  HS: 'bool',
  XV: { type: 'bool', writable: true },
  SP: { unit: '%', writable: true },
  MODE: { type: 'uint16', writable: true, enumeration: { 0: 'OFF', 2: 'VENT' } },
};
function simplePlant(rule: unknown = simple, retained?: RetainedStates): Plant {
  const p = plant([rule], simpleTags, retained);
  p.set({ 'PT-1': 5, LSH: false, HS: false });
  p.scan();
  return p;
}

void t.test('latched until a rising reset with the cause gone; a held reset does nothing', (t) => {
  const p = simplePlant();
  t.equal(p.state('HI'), 'NORMAL');
  p.set({ 'PT-1': 12.1 });
  p.to(1);
  t.equal(p.state('HI'), 'TRIPPED');
  t.equal(p.demanded('XV'), false);
  t.equal(p.demanded('SP'), 60);
  p.set({ HS: true });
  p.to(2);
  t.equal(p.state('HI'), 'TRIPPED', 'a standing cause wins');
  p.set({ 'PT-1': 11.6 });
  p.to(3);
  t.equal(p.state('HI'), 'TRIPPED', 'still above the hysteresis');
  p.set({ 'PT-1': 11.4 });
  p.to(10);
  t.equal(p.state('HI'), 'TRIPPED_CLEAR', 'the button is still pressed: no edge, no reset');
  p.set({ 'PT-1': 13 });
  p.to(11);
  t.equal(p.state('HI'), 'TRIPPED', 'trips again out of TRIPPED_CLEAR');
  p.set({ 'PT-1': 5, HS: false });
  p.to(12);
  p.set({ 'PT-1': 13, HS: true });
  p.to(13);
  t.equal(p.state('HI'), 'TRIPPED', 'cause and reset in one scan: the cause wins');
  p.set({ 'PT-1': 5, HS: false });
  p.to(14);
  p.set({ HS: true });
  p.to(15);
  t.equal(p.state('HI'), 'NORMAL');
  t.same(
    p.events.map((event) => event.to),
    [
      'NORMAL',
      'TRIPPED',
      'TRIPPED_CLEAR',
      'TRIPPED',
      'TRIPPED_CLEAR',
      'TRIPPED',
      'TRIPPED_CLEAR',
      'NORMAL',
    ],
  );
  t.end();
});

void t.test('a reset button out of a bad time is no press', (t) => {
  const p = simplePlant();
  p.set({ LSH: true });
  p.to(1);
  p.set({ LSH: false });
  p.quality('HS', Quality.timeout);
  p.to(2);
  p.set({ HS: true });
  p.to(3);
  t.equal(p.state('HI'), 'TRIPPED_CLEAR');
  p.set({ HS: false });
  p.to(4);
  p.set({ HS: true });
  p.to(5);
  t.equal(p.state('HI'), 'NORMAL');
  t.end();
});

void t.test('reset by command: refused with the reason, or told in the next scan', (t) => {
  const p = started();
  const reset = (): unknown =>
    p.engine.command('P101-DRYRUN', { kind: 'reset' }, person('bob'), mono(p.now));
  p.to(10);
  t.match(reset(), { ok: false, reason: /not tripped/ });
  p.set({ FT101: 3 });
  p.to(20);
  t.match(reset(), { ok: false, reason: /cause stands: FT101 < 5 m3\/h \(3 m3\/h, good\)/ });
  p.set({ FT101: 30 });
  p.to(21);
  t.match(reset(), { ok: false, reason: /also needs: not P101.running/ });
  p.set({ 'P101.running': false });
  p.to(22);
  t.same(reset(), { ok: true });
  t.equal(p.state('P101-DRYRUN'), 'TRIPPED_CLEAR');
  p.scan();
  t.equal(p.state('P101-DRYRUN'), 'DISARMED');
  t.match(p.result.events[0], { from: 'TRIPPED_CLEAR', to: 'DISARMED', by: 'bob' });
  t.match(p.engine.command('NOPE', { kind: 'reset' }, person('bob'), mono(0)), {
    ok: false,
    reason: /no rule NOPE/,
  });
  t.end();
});

void t.test(
  'of two limits the one that was passed first came first, whichever is read first',
  (t) => {
    const cause = '(C > 5 or A > 3) for 3s';
    const p = plant([{ interlock: 'I', cause, effects: [] }], { A: '', C: '' });
    for (let at = 0; at <= 8; at++) {
      // C is read before A in each scan.
      p.to(at);
      p.set({ C: at >= 4 ? 6 : 0 });
      p.to(at + 0.1);
      p.set({ A: at >= 2 ? 4 : 0 });
      p.scan();
    }
    const trip = p.events.find((event) => event.to === 'TRIPPED');
    t.same(
      trip?.evidence.map(({ expression, tie }) => [expression, tie]),
      [
        ['A > 3', undefined],
        ['C > 5', undefined],
      ],
    );
    t.end();
  },
);

void t.test('first-out is the leaf that came first, not the first one written', (t) => {
  const p = plant([{ interlock: 'I', cause: '(A or B or C > 5) for 3s', effects: [] }], {
    A: 'bool',
    B: 'bool',
    C: '',
  });
  p.set({ A: false, B: false, C: 0 });
  p.scan();
  p.to(1);
  p.set({ C: 6 });
  p.to(2);
  p.set({ A: true, B: true });
  p.to(3);
  // Read again with the same value: that it came first has nothing to do with when it was read last.
  p.set({ C: 6 });
  p.to(9);
  const trip = p.events.find((event) => event.to === 'TRIPPED');
  t.same(
    trip?.evidence.map((one) => one.expression),
    ['C > 5', 'A', 'B'],
  );
  t.match(p.engine.why('I'), {
    state: 'TRIPPED',
    firstOut: { expression: 'C > 5', value: 6, limit: 5 },
    since: epoch + 4000,
    hash: /^[0-9a-f]{16}$/,
    source: /cause: \(A or B or C > 5\) for 3s/,
  });
  p.set({ C: 0 });
  p.to(10);
  t.match(
    p.engine.why('I')?.firstOut,
    { expression: 'C > 5', value: 6 },
    'as it stood at the trip',
  );
  t.same(
    p.engine.why('I')?.now.map((one) => one.expression),
    ['A', 'B'],
  );
  t.end();
});

void t.test('latch auto: released when the cause has been gone for the hold time', (t) => {
  const p = simplePlant({
    interlock: 'GD',
    cause: 'LSH',
    latch: 'auto',
    hold: '10min',
    effects: [{ set: 'MODE', to: 'VENT' }],
  });
  p.set({ LSH: true });
  p.to(1);
  t.equal(p.demanded('MODE'), 2);
  p.set({ LSH: false });
  p.to(300);
  t.equal(p.state('GD'), 'TRIPPED_CLEAR');
  p.set({ LSH: true });
  p.to(301);
  p.set({ LSH: false });
  p.to(302);
  p.to(900.9);
  t.equal(p.state('GD'), 'TRIPPED_CLEAR', 'counts from the last time');
  p.to(901);
  t.equal(p.state('GD'), 'NORMAL');
  t.match(p.engine.command('GD', { kind: 'reset' }, person('x'), mono(0)), { ok: false });
  t.end();
});

void t.test('after a start it waits for first values, says so, and not for ever', (t) => {
  const p = plant([simple], simpleTags);
  p.set({ LSH: false, HS: false });
  p.scan();
  t.equal(p.state('HI'), 'DISARMED');
  t.match(p.engine.why('HI')?.text.join(), /has not been read/);
  p.to(9.9);
  t.equal(p.state('HI'), 'DISARMED');
  p.to(10);
  t.equal(p.state('HI'), 'TRIPPED', 'never read is bad in the end');
  const q = plant([simple], simpleTags);
  q.set({ LSH: false, HS: false });
  q.quality('PT-1', Quality.notConnected);
  q.scan();
  t.equal(q.state('HI'), 'TRIPPED', 'a failed read is not waited for');
  t.end();
});

void t.test('a trip survives a restart and a changed rule, not a new one', (t) => {
  const p = simplePlant();
  p.set({ 'PT-1': 13 });
  p.scan();
  t.equal(p.result.retainedChanged, true);
  p.to(5);
  t.equal(p.result.retainedChanged, false);
  const kept = JSON.parse(JSON.stringify(p.engine.retained())) as RetainedStates;
  t.match(kept, { HI: { state: 'TRIPPED', since: epoch, kind: 'interlock' } });

  const again = plant([simple], simpleTags, kept);
  again.scan();
  t.equal(again.state('HI'), 'TRIPPED', 'before any value is there');
  t.equal(again.demanded('XV'), false, 'demanded from the first scan on');
  t.equal(again.result.retainedChanged, false);
  again.set({ 'PT-1': 5, LSH: false, HS: true });
  again.to(1);
  t.equal(again.state('HI'), 'TRIPPED_CLEAR', 'a button pressed at the start is no edge');
  t.match(again.engine.why('HI')?.firstOut, { tag: 'PT-1', value: 13 }, 'first-out survives');

  const changed = { ...simple, cause: "'PT-1' > 11 bar" };
  const other = plant([changed], simpleTags, kept);
  other.set({ 'PT-1': 5, HS: false });
  other.scan();
  t.equal(other.result.retainedChanged, true);
  t.equal(other.state('HI'), 'TRIPPED_CLEAR', 'a changed limit does not un-trip');

  const fresh = plant([{ ...simple, interlock: 'OTHER' }], simpleTags, kept);
  fresh.set({ 'PT-1': 5, LSH: false, HS: false });
  fresh.scan();
  t.equal(fresh.state('OTHER'), 'NORMAL', 'never seen before: init normal');
  const tripped = plant([{ ...simple, interlock: 'OTHER', init: 'tripped' }], simpleTags, kept);
  tripped.set({ 'PT-1': 5, LSH: false, HS: false });
  tripped.scan();
  t.equal(tripped.state('OTHER'), 'TRIPPED_CLEAR', 'unless it says otherwise');

  for (const junk of [null, 5, {}, { state: 'TRIPPED' }, { hash: 1, state: 2 }]) {
    const q = plant([simple], simpleTags, { HI: junk });
    q.set({ 'PT-1': 5, LSH: false, HS: false });
    q.scan();
    t.equal(q.state('HI'), 'NORMAL', 'what is no state is none');
  }
  t.end();
});

void t.test('permissives: every condition surely true, or denied by name', (t) => {
  const p = plant(
    [
      simple,
      {
        permissive: 'START',
        output: 'ENABLE',
        all_of: {
          'suction valve open': 'LSH',
          'no active trip': "not tripped('H*')",
          pressure: "'PT-1' < 10 bar",
        },
      },
    ],
    { ...simpleTags, ENABLE: { type: 'bool', writable: true } },
  );
  p.set({ 'PT-1': 5, LSH: false, HS: false });
  p.scan();
  t.equal(p.state('START'), 'DENIED');
  t.equal(p.demanded('ENABLE'), false);
  t.match(p.engine.why('START')?.text[1], 'suction valve open: LSH (false)');
  p.quality('LSH', Quality.timeout);
  p.to(1);
  t.equal(p.state('START'), 'DENIED', 'unknown is denied');
  const ok = plant(
    [simple, { permissive: 'P', all_of: { 'no trip': 'not tripped("HI")', p: "'PT-1' < 13 bar" } }],
    simpleTags,
  );
  ok.set({ 'PT-1': 5, LSH: false, HS: false });
  ok.scan();
  t.equal(ok.state('P'), 'PERMITTED');
  ok.set({ 'PT-1': 12.5 });
  ok.scan();
  t.equal(ok.state('P'), 'DENIED', 'sees a trip of the same scan');
  t.match(ok.result.events.at(-1), { rule: 'P', text: /denied: no trip: tripped\("HI"\)/ });
  t.same(
    ok.engine.why('P')?.now.map((one) => one.expression),
    ['tripped("HI")'],
  );
  t.end();
});

void t.test(
  'intents: the same array while nothing changes, every standing demand when it does',
  (t) => {
    const p = simplePlant();
    const before = p.result.intents;
    p.scan();
    t.equal(p.result.intents, before);
    p.set({ LSH: true });
    p.scan();
    t.equal(p.result.intents.length, 2);
    const held = p.result.intents;
    p.to(5);
    t.equal(p.result.intents, held);
    t.match(p.program.outputs.get(3), ['HI']);
    t.match(started().program.effects, [
      { verify: { expect: { source: 'not P101.running' }, within: 3000, retry: 2 } },
    ]);
    t.end();
  },
);
