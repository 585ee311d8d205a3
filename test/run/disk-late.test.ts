/** A disk that cannot be read at the start, and answers later: trips hold meanwhile, and what it remembers is taken up. */
import t from 'tap';
import type { RuleState } from '../../gateway/contract/index.js';
import { memoryPlaces } from '../../gateway/run/memory/memory.js';
import { FaultyStore } from '../journal/faulty-store.js';
import { live, outputs, pastOf, type Life } from './memory-past.js';
import { MemoryStore } from '../../gateway/journal/memory-store.js';
import { must } from '../support/must.js';

function stateOf({ g }: Life, rule: string): RuleState | undefined {
  return g.runtime.field.engine.states().get(rule);
}
function isHeld({ g }: Life, output: string): boolean {
  return g.runtime.field.orders.some(({ outputs: held }) => held.some(({ tag }) => tag === output));
}

for (const how of ['clean', 'kill'] as const)
  void t.test(`all of it answers later, after an end that was ${how}`, async (t) => {
    const past = await pastOf(how);
    let faulty: FaultyStore | undefined;
    const late = await live(past.picture, {
      unreadable: memoryPlaces,
      values: { 5: 0 },
      store: (store) => {
        must(store instanceof MemoryStore, 'a store in memory');
        faulty = new FaultyStore(store);
        faulty.ailment = 'EIO';
        return faulty;
      },
    });
    await late.g.pass(5_000);
    const { memory } = late.g.runtime;
    t.equal(memory.verdict.kind, 'unknown');
    for (const rule of ['T', 'U']) t.match(stateOf(late, rule), /TRIPPED/, `${rule} holds`);
    t.notOk(isHeld(late, outputs.O), 'of an order without a rule nobody knows');
    const before = late.picture();
    t.same(before.files, past.picture.files, 'no file is touched');
    late.reset('U');
    await late.g.pass(1_000);
    t.equal(stateOf(late, 'U'), 'NORMAL');

    if (faulty) faulty.ailment = undefined;
    late.folder.unreadable.clear();
    await late.g.pass(10_000);
    t.equal(memory.verdict.kind, 'known');
    t.equal(memory.condition, undefined);
    t.match(stateOf(late, 'T'), /TRIPPED/);
    t.equal(stateOf(late, 'U'), 'NORMAL', 'what a person has reset stays so');
    t.ok(isHeld(late, outputs.O), 'the order stands again');
    t.equal(late.script.values.get(outputs.O), 0, 'and was never let go');

    const after = await live(late.picture(), { values: { 5: 0 } });
    await after.g.pass(2_000);
    t.equal(after.g.runtime.memory.verdict.kind, 'known');
    t.match(stateOf(after, 'T'), /TRIPPED/);
    t.equal(stateOf(after, 'U'), 'NORMAL');
    t.ok(isHeld(after, outputs.O));
  });

void t.test('the journal cannot be read, the state folder can: everything is known', async (t) => {
  const past = await pastOf('kill');
  let faulty: FaultyStore | undefined;
  const life = await live(past.picture, {
    values: { 5: 0 },
    store: (store) => {
      must(store instanceof MemoryStore, 'a store in memory');
      faulty = new FaultyStore(store);
      faulty.ailment = 'read-only';
      return faulty;
    },
  });
  await life.g.pass(3_000);
  t.equal(life.g.runtime.memory.verdict.kind, 'known');
  t.match(stateOf(life, 'T'), /TRIPPED/);
  t.equal(stateOf(life, 'U'), 'NORMAL');
  t.ok(isHeld(life, outputs.O));
  life.script.values.set('P.t1', 101);
  await life.g.pass(2_000);
  t.match(stateOf(life, 'U'), /TRIPPED/);
  t.equal(life.script.values.get(outputs.U), 0, 'a trip needs no disk');
  if (faulty) faulty.ailment = undefined;
  await life.g.pass(5_000);
  const after = await live(life.picture(), { values: { 5: 0 } });
  await after.g.pass(2_000);
  t.match(stateOf(after, 'U'), /TRIPPED/, 'and is remembered');
});
