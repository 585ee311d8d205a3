/** The life of an alarm: points 22, 23 and 30 of the semantics, and the time-line of OPC UA Part 9, annex B. */
import t from 'tap';
import { mono, type RuleCommand } from '../../../gateway/contract/index.js';
import { person, plant, reloaded, type Plant, type TagSpecs } from '../plant.js';

const tags: TagSpecs = { LT: '%', RUN: 'bool' };
const high = { alarm: 'HI', when: 'LT > 90 %', priority: 'high' };

function started(more: object = {}): Plant {
  const p = plant([{ ...high, ...more }], tags);
  p.set({ LT: 50, RUN: false });
  p.scan();
  return p;
}
function tell(p: Plant, command: RuleCommand, who = 'ann', ...roles: string[]): unknown {
  const answer = p.engine.command('HI', command, person(who, ...roles), mono(p.now));
  p.scan();
  return answer;
}
const shelve = (duration: number, oneShot = false): RuleCommand => ({
  kind: 'shelve',
  duration,
  reason: 'the float is stuck',
  oneShot,
});
const stateOf = (p: Plant): unknown => p.engine.alarms()[0]?.state ?? 'NORMAL';

void t.test('point 30: shelved for a time, it comes up anew when its cause stands', (t) => {
  const p = started();
  p.set({ LT: 95 });
  p.scan();
  t.equal(stateOf(p), 'UNACK');
  t.same(tell(p, shelve(60_000)), { ok: true });
  t.equal(stateOf(p), 'SHELVED');
  t.match(p.engine.alarms()[0], { by: 'ann', reason: 'the float is stuck' });
  t.match(tell(p, { kind: 'ack' }), { ok: false }, 'nobody acknowledges what he does not see');
  p.to(59.9);
  t.equal(stateOf(p), 'SHELVED');
  p.to(60.1);
  t.equal(stateOf(p), 'UNACK');
  t.match(
    p.events.map(({ from, to }) => [from, to]),
    [
      ['NORMAL', 'UNACK'],
      ['UNACK', 'SHELVED'],
      ['SHELVED', 'NORMAL'],
      ['NORMAL', 'UNACK'],
    ],
  );
  t.end();
});

void t.test('shelved once: it comes back when its cause has gone once', (t) => {
  const p = started();
  p.set({ LT: 95 });
  p.scan();
  tell(p, shelve(3_600_000, true));
  p.set({ LT: 50 });
  p.to(10);
  t.equal(stateOf(p), 'NORMAL');
  p.set({ LT: 95 });
  p.to(20);
  t.equal(stateOf(p), 'UNACK');
  t.end();
});

void t.test('shelving has limits: time, reason, role, and rules that forbid it', (t) => {
  const p = started({ shelve: { max: '1h', role: 'shift' } });
  t.match(tell(p, shelve(60_000)), { ok: false, reason: /needs the role shift/ });
  t.match(tell(p, shelve(7_200_000), 'ben', 'shift'), { ok: false, reason: /1h at most/ });
  t.match(tell(p, { ...shelve(60_000), reason: ' ' } as RuleCommand, 'ben', 'shift'), {
    ok: false,
    reason: /needs a reason/,
  });
  t.same(tell(p, shelve(60_000), 'ben', 'shift'), { ok: true });
  t.match(tell(p, shelve(60_000), 'ben', 'shift'), { ok: false, reason: /already/ });
  t.same(tell(p, { kind: 'unshelve' }), { ok: true });
  t.equal(stateOf(p), 'NORMAL');
  t.match(tell(started({ shelve: false }), shelve(60_000)), {
    ok: false,
    reason: /cannot be shelved/,
  });
  t.end();
});

void t.test('suppressed by design goes on unseen', (t) => {
  const p = started({ suppress: 'not RUN' });
  t.equal(stateOf(p), 'SUPPRESSED');
  p.set({ LT: 95 });
  p.to(1);
  t.equal(stateOf(p), 'SUPPRESSED');
  p.set({ RUN: true });
  p.to(2);
  t.equal(stateOf(p), 'UNACK');
  p.quality('RUN', 0x80);
  p.to(3);
  t.equal(stateOf(p), 'UNACK', 'not known is not suppressed');
  t.end();
});

void t.test('out of service until somebody puts it back', (t) => {
  const p = started();
  t.match(tell(p, { kind: 'out-of-service', reason: '' }), { ok: false });
  t.same(tell(p, { kind: 'out-of-service', reason: 'transmitter out' }), { ok: true });
  p.set({ LT: 95 });
  p.to(100_000);
  t.equal(stateOf(p), 'OUT_OF_SERVICE');
  t.same(tell(p, { kind: 'in-service' }), { ok: true });
  t.equal(stateOf(p), 'UNACK');
  t.end();
});

void t.test('latched: it stays until it is reset', (t) => {
  const p = started({ latched: true });
  p.set({ LT: 95 });
  p.to(1);
  p.set({ LT: 50 });
  p.to(2);
  t.equal(stateOf(p), 'LATCHED_UNACK');
  tell(p, { kind: 'ack' });
  t.equal(stateOf(p), 'LATCHED_ACKED');
  p.set({ LT: 95 });
  p.to(3);
  t.equal(stateOf(p), 'UNACK', 'the cause again');
  p.set({ LT: 50 });
  p.to(4);
  t.same(tell(p, { kind: 'reset' }), { ok: true });
  t.equal(stateOf(p), 'RTN_UNACK', 'nobody has acknowledged it: that stays due');
  t.match(tell(p, { kind: 'reset' }), { ok: false });
  tell(p, { kind: 'ack' });
  t.equal(stateOf(p), 'NORMAL');
  t.end();
});

void t.test('re-alarm: acknowledged and forgotten, it asks again', (t) => {
  const p = started({ re_alarm: '10min' });
  p.set({ LT: 95 });
  p.to(1);
  tell(p, { kind: 'ack' });
  p.to(600);
  t.equal(stateOf(p), 'ACKED');
  p.to(602);
  t.equal(stateOf(p), 'UNACK');
  t.end();
});

void t.test('shelves survive a restart with their end, whatever the clock does', (t) => {
  const p = started();
  tell(p, shelve(3_600_000));
  p.to(1800);
  const retained = JSON.parse(JSON.stringify(p.engine.retained())) as never;
  const q = plant([high], tags, retained);
  q.now = 1_800_000;
  q.set({ LT: 95 });
  q.scan();
  t.equal(stateOf(q), 'SHELVED');
  q.to(3599);
  t.equal(stateOf(q), 'SHELVED');
  q.to(3601);
  t.equal(stateOf(q), 'UNACK');
  const late = plant([high], tags, retained);
  late.now = 9_000_000;
  late.set({ LT: 50 });
  late.scan();
  t.equal(stateOf(late), 'NORMAL', 'it ended while the gateway was off');
  const r = reloaded(q, [high], tags);
  r.scan();
  t.equal(stateOf(r), 'UNACK');
  t.end();
});

void t.test('the states of a bad record are not believed', (t) => {
  const junk = {
    HI: {
      kind: 'alarm',
      hash: 'x',
      state: 'UNACK',
      alarm: {
        state: 'UNACK',
        since: 1,
        ackedBy: null,
        evidence: [],
        shelf: { until: 'never' },
        out: 5,
      },
    },
  };
  const p = plant([high], tags, junk);
  p.set({ LT: 50 });
  p.scan();
  t.equal(stateOf(p), 'RTN_UNACK');
  t.end();
});

/**
 * After OPC UA Part 9, annex B.1.5: limits with a deadband, an on-delay and an off-delay each; the value
 * crosses them, dips back for less than the off-delay, and the alarm is asked again by its re-alarm time.
 */
void t.test('time-line of OPC UA Part 9, annex B: delays, deadband, re-alarm', (t) => {
  const rules = [
    {
      alarm: 'HIGH',
      when: 'LT > 80 % hyst 5 %',
      priority: 'medium',
      on_delay: '5s',
      off_delay: '10s',
      re_alarm: '60s',
    },
    {
      alarm: 'HIHI',
      when: 'LT > 90 % hyst 5 %',
      priority: 'high',
      on_delay: '2s',
      off_delay: '10s',
    },
  ];
  const p = plant(rules, tags);
  const state = (id: string): unknown => p.engine.states().get(id);
  const line: readonly (readonly [at: number, level: number, high: string, hihi: string])[] = [
    [0, 50, 'NORMAL', 'NORMAL'],
    [10, 82, 'NORMAL', 'NORMAL'], // above the limit, the on-delay runs
    [14.9, 82, 'NORMAL', 'NORMAL'],
    [15, 82, 'UNACK', 'NORMAL'],
    [20, 92, 'UNACK', 'NORMAL'],
    [21.9, 92, 'UNACK', 'NORMAL'],
    [22, 92, 'UNACK', 'UNACK'],
    [30, 86, 'UNACK', 'UNACK'], // inside the deadband
    [40, 84, 'UNACK', 'UNACK'], // out of it, the off-delay runs
    [49.9, 84, 'UNACK', 'UNACK'],
    [50, 84, 'UNACK', 'RTN_UNACK'],
    [60, 74, 'UNACK', 'RTN_UNACK'],
    [65, 82, 'UNACK', 'RTN_UNACK'], // back within the off-delay: nothing happened
    [80, 82, 'UNACK', 'RTN_UNACK'],
    [90, 74, 'UNACK', 'RTN_UNACK'],
    [100, 74, 'RTN_UNACK', 'RTN_UNACK'],
  ];
  for (const [at, level, highState, hihiState] of line) {
    p.to(at);
    p.set({ LT: level });
    p.scan();
    t.equal(state('HIGH'), highState, `HIGH at ${at} s`);
    t.equal(state('HIHI'), hihiState, `HIHI at ${at} s`);
  }
  p.engine.command('HIGH', { kind: 'ack' }, person('ann'), mono(p.now));
  p.set({ LT: 85 });
  p.to(106);
  t.equal(state('HIGH'), 'UNACK');
  p.engine.command('HIGH', { kind: 'ack' }, person('ann'), mono(p.now));
  p.to(165.9);
  t.equal(state('HIGH'), 'ACKED');
  p.to(166.2);
  t.equal(state('HIGH'), 'UNACK', 're-alarm 60 s after it was acknowledged');
  t.end();
});
