/** Point 22 of the semantics: bypasses have terms, an end, and outlive nothing. */
import t from 'tap';
import { mono, Quality, wall, type RuleCommand } from '../../../gateway/contract/index.js';
import { createEngine } from '../../../rules/index.js';
import { compiled, epoch, person, plant, reloaded, type Plant, type TagSpecs } from '../plant.js';
import { calibration } from '../valves.js';

const tags: TagSpecs = {
  A: 'bar',
  B: 'bar',
  C: 'bar',
  BTN: 'bool',
  OUT: { type: 'bool', writable: true },
};
const vote = {
  interlock: 'V',
  cause: '2 of [A > 10 bar, B > 10 bar, C > 10 bar] degrade 1oo2',
  reset: 'rising(BTN)',
  effects: [{ set: 'OUT', to: false }],
  bypass: { per_input: true, at_most: 1, max: '8h', role: 'shift' },
};

function started(rule: object = vote, retained?: unknown): Plant {
  const p = plant([rule], tags, retained as never);
  p.set({ A: 1, B: 1, C: 1, BTN: false, OUT: true });
  p.scan();
  return p;
}
function bypass(
  p: Plant,
  more: Partial<Extract<RuleCommand, { kind: 'bypass' }>> = {},
  roles: readonly string[] = ['shift'],
): unknown {
  const answer = p.engine.command(
    'V',
    { ...calibration, ...more },
    person('ann', ...roles),
    mono(p.now),
  );
  p.scan();
  return answer;
}
const alarmOf = (p: Plant): unknown =>
  p.engine.alarms().find(({ id }) => id === 'V-BYPASSED')?.state;

void t.test('point 22: a bypass needs permission, role, reason and an end', (t) => {
  t.match(bypass(started({ ...vote, bypass: undefined })), {
    ok: false,
    reason: /cannot be bypassed/,
  });
  const p = started();
  t.match(bypass(p, {}, []), { ok: false, reason: /role shift/ });
  t.match(bypass(p, { reason: 'x' }), { ok: false, reason: /reason/ });
  t.match(bypass(p, { duration: 0 }), { ok: false, reason: /end/ });
  t.match(bypass(p, { duration: 9 * 3_600_000 }), { ok: false, reason: /at most 8h/ });
  t.match(bypass(p, { input: 'OUT' }), { ok: false, reason: /no input of V: A, B, C/ });
  t.same(bypass(p), { ok: true });
  t.match(bypass(p), { ok: false, reason: /A is bypassed already/ });
  t.match(bypass(p, { input: 'B' }), { ok: false, reason: /1 of 1 inputs/ });
  t.match(p.events.at(-1), { rule: 'V', by: 'ann', text: 'A is bypassed for 1h: calibration' });
  t.equal(alarmOf(p), 'UNACK');
  t.match(p.engine.why('V')?.text, [/V is NORMAL/, /./, /A is bypassed by ann for another 1h/]);
  t.end();
});

void t.test('a bypassed input does not count; the others vote as declared', (t) => {
  const p = started();
  bypass(p);
  p.set({ A: 20 });
  p.to(10);
  t.equal(p.state('V'), 'NORMAL');
  p.quality('A', Quality.timeout);
  p.to(11);
  t.equal(p.state('V'), 'NORMAL', 'bad does not matter either');
  p.set({ B: 20 });
  p.to(12);
  t.equal(p.state('V'), 'TRIPPED', 'one of the two that are left');
  t.end();
});

void t.test('it is announced, ends by itself, and is told', (t) => {
  const p = started();
  bypass(p);
  p.to(3239);
  t.notMatch(p.events.map(({ text }) => text).join(), /ends in/);
  p.to(3241);
  t.match(p.events.at(-1)?.text, /bypass of A ends in 6min/);
  p.to(3599);
  t.equal(alarmOf(p), 'UNACK');
  p.to(3601);
  t.match(p.events.at(-1)?.text, /bypass of A has ended/);
  t.equal(alarmOf(p), 'RTN_UNACK');
  p.set({ A: 20, B: 20 });
  p.to(3602);
  t.equal(p.state('V'), 'TRIPPED');
  t.end();
});

void t.test('the whole rule: it does not trip, and trips when the bypass ends', (t) => {
  const p = started();
  bypass(p, { input: undefined });
  p.set({ A: 20, B: 20 });
  p.to(10);
  t.equal(p.state('V'), 'BYPASSED');
  t.equal(p.demanded('OUT'), undefined);
  p.to(3601);
  t.equal(p.state('V'), 'TRIPPED');
  t.match(bypass(p, { input: undefined }), { ok: false, reason: /reset it before/ });
  t.end();
});

void t.test('ended by a person before its time', (t) => {
  const p = started();
  bypass(p);
  const end = (): unknown =>
    p.engine.command('V', { kind: 'unbypass', input: 'A' }, person('ben'), mono(p.now));
  t.same(end(), { ok: true });
  p.scan();
  t.match(p.events.at(-1), { by: 'ben', text: /bypass of A was ended/ });
  t.match(end(), { ok: false, reason: /not bypassed/ });
  t.end();
});

void t.test('it outlives a restart and a reload, with its own end', (t) => {
  const p = started();
  bypass(p);
  p.to(1800);
  const q = started(vote, JSON.parse(JSON.stringify(p.engine.retained())));
  // The new process counts from zero; its wall clock says that half an hour has gone by.
  q.now = 1_800_000;
  q.set({ A: 20 });
  q.scan();
  t.equal(q.state('V'), 'NORMAL');
  const r = reloaded(q, [vote], tags);
  r.to(3599);
  t.equal(r.state('V'), 'NORMAL');
  r.set({ B: 20 });
  r.to(3601);
  t.equal(r.state('V'), 'TRIPPED');
  t.end();
});

void t.test('a clock that is put back prolongs nothing; one put forward ends it', (t) => {
  const program = compiled([vote], tags);
  const size = 5;
  const image = {
    size,
    numbers: new Float64Array([1, 1, 1, 0, 1]),
    qualities: new Uint8Array(size),
    times: new Float64Array(size),
    wide: [],
  };
  let step = 0;
  const engine = createEngine(program, {
    image,
    signalIndex: [],
    put: () => undefined,
    wallOf: (ms) => wall(epoch + ms + step),
  });
  const isOn = (at: number): boolean => {
    engine.scan(mono(at));
    return JSON.stringify(engine.why('V')).includes('is bypassed by');
  };
  engine.scan(mono(0));
  const begin = (at: number): void => {
    const command = { kind: 'bypass', input: 'A', duration: 3_600_000, reason: 'testing' } as const;
    engine.command('V', command, person('ann', 'shift'), mono(at));
  };
  begin(0);
  t.ok(isOn(1));
  step = -7_200_000;
  t.ok(isOn(3_599_000));
  t.notOk(isOn(3_601_000), 'an hour is an hour');
  begin(3_700_000);
  t.ok(isOn(3_700_001));
  step = 0;
  t.notOk(isOn(3_700_002), 'its end by the wall clock has passed');
  t.end();
});

void t.test('point 22: texts and ages are taken out like values', (t) => {
  for (const cause of ['A == "FAULT"', 'age(B) > 10 s'] as const) {
    const p = plant(
      [{ interlock: 'V', cause, effects: [], bypass: { per_input: true, max: '8h' } }],
      { A: 'string', B: 'bar' },
    );
    p.set({ A: 'RUN', B: 1 });
    p.scan();
    const input = cause.startsWith('A') ? 'A' : 'B';
    t.match(bypass(p, { input }), { ok: true });
    p.set({ A: 'FAULT' });
    p.quality('A', Quality.timeout);
    p.quality('B', Quality.timeout);
    p.to(20);
    t.equal(p.state('V'), 'NORMAL', cause);
  }
  t.end();
});
