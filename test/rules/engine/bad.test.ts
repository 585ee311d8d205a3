import t from 'tap';
import { Quality } from '../../../gateway/contract/index.js';
import { plant, type Plant, type TagSpecs } from '../plant.js';

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
function simplePlant(rule: unknown = simple): Plant {
  const p = plant([rule], simpleTags);
  p.set({ 'PT-1': 5, LSH: false, HS: false });
  p.scan();
  return p;
}

void t.test('a bad input trips by default, and only when it can matter', (t) => {
  const p = simplePlant();
  p.quality('PT-1', Quality.notConnected);
  p.to(1);
  t.equal(p.state('HI'), 'TRIPPED');
  t.match(p.events.at(-1)?.evidence, [
    {
      expression: "'PT-1' > 12 bar hyst 0.5 bar",
      tag: 'PT-1',
      value: null,
      quality: 'bad (not-connected)',
    },
  ]);
  const q = simplePlant({ interlock: 'HI', cause: "'PT-1' > 12 bar and LSH", effects: [] });
  q.quality('PT-1', Quality.notConnected);
  q.to(1);
  t.equal(q.state('HI'), 'NORMAL', 'LSH is surely false');
  q.set({ LSH: true });
  q.to(2);
  t.equal(q.state('HI'), 'TRIPPED');
  t.end();
});

void t.test('uncertain is bad for an interlock unless it says use', (t) => {
  for (const [uncertain, wanted] of [
    [undefined, 'TRIPPED'],
    ['bad', 'TRIPPED'],
    ['use', 'NORMAL'],
  ] as const) {
    const p = simplePlant({ ...simple, ...(uncertain ? { uncertain } : {}) });
    p.quality('PT-1', Quality.substituted);
    p.to(1);
    t.equal(p.state('HI'), wanted, String(uncertain));
  }
  t.end();
});

void t.test('on_bad: trip, hold, hold for, ignore', (t) => {
  const at = (policy: string, cause: string, seconds: number): string | undefined => {
    const p = simplePlant({ interlock: 'I', cause, on_bad: { 'PT-1': policy }, effects: [] });
    p.to(10);
    p.quality('PT-1', Quality.timeout);
    p.to(10 + seconds);
    return p.state('I');
  };
  const high = "'PT-1' > 12 bar";
  t.equal(at('trip', high, 0), 'TRIPPED');
  t.equal(at('trip', `${high} and LSH`, 0), 'TRIPPED', 'trip means trip, whatever the rest says');
  t.equal(at('trip after 2s', high, 1.9), 'PENDING');
  t.equal(at('trip after 2s', `${high} for 1h`, 2), 'TRIPPED', 'does not wait for the on-delay');
  t.equal(at('hold', high, 999), 'NORMAL');
  t.equal(at('hold for 2s then trip', high, 1.9), 'PENDING');
  t.equal(at('hold for 2s then trip', high, 2), 'TRIPPED');
  t.equal(at('ignore', high, 999), 'NORMAL');
  t.equal(at('ignore', `not (${high})`, 0), 'TRIPPED_CLEAR', 'tripped before, now silent');
  const held = simplePlant({ interlock: 'I', cause: high, on_bad: { '*': 'hold' }, effects: [] });
  held.set({ 'PT-1': 13 });
  held.to(1);
  held.quality('PT-1', Quality.timeout);
  held.to(99);
  t.equal(held.state('I'), 'TRIPPED', 'the last good value holds the trip');
  t.end();
});

void t.test('ignore takes a tag out of and, or, not and votes', (t) => {
  const stands = (cause: string): boolean => {
    const p = plant([{ interlock: 'I', cause, on_bad: { X: 'ignore' }, effects: [] }], {
      X: 'bool',
      Y: 'bool',
      Z: 'bool',
    });
    p.set({ Y: true, Z: true });
    p.quality('X', Quality.timeout);
    p.scan();
    return p.state('I') === 'TRIPPED';
  };
  t.equal(stands('X and Y'), true);
  t.equal(stands('X or Y'), true);
  t.equal(stands('X or not Y'), false);
  t.equal(stands('not X'), false);
  t.equal(stands('X'), false);
  t.equal(stands('2 of [X, Y, Z]'), true);
  t.equal(stands('3 of [X, Y, Z]'), false);
  t.equal(stands('not (X for 1s)'), false);
  t.end();
});

void t.test('a bad arm arms: the doubt goes towards the trip', (t) => {
  const p = simplePlant({ interlock: 'I', cause: "'PT-1' > 12 bar", arm: 'LSH', effects: [] });
  p.set({ 'PT-1': 13 });
  p.to(1);
  t.equal(p.state('I'), 'DISARMED');
  p.quality('LSH', Quality.timeout);
  p.to(2);
  t.equal(p.state('I'), 'TRIPPED');
  p.set({ LSH: false });
  p.to(3);
  t.equal(p.state('I'), 'TRIPPED_CLEAR', 'not armed: the cause does not stand, the trip does');
  t.end();
});

void t.test(
  'a signal whose validity is not known is bad; a permissive names what is not known',
  (t) => {
    const p = plant(
      [
        { signal: 'S', value: 'LSH', valid: 'HS' },
        { permissive: 'P', all_of: { one: 'LSH', two: 'HS' } },
      ],
      simpleTags,
    );
    p.set({ LSH: true, HS: true });
    p.scan();
    t.equal(p.qualityOf('S'), Quality.good);
    t.equal(p.state('P'), 'PERMITTED');
    p.quality('HS', Quality.timeout);
    p.scan();
    t.ok(p.qualityOf('S') >= 0x80);
    t.match(p.result.events.at(-1)?.text, 'P denied: two: HS (bad (timeout))');
    t.end();
  },
);

void t.test('on_bad holds for texts and for what only asks how old a value is', (t) => {
  const tags: TagSpecs = { STATE: 'string', WANT: 'string', PT: 'bar', LSH: 'bool' };
  const at = (policy: string, cause: string, seconds: number): string | undefined => {
    const on = cause.includes('STATE') ? 'STATE' : 'PT';
    const p = plant([{ interlock: 'I', cause, on_bad: { [on]: policy }, effects: [] }], tags);
    p.set({ STATE: 'RUN', WANT: 'RUN', PT: 1, LSH: false });
    p.to(10);
    p.quality(on, Quality.timeout);
    p.to(10 + seconds);
    return p.state('I');
  };
  const fault = 'STATE == "FAULT"';
  t.equal(at('trip', `${fault} and LSH`, 0), 'TRIPPED');
  t.equal(at('trip after 2s', fault, 1.9), 'PENDING');
  t.equal(at('trip after 2s', fault, 2), 'TRIPPED');
  t.equal(at('hold', fault, 999), 'NORMAL', 'what was read last stands in');
  t.equal(at('hold', 'STATE != WANT', 999), 'NORMAL');
  t.equal(at('last_good for 2s', fault, 1.9), 'NORMAL');
  t.equal(at('last_good for 2s', fault, 2), 'TRIPPED', 'not known any more');
  t.equal(at('ignore', fault, 999), 'NORMAL');
  t.equal(at('trip after 2s', 'age(PT) > 1 h', 2), 'TRIPPED');

  const two = plant(
    [{ interlock: 'I', cause: 'STATE != WANT', on_bad: { STATE: 'hold' }, effects: [] }],
    tags,
  );
  two.set({ STATE: 'RUN', WANT: 'RUN' });
  two.to(1);
  two.quality('STATE', Quality.timeout);
  two.to(2);
  t.equal(two.state('I'), 'NORMAL');
  two.set({ WANT: 'STOP' });
  two.to(3);
  t.equal(two.state('I'), 'TRIPPED', 'the other text goes on');

  const held = plant([{ interlock: 'I', cause: fault, on_bad: { STATE: 'hold' }, effects: [] }], {
    STATE: 'string',
  });
  held.set({ STATE: 'FAULT' });
  held.to(1);
  held.quality('STATE', Quality.timeout);
  held.to(2);
  t.equal(held.state('I'), 'TRIPPED', 'a fault that was read last stands in too');
  t.end();
});
