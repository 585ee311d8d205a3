/** States of rules between decision and commit: what a kill at any point leaves for the next start. */
import t from 'tap';
import type { Log, RetainedStates } from '../../gateway/contract/index.js';
import { silentLog } from '../../gateway/contract/index.js';
import { limits } from '../../gateway/limits.js';
import { LatchLog } from '../../gateway/run/latch-log.js';
import { MemoryFile } from '../support/memory-file.js';

const tripped = { A: { state: 'TRIPPED' } };
const none = '{"id":"j","note":0}';

/** A start on a journal that has this mark. */
function open(file: MemoryFile, mark: string | undefined = none, log: Log = silentLog): LatchLog {
  return new LatchLog({ file: file.open(), mark, newId: 'new', log });
}
function pending(file: MemoryFile, mark?: string): RetainedStates {
  return open(file, mark).pending;
}

void t.test('what was noted and not committed is pending, newest of each rule', (t) => {
  const file = new MemoryFile();
  const first = open(file);
  t.same(first.pending, {}, 'an empty file');
  first.note({ A: { state: 'TRIPPED' }, B: { state: 'TRIPPED' } });
  const { mark } = first;
  first.note({ A: { state: 'NORMAL' } });
  t.same(pending(file), { A: { state: 'NORMAL' }, B: { state: 'TRIPPED' } });
  t.same(pending(file, mark), { A: { state: 'NORMAL' } }, 'the journal knows the first note');
  t.same(pending(file, first.mark), {}, 'and now all');
  t.end();
});

void t.test('notes of before stay until a commit holds them, and go on counting', (t) => {
  const file = new MemoryFile();
  const first = open(file);
  first.note(tripped);
  first.note({ A: { state: 'NORMAL' } });
  // The disk takes nothing: each start finds the same mark.
  const second = open(file);
  second.note(tripped);
  t.same(pending(file), tripped, 'the newest, though two starts have noted it');
  const third = open(file);
  third.note({ B: { state: 'TRIPPED' } });
  t.same(pending(file), { ...tripped, B: { state: 'TRIPPED' } });
  third.committed(third.mark);
  t.same(pending(file, third.mark), {});
  third.note({ C: { state: 'TRIPPED' } });
  t.same(pending(file, JSON.stringify({ id: 'j', note: 4 })), { C: { state: 'TRIPPED' } });
  t.end();
});

void t.test('a commit of older states keeps what was noted since', (t) => {
  const file = new MemoryFile();
  const log = open(file);
  log.note(tripped);
  const { mark } = log;
  log.note({ B: { state: 'TRIPPED' } });
  log.committed(mark);
  log.note({ C: { state: 'TRIPPED' } });
  t.same(Object.keys(pending(file, mark)), ['B', 'C']);
  t.end();
});

void t.test('notes count for their own journal, and not behind a gap', (t) => {
  const file = new MemoryFile();
  const log = open(file);
  log.note({ A: { state: 'TRIPPED' }, long: 'x'.repeat(100) });
  log.note({ B: { state: 'TRIPPED' } });
  const { mark } = log;
  log.note({ C: { state: 'TRIPPED' } });
  log.committed(log.mark);
  log.note({ D: { state: 'TRIPPED' } });
  // The first is overwritten; of the two behind it nobody knows what became.
  t.same(pending(file), {}, 'an older copy of the journal');
  t.same(Object.keys(pending(file, mark)), ['C', 'D']);
  t.same(pending(file, '{"id":"other","note":0}'), {}, 'another journal');
  const fresh = new LatchLog({ file: file.open(), mark: undefined, newId: 'n', log: silentLog });
  t.same(fresh.pending, {}, 'one that is new');
  t.equal(fresh.mark, '{"id":"n","note":0}');
  t.end();
});

void t.test('notes that are always ahead of the commits do not fill the file', (t) => {
  const file = new MemoryFile();
  const errors: unknown[] = [];
  const log: Log = { ...silentLog, error: (...what) => errors.push(what) };
  const latches = open(file, none, log);
  let before = latches.mark;
  for (let i = 0; i < 20_000; i++) {
    latches.note({ A: { state: 'TRIPPED', text: 'x'.repeat(500) }, [`R${String(i)}`]: {} });
    latches.committed(before);
    before = latches.mark;
    if (i % 499 !== 0) continue;
    const held = JSON.stringify({ id: 'j', note: i });
    t.same(Object.keys(pending(file, held)), ['A', `R${String(i)}`], String(i));
  }
  t.same(errors, []);
  t.ok(file.open().before.length <= 2 * limits.latchLogReservedBytes);
  t.end();
});

/** How long the line of a note is. */
function lengthOf(states: RetainedStates): number {
  const file = new MemoryFile();
  open(file).note(states);
  return file.open().before.indexOf(10);
}

void t.test('a kill in the middle of a note leaves those before it', (t) => {
  const newer = { B: { state: 'NORMAL' }, ...tripped };
  for (let cut = 0; cut <= lengthOf(newer); cut++) {
    const file = new MemoryFile();
    const log = open(file);
    log.note({ B: { state: 'TRIPPED' } });
    file.cutAfter = cut;
    log.note(newer);
    t.same(pending(file), { B: { state: 'TRIPPED' } }, `cut at ${String(cut)}`);
  }
  t.end();
});

void t.test('and over notes that are committed, whatever hangs on behind it', (t) => {
  for (let cut = 0; cut < lengthOf(tripped); cut++) {
    const file = new MemoryFile();
    const log = open(file);
    for (let i = 0; i < 3; i++) log.note({ B: { state: 'OLD' } });
    const { mark } = log;
    log.committed(mark);
    file.cutAfter = cut;
    log.note(tripped);
    t.same(pending(file, mark), {}, `cut at ${String(cut)}`);
  }
  t.end();
});

void t.test('what cannot be noted is told once, and stops nothing', (t) => {
  const errors: unknown[] = [];
  const log: Log = { ...silentLog, error: (text, fields) => errors.push([text, fields]) };
  const file = new MemoryFile();
  const latches = open(file, none, log);
  file.isFull = true;
  latches.note(tripped);
  t.ok(latches.isFailing);
  latches.note(tripped);
  t.match(errors, [[/latch log is not written/, { reason: 'no space left' }]]);
  file.isFull = false;
  latches.note(tripped);
  t.notOk(latches.isFailing);
  t.same(pending(file), tripped);
  latches.note({ A: { text: 'x'.repeat(limits.latchLogBytes) } });
  t.match(errors.at(-1), [/latch log/, { reason: /more notes than fit/ }]);
  t.same(pending(file), tripped);
  t.end();
});
