/** Figures of the alarm system: EEMUA 191, part of point 30 of the semantics. */
import t from 'tap';
import {
  wall,
  type AlarmSnapshot,
  type AlarmState,
  type Priority,
} from '../../gateway/contract/index.js';
import { AlarmCounter } from '../../gateway/run/alarm-figures.js';

const minute = 60_000;
function snapshot(id: string, state: AlarmState, priority: Priority = 'low'): AlarmSnapshot {
  const none = { consequence: undefined, response: undefined, responseTime: undefined };
  return {
    id,
    state,
    priority,
    since: wall(0),
    text: id,
    evidence: [],
    ackedBy: undefined,
    ...none,
  };
}
function up(c: AlarmCounter, id: string, at: number, priority: Priority = 'low'): void {
  c.alarm(snapshot(id, 'UNACK', priority), at);
  c.alarm(snapshot(id, 'RTN_UNACK', priority), at + 1);
}

void t.test('a quiet day', (t) => {
  const c = new AlarmCounter();
  c.alarm(snapshot('X', 'NORMAL'), 0);
  for (let i = 0; i < 24; i++)
    up(c, `A${i % 3}`, i * 60 * minute + 1, i % 8 === 0 ? 'high' : 'low');
  const f = c.figures(24 * 60 * minute);
  t.match(f, {
    over: 24 * 60 * minute,
    lastDay: 24,
    lastHour: 1,
    last10min: 0,
    peak10min: 1,
    inFlood: 0,
    aboveTarget: 0,
    flood: false,
    chattering: [],
    stale: [],
    byPriority: { low: 21, high: 3, medium: 0, critical: 0 },
  });
  t.equal(f.mean10min, 24 / 144);
  t.same(f.top[0], { id: 'A0', count: 8, share: 1 / 3 });
  t.end();
});

void t.test('a flood, chattering, and alarms that stand for ever', (t) => {
  const c = new AlarmCounter();
  c.alarm(snapshot('OLD', 'UNACK'), 0);
  c.alarm(snapshot('OLD', 'ACKED'), 10);
  const now = 25 * 60 * minute;
  for (let i = 0; i < 12; i++) up(c, i < 3 ? 'LOUD' : `B${i}`, now - 5 * minute + i * 15_000);
  c.alarm(snapshot('AWAY', 'SHELVED'), now);
  c.alarm(snapshot('DESIGN', 'SUPPRESSED'), now);
  const f = c.figures(now);
  t.match(f, { flood: true, last10min: 12, peakMinute: 4, chattering: ['LOUD'], stale: ['OLD'] });
  t.equal(f.inFlood, 1 / 144);
  t.match(f, { standing: 1, shelved: 1, suppressed: 1, outOfService: 0, lastDay: 12 });
  c.alarm(snapshot('OLD', 'NORMAL'), now);
  t.same(c.figures(now).stale, []);
  t.end();
});

void t.test('an alarm that asks again is told again; an acknowledgement is not', (t) => {
  const c = new AlarmCounter();
  for (const state of ['UNACK', 'ACKED', 'UNACK', 'UNACK', 'ACKED'] as const)
    c.alarm(snapshot('A', state), minute);
  t.equal(c.figures(2 * minute).lastDay, 2);
  t.end();
});

void t.test('the day goes on over a restart, and what stands is not counted again', (t) => {
  const c = new AlarmCounter();
  c.alarm(snapshot('X', 'NORMAL'), 0);
  for (let i = 0; i < 12; i++) up(c, 'LOUD', 60 * minute + i, 'high');
  c.alarm(snapshot('OLD', 'UNACK'), 60 * minute);
  const before = c.figures(61 * minute);
  // An hour and a minute by the old clock is two minutes by the new one.
  const ahead = 1_700_000_000_000;
  const json = c.stored(ahead);
  t.ok(c.isDue(0));
  t.notOk(c.isDue(20 * minute), 'nothing new');
  up(c, 'LOUD', 62 * minute);
  t.notOk(c.isDue(9 * minute), 'stored at most every ten minutes');
  t.ok(c.isDue(10 * minute));
  const next = new AlarmCounter();
  const standing = { ...snapshot('OLD', 'UNACK'), since: wall(ahead + 60 * minute) };
  next.resume(json, [standing], { now: 2 * minute, ahead: ahead + 59 * minute });
  next.alarm(standing, 2 * minute);
  t.same(next.figures(2 * minute), before);
  t.match(next.figures(2 * minute), { lastHour: 13, over: 61 * minute, standing: 1 });

  const odd = new AlarmCounter();
  for (const bad of ['{"from":0,"heard":[[1,2,3]]}', '{"from'])
    odd.resume(bad, [], { now: 0, ahead: 0 });
  t.equal(odd.figures(minute).lastDay, 0, 'what does not look right is left out');
  const behind = new AlarmCounter();
  behind.resume(json, [standing], { now: 0, ahead: 0 });
  t.match(behind.figures(2 * 24 * 60 * minute), {
    lastDay: 0,
    flood: false,
    over: 24 * 60 * minute,
  });
  t.end();
});
