/** Interlocks on trial, in votes that degrade, and with inputs taken out: what they must not do. */
import t from 'tap';
import { Quality } from '../../../gateway/contract/index.js';
import { plant, type TagSpecs } from '../plant.js';
import { bypassA, started, tags, trip } from '../valves.js';

void t.test(
  'a rule on trial sets nothing: no write, no other trip, no doubt, no heartbeat',
  (t) => {
    const p = started([
      trip({
        mode: 'shadow',
        effects: [
          { set: 'V', to: false, verify: { expect: 'not RUN', within: '1s', on_fail: 'trip J' } },
        ],
      }),
      { ...trip({ cause: 'B > 10 bar', effects: [{ set: 'W', to: false }] }), interlock: 'J' },
      { permissive: 'PM', all_of: { one: "not tripped('I')" } },
      {
        alarm: 'AL',
        mode: 'shadow',
        when: 'A > 10 bar',
        priority: 'low',
        quality: { B: 'uncertain' },
      },
    ]);
    p.set({ A: 11 });
    p.to(10);
    t.equal(p.state('I'), 'TRIPPED');
    t.match(
      p.events.find(({ rule, to }) => rule === 'I' && to === 'TRIPPED'),
      { shadow: true },
    );
    t.equal(p.state('J'), 'NORMAL');
    t.equal(p.state('PM'), 'PERMITTED');
    t.same(
      p.result.intents.filter(({ source }) => source !== 'PM'),
      [],
    );
    t.same(p.result.doubted, []);
    t.same(
      p.engine.alarms().map(({ id }) => id),
      ['AL'],
    );
    t.end();
  },
);

void t.test(
  'a degraded vote bears each fault anew, and first-out names no channel that is left out',
  (t) => {
    const three: TagSpecs = { ...tags, C: 'bar' };
    const vote = {
      interlock: 'I',
      cause: '2 of [A > 10 bar, B > 10 bar, C > 10 bar] degrade 1oo2',
      reset: 'rising(BTN)',
      bypass: { per_input: true },
      effects: [],
    };
    const p = plant([vote], three);
    const good = { A: 1, B: 1, C: 1, BTN: false };
    p.set(good);
    p.scan();
    for (const at of [100, 3600]) {
      p.to(at);
      p.quality('B', Quality.timeout);
      p.quality('C', Quality.timeout);
      p.scan();
      p.to(at + 9);
      t.equal(p.state('I'), 'NORMAL', `within the grace time, at ${at} s`);
      p.set(good);
      p.scan();
    }
    bypassA(p);
    p.to(4000);
    p.set({ C: 11 });
    p.to(4001);
    t.match(p.engine.why('I')?.firstOut, { expression: 'C > 10 bar' });
    t.end();
  },
);

void t.test('a bypassed tag demands nothing through its policy either', (t) => {
  const p = started([trip({ on_bad: { A: 'trip after 5s' }, bypass: { per_input: true } })]);
  bypassA(p);
  p.quality('A', Quality.timeout);
  p.to(60);
  t.equal(p.state('I'), 'NORMAL');
  t.end();
});
