/**
 * Point 3 of the semantics: running only the rules whose tags changed or whose timers are due gives the same
 * as running all of them in every scan, bit for bit.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { mono } from '../../../gateway/contract/index.js';
import { changeOf } from '../../../rules/engine/blocks/edges.js';
import { truth } from '../../../rules/engine/blocks/slots.js';
import { slotsOf } from '../../../rules/engine/engine.js';
import { childrenOf, type Node } from '../../../rules/check/ir.js';
import { frame, names, specs, typed } from '../arbitrary.js';
import { person, plant, type Plant, type TagSpecs } from '../plant.js';
import { seedsOf } from '../../support/effort.js';

const runs = seedsOf(300);

const tags: TagSpecs = {
  ...specs,
  O1: { type: 'bool', writable: true },
  O2: { type: 'bool', writable: true },
  O3: { writable: true },
};
const ids = ['SB', 'SN', 'SM', 'I', 'J', 'G', 'AL', 'PM', 'SH', 'D'];

function rulesOf(b: string, c: string, n: string): readonly object[] {
  const alarm = { priority: 'low' };
  return [
    { signal: 'SB', value: b, valid: c },
    { signal: 'SN', value: n },
    { signal: 'SM', value: 'SN + (if SB then 1 else 0)' },
    {
      interlock: 'I',
      cause: c,
      arm: b,
      on_bad: { '*': 'trip after 2s' },
      latch: 'auto',
      hold: '2s',
      alarm,
      bypass: { per_input: true, at_most: 2, max: '1h' },
      publish: ['tripped', 'margin'],
      effects: [
        { set: 'O1', to: false, verify: { expect: 'SB', within: '1s', on_fail: 'trip J' } },
      ],
    },
    { interlock: 'J', cause: `(${c}) or not SB`, arm: 'A for 1s', effects: [], reset: 'rising(B)' },
    { group: 'G', causes: { one: b, two: `(${c}) for 1s` }, reset: 'rising(C)', effects: [] },
    {
      alarm: 'AL',
      when: b,
      arm: c,
      priority: 'low',
      on_delay: '1s',
      re_alarm: '3s',
      suppress: 'D',
    },
    { permissive: 'PM', output: 'O2', all_of: { one: c, two: "not tripped('*')" } },
    {
      shed: 'SH',
      start: b,
      restore: c,
      interval: '1s',
      steps: [{ set: 'O3', to: 0, min_off: '1s', max_off: '5s' }],
    },
    {
      diagnosis: 'D',
      context: c,
      symptoms: { s: b, u: 'SN > 1' },
      hypotheses: { f: { prior: 0.1, s: 'always' }, g: { prior: 0.1, u: 'often' } },
      report: { when: 'top > 0.5', for: '1s', alarm: 'advisory' },
      publish: ['top', 'coverage'],
    },
  ];
}

function seen(p: Plant): unknown {
  return {
    result: p.result,
    states: [...p.engine.states()],
    values: ['SB', 'SN', 'SM', 'I.tripped', 'I.margin', 'D.top'].map((name) => [
      p.value(name),
      p.qualityOf(name),
    ]),
    alarms: p.engine.alarms(),
    retained: p.engine.retained(),
    why: ids.map((id) => p.engine.why(id)),
  };
}

void t.test('incremental is the same as full, bit for bit', (t) => {
  const act = fc.constantFrom('none', 'none', 'ack', 'reset', 'bypass', 'shelve');
  const change = fc.subarray([...names.keys()], { minLength: 0, maxLength: 3 });
  const history = fc.array(fc.tuple(frame, act, change), { minLength: 2, maxLength: 20 });
  let scans = 0;
  fc.assert(
    fc.property(typed.bool, typed.bool, typed.num, history, (b, c, n, frames) => {
      let both: readonly [Plant, Plant];
      try {
        const rules = rulesOf(b, c, n);
        both = [plant(rules, tags), plant(rules, tags, undefined, { full: true })];
      } catch {
        return; // Too many parts for one expression.
      }
      for (const [i, [{ step, values, qualities }, what, changed]] of frames.entries()) {
        for (const p of both) {
          const end = p.now + step;
          // Only some tags arrive; the first time all do.
          for (const j of i === 0 ? names.keys() : changed) {
            const name = names[j] ?? '';
            p.set({ [name]: values[j] ?? 0 });
            p.quality(name, qualities[j] ?? 0);
          }
          if (what === 'ack') for (const id of ['I', 'AL']) command(p, id, { kind: 'ack' });
          if (what === 'reset') for (const id of ['J', 'G']) command(p, id, { kind: 'reset' });
          if (what === 'bypass')
            command(p, 'I', { kind: 'bypass', input: 'A', duration: 2000, reason: 'a test' });
          if (what === 'shelve')
            command(p, 'AL', { kind: 'shelve', duration: 1500, reason: 'a test', oneShot: true });
          p.to(end / 1000);
          scans++;
        }
        assert.deepStrictEqual(seen(both[0]), seen(both[1]));
      }
    }),
    { numRuns: runs },
  );
  t.ok(scans > (10 * runs) / 3, `${scans} times compared`);
  t.end();
});

function command(p: Plant, id: string, what: Parameters<Plant['engine']['command']>[1]): void {
  p.engine.command(id, what, person('x'), mono(p.now));
}

/** What first-out may name: the conditions that `and`, `or`, `not`, votes, branches and on-delays put together. */
function leavesOf(node: Node): readonly Node[] {
  const isJoint = ['logic', 'not', 'vote', 'if'].includes(node.kind);
  if (isJoint || (node.kind === 'timed' && node.op === 'for'))
    return childrenOf(node).flatMap(leavesOf);
  return node.type.kind === 'bool' && node.kind !== 'const' ? [node] : [];
}

void t.test('since when each condition is what it is, as somebody sees who looks on', (t) => {
  let changes = 0;
  const history = fc.array(frame, { minLength: 2, maxLength: 12 });
  fc.assert(
    fc.property(typed.bool, history, (cause, frames) => {
      let p: Plant;
      try {
        p = plant([{ interlock: 'I', cause, effects: [] }], tags, undefined, { full: true });
      } catch {
        return; // Too many parts for one expression.
      }
      const slots = slotsOf(p.engine);
      const [rule] = p.program.rules;
      assert(slots && rule?.kind === 'interlock');
      const leaves = leavesOf(rule.cause.tree());
      const before = new Map<number, number>();
      const since = new Map<number, number>();
      for (const { step, values, qualities } of frames) {
        p.now += step;
        for (const [i, name] of names.entries()) {
          p.set({ [name]: values[i] ?? 0 });
          p.quality(name, qualities[i] ?? 0);
        }
        p.scan();
        for (const { slot } of leaves) {
          const is = truth(slots, slot);
          if (before.get(slot) !== is) since.set(slot, p.now);
          before.set(slot, is);
          changes++;
        }
        for (const { slot, source } of leaves)
          assert.equal(changeOf(slots, slot)[1], since.get(slot), `${source} in ${cause}`);
      }
    }),
    { numRuns: runs },
  );
  t.ok(changes > (10 * runs) / 3, `${changes} times looked`);
  t.end();
});

void t.test('a rule whose tags stand still is not run', (t) => {
  const p = plant(
    [
      { signal: 'SX', value: 'X + 1' },
      { signal: 'SY', value: 'Y + 1' },
    ],
    specs,
  );
  p.set({ X: 1, Y: 1 });
  p.scan();
  // Its slot is overwritten by hand: only a run of the rule would put it right.
  const at = p.index('SY');
  p.image.numbers[at] = 99;
  p.now = 1000;
  p.set({ X: 2 });
  p.scan();
  t.equal(p.value('SX'), 3);
  t.equal(p.value('SY'), 99, 'nobody computed it again');
  p.now = 2000;
  p.set({ Y: 2 });
  p.scan();
  t.equal(p.value('SY'), 3);
  t.end();
});
