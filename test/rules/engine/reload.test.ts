import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { mono, Quality, type ScanResult } from '../../../gateway/contract/index.js';
import { frame, names, specs, typed } from '../arbitrary.js';
import {
  plant,
  prepared,
  reloaded,
  takesOver,
  type Plant,
  type TagSpecs,
  person,
} from '../plant.js';
import { draws } from '../../support/effort.js';

const tags: TagSpecs = {
  FT: 'm3/h',
  RUN: 'bool',
  BTN: 'bool',
  CMD: { type: 'bool', writable: true },
};
/** The same tags at other places of the image, and one more. */
const elsewhere: TagSpecs = {
  NEW: 'bar',
  CMD: { type: 'bool', writable: true },
  BTN: 'bool',
  RUN: 'bool',
  FT: 'm3/h',
};
const dry = {
  interlock: 'DRY',
  cause: 'FT < 5 m3/h for 5s',
  arm: 'RUN for 8s',
  reset: 'rising(BTN)',
  effects: [{ set: 'CMD', to: false }],
  alarm: { priority: 'high' },
};
const more = { signal: 'AAA', value: 'NEW' };

function running(rule: object = dry): Plant {
  const p = plant([rule], tags);
  p.set({ FT: 10, RUN: true, BTN: false, CMD: true });
  p.to(20);
  return p;
}

void t.test('a reload leaves an armed interlock armed, and its delay running', (t) => {
  const p = running();
  t.equal(p.state('DRY'), 'NORMAL');
  p.set({ FT: 1 });
  p.to(23);
  t.equal(p.state('DRY'), 'PENDING');
  const q = reloaded(p, [more, dry], elsewhere);
  t.equal(q.state('DRY'), 'PENDING', 'before its first scan');
  q.scan();
  t.equal(q.state('DRY'), 'PENDING');
  t.equal(q.result.nextDue, 25_000);
  q.to(25);
  t.equal(q.state('DRY'), 'TRIPPED', '5 s after the flow was lost, not after the reload');
  t.equal(q.demanded('CMD'), false);
  t.match(q.events, [{ rule: 'DRY', from: 'PENDING', to: 'TRIPPED' }, { rule: 'DRY' }].slice(0, 1));

  const r = reloaded(q, [dry], tags);
  r.scan();
  t.equal(r.demanded('CMD'), false, 'the demand stands in the first scan');
  t.strictSame(r.events, []);
  t.equal(r.engine.alarms()[0]?.state, 'UNACK');
  t.match(r.engine.why('DRY')?.firstOut, { tag: 'FT', value: 1 });
  t.end();
});

void t.test('what was asked for between two scans is not lost by a reload', (t) => {
  const p = running();
  p.set({ FT: 1 });
  p.to(26);
  p.set({ FT: 10 });
  p.to(30);
  t.equal(p.state('DRY'), 'TRIPPED_CLEAR');
  t.strictSame(p.engine.command('DRY', { kind: 'ack' }, person('eve'), mono(p.now)), { ok: true });
  t.strictSame(p.engine.command('DRY', { kind: 'reset' }, person('eve'), mono(p.now)), {
    ok: true,
  });
  const q = reloaded(p, [dry, more], elsewhere);
  q.scan();
  t.equal(q.state('DRY'), 'NORMAL');
  t.match(q.events, [{ text: 'DRY acknowledged by eve' }, { text: 'DRY reset by eve', by: 'eve' }]);
  t.end();
});

void t.test('a rule that changed starts as after a restart, a trip stays', (t) => {
  const p = running();
  const q = reloaded(p, [{ ...dry, arm: 'RUN for 9s' }], tags);
  q.scan();
  t.equal(q.state('DRY'), 'DISARMED');
  t.ok(q.result.retainedChanged, 'its new form must be known to the next start');

  const unit = reloaded(p, [{ ...dry }], { ...tags, FT: 'l/s' });
  unit.scan();
  t.equal(unit.state('DRY'), 'DISARMED', 'the same text on a tag in another unit');
  const type = reloaded(p, [{ ...dry }], { ...tags, FT: { unit: 'm3/h', type: 'int16' } });
  type.scan();
  t.equal(type.state('DRY'), 'DISARMED', 'the same text on a tag of another type');

  p.set({ FT: 1 });
  p.to(26);
  const r = reloaded(p, [{ ...dry, arm: 'RUN for 9s' }], tags, {});
  r.scan();
  t.match(r.state('DRY'), /^TRIPPED/, 'the states of the earlier engine win over `retained`');
  t.end();
});

void t.test('a text of an enumeration that became another number is another rule', (t) => {
  const rule = { permissive: 'P', all_of: { auto: 'MODE == "AUTO" for 5s' } };
  const mode = (texts: Record<number, string>): TagSpecs => ({
    MODE: { type: 'uint16', enumeration: texts },
  });
  const p = plant([rule], mode({ 1: 'AUTO', 2: 'HAND' }));
  p.set({ MODE: 1 });
  p.to(10);
  t.equal(p.state('P'), 'PERMITTED');
  const same = reloaded(p, [rule], mode({ 1: 'AUTO', 2: 'MANUAL' }));
  same.scan();
  t.equal(same.state('P'), 'PERMITTED');
  t.strictSame(same.events, []);
  const other = reloaded(p, [rule], mode({ 2: 'AUTO', 1: 'HAND' }));
  other.scan();
  t.equal(other.state('P'), 'DENIED');
  t.end();
});

void t.test('a permissive tells only of what really changes', (t) => {
  const rule = (limit: number): object => ({
    permissive: 'P',
    output: 'CMD',
    all_of: { flow: `FT > ${limit} m3/h` },
  });
  const p = plant([rule(5)], tags);
  p.set({ FT: 10 });
  p.scan();
  const q = reloaded(p, [rule(5)], elsewhere);
  q.scan();
  t.strictSame(q.events, []);
  t.equal(q.demanded('CMD'), true);
  const r = reloaded(q, [rule(6)], tags);
  r.scan();
  t.strictSame(r.events, [], 'written differently, the same verdict');
  t.equal(r.demanded('CMD'), true);
  const s = reloaded(r, [rule(20)], tags);
  s.scan();
  t.match(s.events, [{ from: 'PERMITTED', to: 'DENIED' }]);
  t.end();
});

void t.test('the wait for first values neither begins anew nor is cut short', (t) => {
  const early = { ...dry, cause: 'FT < 5 m3/h', arm: 'true' };
  const p = plant([early], tags);
  p.set({ RUN: true });
  p.to(6);
  const q = reloaded(p, [early], elsewhere);
  q.to(9);
  t.equal(q.state('DRY'), 'DISARMED');
  q.to(10.1);
  t.equal(q.state('DRY'), 'TRIPPED', '10 s after the start');

  const judged = running(early);
  const r = reloaded(judged, [early], elsewhere);
  r.quality('FT', Quality.waiting);
  r.scan();
  t.equal(
    r.state('DRY'),
    'TRIPPED',
    'a tag that lost its value is bad for a rule that has started',
  );
  t.end();
});

void t.test('states are stored again when a rule is new, is gone or was not yet stored', (t) => {
  const p = running();
  const same = reloaded(p, [dry], elsewhere);
  t.notOk(same.scan().retainedChanged);
  t.ok(reloaded(p, [dry, { ...dry, interlock: 'B' }], tags).scan().retainedChanged);
  t.ok(reloaded(p, [more], elsewhere).scan().retainedChanged, 'gone');
  const fresh = plant([dry], tags);
  t.ok(reloaded(fresh, [dry], tags).scan().retainedChanged, 'the engine before never ran');
  t.end();
});

void t.test('an engine that is wrapped gives its retained states', (t) => {
  const p = running();
  p.set({ FT: 1 });
  p.to(26);
  const q = plant([dry], tags, undefined, { earlier: { ...p.engine } });
  t.equal(q.state('DRY'), 'TRIPPED');
  t.end();
});

void t.test('lost states: what latches is tripped and says why, until it is reset', (t) => {
  const auto = { ...dry, interlock: 'AUTO', latch: 'auto', effects: [], reset: undefined };
  const high = { alarm: 'HIGH', when: 'FT > 100 m3/h', priority: 'low' };
  const lost = new Set(['DRY', 'AUTO']);
  const p = plant([dry, auto, high], tags, undefined, { lost });
  t.equal(p.state('DRY'), 'TRIPPED');
  t.equal(p.state('AUTO'), 'DISARMED');
  t.equal(p.state('HIGH'), 'NORMAL');
  p.now = 1000;
  p.scan();
  t.equal(p.demanded('CMD'), undefined, 'nothing is written before the output was read');
  t.match(p.events, [
    { rule: 'DRY', from: 'DISARMED', to: 'TRIPPED', text: 'DRY tripped: retained state was lost' },
  ]);
  t.equal(p.engine.alarms()[0]?.text, 'retained state was lost');
  t.ok(p.result.retainedChanged);
  const why = p.engine.why('DRY');
  t.match(why?.firstOut, { expression: 'retained state was lost', time: why?.since });
  t.ok(why?.text.includes('came first: retained state was lost'));
  t.match(p.engine.command('DRY', { kind: 'reset' }, person('eve'), mono(p.now)), { ok: false });

  p.set({ FT: 10, RUN: true, BTN: false, CMD: true });
  p.to(20);
  t.equal(p.state('DRY'), 'TRIPPED_CLEAR');
  t.ok(p.engine.why('DRY')?.text.includes('came first: retained state was lost'));
  const again = reloaded(p, [dry, auto, high], elsewhere);
  again.set({ BTN: true });
  again.scan();
  t.equal(again.state('DRY'), 'NORMAL');
  const later = plant([dry], tags, {}, { earlier: again.engine, lost });
  t.equal(later.state('DRY'), 'NORMAL', 'with an earlier engine nothing is lost');
  t.end();
});

void t.test('an engine that was prepared from what is no more does not stand', (t) => {
  const p = running();
  const changed = { ...dry, cause: 'FT < 6 m3/h for 5s' };
  const still = prepared(p, [changed], tags);
  p.to(21);
  t.ok(takesOver(still, p), 'nothing has changed');
  const late = prepared(p, [changed], tags);
  p.set({ FT: 1 });
  p.to(30);
  t.equal(p.state('DRY'), 'TRIPPED');
  t.notOk(takesOver(late, p), 'it has tripped meanwhile');
  const next = reloaded(p, [changed], tags);
  t.match(next.state('DRY'), /^TRIPPED/);
  t.end();
});

/** All that can be seen of a scan, by names: positions differ. */
function seen(p: Plant, result: ScanResult, ids: readonly string[]): object {
  const nameAt = (at: number): string => p.names.find((name) => p.index(name) === at) ?? '';
  const states = p.engine.states();
  return {
    events: result.events.filter((event) => ids.includes(event.rule)),
    alarms: result.alarms,
    intents: result.intents
      .map((one) => ({ ...one, tag: nameAt(one.tag) }))
      .sort((a, b) => (a.source < b.source ? -1 : 1)),
    changed: result.changed.map(nameAt).filter((name) => ids.includes(name)),
    nextDue: result.nextDue,
    states: ids.map((id) => states.get(id)),
    values: ['SB', 'SN'].map((name) => [p.value(name), p.qualityOf(name)]),
    why: ids.map((id) => p.engine.why(id)),
    retained: ids.map((id) => p.engine.retained()[id]),
  };
}

const shuffled: TagSpecs = {
  Q: 'bar',
  O2: { type: 'bool', writable: true },
  ...Object.fromEntries(Object.entries(specs).reverse()),
  O1: { type: 'bool', writable: true },
};
const straight: TagSpecs = {
  ...specs,
  O1: { type: 'bool', writable: true },
  O2: { type: 'bool', writable: true },
};

void t.test('with a reload at any scan everything is as without', (t) => {
  const policy = fc.constantFrom(
    'trip after 2s',
    'hold',
    'hold for 3s then trip',
    'ignore',
    'vote',
  );
  // Made at once, or beside the one that runs, which goes on for some scans.
  const beside = fc.option(fc.nat(4), { nil: undefined });
  const reload = fc.record({ at: fc.nat(15), again: fc.nat(15), beside });
  const act = fc.constantFrom('none', 'none', 'ack', 'reset');
  const history = fc.array(fc.tuple(frame, act), { minLength: 2, maxLength: 16 });
  const rule = fc.record({
    b: typed.bool,
    c: typed.bool,
    n: typed.num,
    policy,
    manual: fc.boolean(),
  });
  const ids = ['SB', 'SN', 'I', 'J', 'AL', 'PM'];
  fc.assert(
    fc.property(
      rule,
      history,
      reload,
      ({ b, c, n, policy, manual }, frames, { at, again, beside }) => {
        const alarm = { priority: 'low' };
        const latch = manual
          ? { latch: 'manual', reset: `rising(B) and (${c})` }
          : { latch: 'auto', hold: '2s' };
        const effects = [{ set: 'O1', to: false }];
        const rules = [
          { signal: 'SB', value: b, valid: c },
          { signal: 'SN', value: n },
          { interlock: 'I', cause: c, arm: b, on_bad: { '*': policy }, effects, alarm, ...latch },
          {
            interlock: 'J',
            cause: `(${c}) or not SB`,
            arm: 'A for 1s',
            effects: [],
            reset: 'rising(B)',
          },
          { alarm: 'AL', when: b, arm: c, priority: 'low', on_delay: '1s', off_delay: '2s' },
          { permissive: 'PM', output: 'O2', all_of: { one: c, two: "not tripped('I')" } },
        ];
        const others = [...rules, { signal: 'A0', value: 'Q' }].reverse();
        let whole: Plant;
        try {
          whole = plant([...rules, { signal: 'ZZ', value: 'A' }], straight);
        } catch {
          return; // Not every expression suits every policy.
        }
        let parted = plant([...rules, { signal: 'ZZ', value: 'A' }], straight);
        let waiting: { readonly plant: Plant; readonly due: number } | undefined;
        for (const [i, [{ step, values, qualities }, act]] of frames.entries()) {
          const next =
            i === at % frames.length
              ? ([others, shuffled] as const)
              : i === again % frames.length && !waiting
                ? ([rules, straight] as const)
                : undefined;
          if (next && beside === undefined) parted = reloaded(parted, ...next);
          else if (next) waiting = { plant: prepared(parted, ...next), due: i + (beside ?? 0) };
          if (waiting && i >= waiting.due) {
            assert.ok(takesOver(waiting.plant, parted), 'what it was made from did not change');
            parted = waiting.plant;
            waiting = undefined;
          }
          for (const p of [whole, parted]) {
            p.now += step;
            p.set(Object.fromEntries(names.map((name, j) => [name, values[j] ?? 0])));
            for (const [j, name] of names.entries()) p.quality(name, qualities[j] ?? 0);
            p.scan();
          }
          assert.deepStrictEqual(seen(parted, parted.result, ids), seen(whole, whole.result, ids));
          for (const p of [whole, parted]) {
            if (act === 'ack')
              for (const id of ['I', 'J', 'AL'])
                p.engine.command(id, { kind: 'ack' }, person('x'), mono(p.now));
            if (act === 'reset')
              for (const id of ['I', 'J'])
                p.engine.command(id, { kind: 'reset' }, person('x'), mono(p.now));
          }
        }
      },
    ),
    { numRuns: draws(600) },
  );
  t.pass('held');
  t.end();
});
