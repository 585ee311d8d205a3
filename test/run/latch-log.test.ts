/** States of rules between decision and commit: what a kill at any point leaves for the next start. */
import t from 'tap';
import type { Log, RetainedStates } from '../../gateway/contract/index.js';
import { silentLog } from '../../gateway/contract/index.js';
import { limits } from '../../gateway/limits.js';
import { LatchLog } from '../../gateway/run/latch-log.js';
import { MemoryFile } from '../support/memory-file.js';

const tripped = { A: { state: 'TRIPPED' } };

function open(file: MemoryFile, epoch: number, log: Log = silentLog): LatchLog {
  return new LatchLog(file.open(), epoch, log);
}

void t.test('what was noted and not committed is pending, newest of each rule', (t) => {
  const file = new MemoryFile();
  const first = open(file, 1);
  t.same(first.pending(undefined), {}, 'an empty file');
  first.note({ A: { state: 'TRIPPED' }, B: { state: 'TRIPPED' } });
  const { mark } = first;
  first.note({ A: { state: 'NORMAL' } });
  const next = open(file, 2);
  t.same(next.pending(undefined), { A: { state: 'NORMAL' }, B: { state: 'TRIPPED' } });
  t.same(next.pending(mark), { A: { state: 'NORMAL' } }, 'the journal knows the first note');
  t.same(next.pending(first.mark), {}, 'and now all');
  t.same(next.pending(next.mark), {}, 'one of a later start covers what is older');
  t.end();
});

void t.test('notes of before stay until a commit holds them', (t) => {
  const file = new MemoryFile();
  open(file, 1).note(tripped);
  const second = open(file, 2);
  t.same(second.pending(undefined), tripped);
  second.note({ B: { state: 'TRIPPED' } });
  const third = open(file, 3);
  t.same(third.pending(undefined), { A: { state: 'TRIPPED' }, B: { state: 'TRIPPED' } });
  third.committed(third.mark);
  third.note({ C: { state: 'TRIPPED' } });
  t.same(open(file, 4).pending(third.mark), {}, 'the journal is as far');
  t.same(open(file, 4).pending('{"epoch":3,"note":0}'), { C: { state: 'TRIPPED' } });
  t.end();
});

void t.test('a commit of older states keeps what was noted since', (t) => {
  const file = new MemoryFile();
  const log = open(file, 1);
  log.note(tripped);
  const { mark } = log;
  log.note({ B: { state: 'TRIPPED' } });
  log.committed(mark);
  log.note({ C: { state: 'TRIPPED' } });
  t.same(Object.keys(open(file, 2).pending(mark)), ['B', 'C']);
  t.end();
});

/** How long the line of a note is. */
function lengthOf(states: RetainedStates): number {
  const file = new MemoryFile();
  open(file, 1).note(states);
  return file.open().before.indexOf(10);
}

void t.test('a kill in the middle of a note leaves those before it', (t) => {
  const newer = { B: { state: 'NORMAL' }, ...tripped };
  for (let cut = 0; cut <= lengthOf(newer); cut++) {
    const file = new MemoryFile();
    const log = open(file, 1);
    log.note({ B: { state: 'TRIPPED' } });
    file.cutAfter = cut;
    log.note(newer);
    t.same(open(file, 2).pending(undefined), { B: { state: 'TRIPPED' } }, `cut at ${String(cut)}`);
  }
  t.end();
});

void t.test('and over notes that are committed, whatever hangs on behind it', (t) => {
  for (let cut = 0; cut < lengthOf(tripped); cut++) {
    const file = new MemoryFile();
    const log = open(file, 1);
    for (let i = 0; i < 3; i++) log.note({ B: { state: 'OLD' } });
    const { mark } = log;
    log.committed(mark);
    file.cutAfter = cut;
    log.note(tripped);
    t.same(open(file, 2).pending(mark), {}, `cut at ${String(cut)}`);
  }
  t.end();
});

void t.test('what cannot be noted is told once, and stops nothing', (t) => {
  const errors: unknown[] = [];
  const log: Log = { ...silentLog, error: (text, fields) => errors.push([text, fields]) };
  const file = new MemoryFile();
  const latches = open(file, 1, log);
  file.isFull = true;
  latches.note(tripped);
  latches.note(tripped);
  t.match(errors, [[/latch log is not written/, { reason: 'no space left' }]]);
  file.isFull = false;
  latches.note(tripped);
  t.same(open(file, 2).pending(undefined), tripped);
  latches.note({ A: { text: 'x'.repeat(limits.latchLogBytes) } });
  t.match(errors.at(-1), [/latch log/, { reason: /more notes than fit/ }]);
  t.same(open(file, 2).pending(undefined), tripped);
  t.end();
});
