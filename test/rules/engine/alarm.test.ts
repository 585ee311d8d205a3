import t from 'tap';
import { mono, Quality, type RetainedStates } from '../../../gateway/contract/index.js';
import { plant, person, type Plant, type TagSpecs } from '../plant.js';

const tags: TagSpecs = { LT: '%', RUN: 'bool' };
const high = {
  alarm: 'LAH',
  when: 'LT > 90 % hyst 2 %',
  priority: 'high',
  message: 'tank nearly full',
  consequence: 'overflow',
  response: 'close the inlet',
  response_time: '5min',
};
function bench(extra: object = {}, retained?: RetainedStates): Plant {
  const p = plant([{ ...high, ...extra }], tags, retained);
  p.set({ LT: 50, RUN: true });
  p.scan();
  return p;
}
function level(p: Plant, percent: number): unknown {
  p.now += 100;
  p.set({ LT: percent });
  p.scan();
  return p.state('LAH');
}
function ack(p: Plant, by = 'ann'): unknown {
  const answer = p.engine.command('LAH', { kind: 'ack' }, person(by), mono(p.now));
  p.now += 100;
  p.scan();
  return answer;
}

void t.test('every transition of ISA-18.2', (t) => {
  const p = bench();
  t.equal(p.state('LAH'), 'NORMAL');
  t.match(ack(p), { ok: false, reason: /nothing to acknowledge/ });
  t.equal(level(p, 91), 'UNACK');
  t.equal(level(p, 88.5), 'UNACK', 'within the hysteresis');
  t.equal(level(p, 87), 'RTN_UNACK');
  t.equal(level(p, 91), 'UNACK', 'comes again before it was acknowledged');
  t.same(ack(p), { ok: true });
  t.equal(p.state('LAH'), 'ACKED');
  t.match(ack(p), { ok: false });
  t.equal(level(p, 50), 'NORMAL');
  level(p, 95);
  level(p, 50);
  t.same(ack(p, 'bob'), { ok: true });
  t.equal(p.state('LAH'), 'NORMAL');
  t.same(
    p.events.map(
      (event) => `${event.from}>${event.to}${event.by === undefined ? '' : ` ${event.by}`}`,
    ),
    [
      'NORMAL>UNACK',
      'UNACK>RTN_UNACK',
      'RTN_UNACK>UNACK',
      'UNACK>ACKED ann',
      'ACKED>NORMAL',
      'NORMAL>UNACK',
      'UNACK>RTN_UNACK',
      'RTN_UNACK>NORMAL bob',
    ],
  );
  t.end();
});

void t.test('the snapshot holds what the operator needs', (t) => {
  const p = bench();
  t.same(p.engine.alarms(), []);
  level(p, 91);
  t.match(p.result.alarms, [
    {
      id: 'LAH',
      state: 'UNACK',
      priority: 'high',
      text: 'tank nearly full',
      consequence: 'overflow',
      response: 'close the inlet',
      responseTime: '5min',
      ackedBy: undefined,
      evidence: [{ expression: 'LT > 90 % hyst 2 %', tag: 'LT', value: 91, limit: 90, unit: '%' }],
    },
  ]);
  t.same(p.engine.alarms(), p.result.alarms);
  level(p, 91.5);
  t.same(p.result.alarms, [], 'told once');
  ack(p);
  t.match(p.result.alarms, [{ state: 'ACKED', ackedBy: 'ann' }]);
  level(p, 50);
  t.match(p.result.alarms, [{ state: 'NORMAL' }]);
  t.end();
});

void t.test('ack: none needs no person', (t) => {
  const p = bench({ ack: 'none' });
  t.equal(level(p, 91), 'ACKED');
  t.equal(level(p, 50), 'NORMAL');
  t.end();
});

void t.test('on_delay and off_delay', (t) => {
  const p = bench({ on_delay: '10s', off_delay: '1min' });
  p.set({ LT: 95 });
  p.scan();
  t.equal(p.result.nextDue, 10_000);
  p.to(9.9);
  t.equal(p.state('LAH'), 'NORMAL');
  p.to(10);
  t.equal(p.state('LAH'), 'UNACK');
  p.set({ LT: 50 });
  p.to(69.9);
  t.equal(p.state('LAH'), 'UNACK');
  p.to(70);
  t.equal(p.state('LAH'), 'RTN_UNACK');
  t.end();
});

void t.test('a bad input holds the state, and starts delays anew', (t) => {
  const p = bench({ on_delay: '10s' });
  p.set({ LT: 95 });
  p.to(5);
  p.quality('LT', Quality.timeout);
  p.to(50);
  t.equal(p.state('LAH'), 'NORMAL', 'not raised by a lost wire');
  t.match(p.engine.why('LAH')?.text.join(), /input bad, the state is held: LT is bad \(timeout\)/);
  p.set({ LT: 95 });
  p.to(59.9);
  t.equal(p.state('LAH'), 'NORMAL');
  p.to(60.1);
  t.equal(p.state('LAH'), 'UNACK');
  p.quality('LT', Quality.timeout);
  p.to(100);
  t.equal(p.state('LAH'), 'UNACK', 'not cleared by one either');
  t.end();
});

void t.test('uncertain values are used, and marked', (t) => {
  const p = bench();
  p.set({ LT: 95 });
  p.quality('LT', Quality.substituted);
  p.scan();
  t.equal(p.state('LAH'), 'UNACK');
  t.match(p.result.alarms[0]?.evidence[0], { quality: 'uncertain (substituted)' });
  t.equal(level(bench({ uncertain: 'bad' }), 50), 'NORMAL');
  t.end();
});

void t.test('arm: not armed is not there; a bad arm holds', (t) => {
  const p = bench({ arm: 'RUN' });
  p.set({ RUN: false });
  t.equal(level(p, 95), 'NORMAL');
  p.set({ RUN: true });
  t.equal(level(p, 95), 'UNACK');
  p.quality('RUN', Quality.timeout);
  t.equal(level(p, 95), 'UNACK');
  p.set({ RUN: false });
  t.equal(level(p, 95), 'RTN_UNACK');
  t.match(p.engine.why('LAH')?.text.join(), /not armed: RUN/);
  t.end();
});

void t.test('retained: an alarm does not vanish with a restart', (t) => {
  const p = bench();
  level(p, 95);
  t.equal(p.result.retainedChanged, true);
  ack(p);
  t.equal(p.result.retainedChanged, true);
  level(p, 95);
  t.equal(p.result.retainedChanged, false);
  const kept = JSON.parse(JSON.stringify(p.engine.retained())) as RetainedStates;
  const q = plant([high], tags, kept);
  q.scan();
  t.equal(q.state('LAH'), 'ACKED', 'held while nothing is read yet');
  t.match(q.engine.alarms(), [{ ackedBy: 'ann' }]);
  q.set({ LT: 50, RUN: true });
  q.scan();
  t.equal(q.state('LAH'), 'NORMAL');
  t.end();
});
