import t from 'tap';
import { Quality } from '../../../gateway/contract/index.js';
import { plant, type TagSpecs } from '../plant.js';

void t.test('PENDING only while a delay could still trip it', (t) => {
  const tags: TagSpecs = { A: 'bar', B: 'bar', P: 'bool' };
  const states = (cause: string, quality: number, more: object = {}): readonly unknown[] => {
    const p = plant([{ interlock: 'I', cause, effects: [], ...more }], tags);
    p.set({ A: 6, B: 6, P: false });
    p.scan();
    p.quality('A', quality);
    return [0.1, 0.4, 5].map((at) => {
      p.to(at);
      return p.state('I');
    });
  };
  const bad = Quality.timeout;
  t.same(states('(A < 5 bar for 300ms) and P', bad), ['NORMAL', 'NORMAL', 'NORMAL'], 'P is false');
  t.same(states('(A > 5 bar for 300ms) and P', 0), ['NORMAL', 'NORMAL', 'NORMAL']);
  t.same(states('(A > 5 bar for 300ms) and not P', 0), ['PENDING', 'TRIPPED', 'TRIPPED']);
  t.same(states('(A < 5 bar for 300ms) or P', bad), ['PENDING', 'TRIPPED', 'TRIPPED']);
  t.same(
    states('(A < 5 bar for 300ms) and (B > 5 bar for 2s)', bad),
    ['PENDING', 'PENDING', 'TRIPPED'],
    'the first one has run out without an answer, the second one runs',
  );
  const ignored = { on_bad: { A: 'ignore' } };
  t.same(states('A > 5 bar and (B > 5 bar for 2s)', bad, ignored), [
    'PENDING',
    'PENDING',
    'TRIPPED',
  ]);
  t.same(states('2 of [A > 5 bar for 2s, B > 5 bar, P]', 0), ['PENDING', 'PENDING', 'TRIPPED']);
  t.same(states('3 of [A > 5 bar for 2s, B > 5 bar, P]', 0), ['NORMAL', 'NORMAL', 'NORMAL']);
  const degraded = '(2 of [A > 5 bar, P, P and B > 1 bar] degrade 1oo2) for 2s';
  t.same(states(degraded, 0), ['NORMAL', 'NORMAL', 'NORMAL'], 'one of three is not enough');
  t.same(states('A < 5 bar and (B > 5 bar for 2s) and P', bad), ['NORMAL', 'NORMAL', 'NORMAL']);
  t.end();
});
