/** States of rules between decision and commit: what a kill at any point leaves for the next start. */
import t from 'tap';
import type { Log, RetainedStates } from '../../gateway/contract/index.js';
import { silentLog } from '../../gateway/contract/index.js';
import { limits } from '../../gateway/limits.js';
import { Notes, notesIn } from '../../gateway/run/memory/notes.js';
import { judge } from '../../gateway/run/memory/verdict.js';
import { MemoryFile } from '../support/memory-file.js';
import { Seeded } from '../support/random.js';

const tripped = { A: { state: 'TRIPPED' } };

/** What a start knows whose snapshot has this note in it, of this installation. */
function known(file: MemoryFile, kept = 0, id = 'j'): { states: RetainedStates; note: number } {
  const snapshot = { v: 1, id, note: kept, epoch: 1, roster: [], states: {}, orders: {} } as const;
  const notes = notesIn(file.open().before);
  const anchor = { place: 'anchor', found: 'none' } as const;
  const copies = [{ place: 'journal', found: snapshot }];
  return judge({ anchor, copies, notes, legacy: undefined, hasRun: true });
}
function pending(file: MemoryFile, kept?: number, id?: string): RetainedStates {
  return known(file, kept, id).states;
}
/** A start on a snapshot that has this note in it. */
function open(file: MemoryFile, kept = 0, log: Log = silentLog): Notes {
  return new Notes({ file: file.open(), id: 'j', last: known(file, kept).note, log });
}
function note(notes: Notes, states: RetainedStates): void {
  notes.note({ states, orders: {} });
}

void t.test('what was noted and not committed is pending, newest of each rule', (t) => {
  const file = new MemoryFile();
  const first = open(file);
  t.same(pending(file), {}, 'an empty file');
  note(first, { A: { state: 'TRIPPED' }, B: { state: 'TRIPPED' } });
  const mark = first.last;
  note(first, { A: { state: 'NORMAL' } });
  t.same(pending(file), { A: { state: 'NORMAL' }, B: { state: 'TRIPPED' } });
  t.same(pending(file, mark), { A: { state: 'NORMAL' } }, 'the journal knows the first note');
  t.same(pending(file, first.last), {}, 'and now all');
  t.end();
});

void t.test('notes of before stay until a commit holds them, and go on counting', (t) => {
  const file = new MemoryFile();
  const first = open(file);
  note(first, tripped);
  note(first, { A: { state: 'NORMAL' } });
  // The disk takes nothing: each start finds the same mark.
  const second = open(file);
  note(second, tripped);
  t.same(pending(file), tripped, 'the newest, though two starts have noted it');
  const third = open(file);
  note(third, { B: { state: 'TRIPPED' } });
  t.same(pending(file), { ...tripped, B: { state: 'TRIPPED' } });
  third.committed(third.last);
  t.same(pending(file, third.last), {});
  note(third, { C: { state: 'TRIPPED' } });
  t.same(pending(file, 4), { C: { state: 'TRIPPED' } });
  t.end();
});

void t.test('a commit of older states keeps what was noted since', (t) => {
  const file = new MemoryFile();
  const log = open(file);
  note(log, tripped);
  const mark = log.last;
  note(log, { B: { state: 'TRIPPED' } });
  log.committed(mark);
  note(log, { C: { state: 'TRIPPED' } });
  t.same(Object.keys(pending(file, mark)), ['B', 'C']);
  t.end();
});

void t.test('notes count for their own journal, and not behind a gap', (t) => {
  const file = new MemoryFile();
  const log = open(file);
  note(log, { A: { state: 'TRIPPED' }, long: 'x'.repeat(100) });
  note(log, { B: { state: 'TRIPPED' } });
  const mark = log.last;
  note(log, { C: { state: 'TRIPPED' } });
  log.committed(log.last);
  note(log, { D: { state: 'TRIPPED' } });
  // The first is overwritten; of the two behind it nobody knows what became.
  t.same(pending(file), {}, 'an older copy of the journal');
  t.same(Object.keys(pending(file, mark)), ['C', 'D']);
  t.same(pending(file, 0, 'other'), {}, 'another journal');
  t.end();
});

void t.test('notes that are always ahead of the commits do not fill the file', (t) => {
  const file = new MemoryFile();
  const errors: unknown[] = [];
  const log: Log = { ...silentLog, error: (...what) => errors.push(what) };
  const latches = open(file, 0, log);
  let before = latches.last;
  for (let i = 0; i < 20_000; i++) {
    note(latches, { A: { state: 'TRIPPED', text: 'x'.repeat(500) }, [`R${String(i)}`]: {} });
    latches.committed(before);
    before = latches.last;
    if (i % 499 !== 0) continue;
    const held = i;
    t.same(Object.keys(pending(file, held)), ['A', `R${String(i)}`], String(i));
  }
  t.same(errors, []);
  t.ok(file.open().before.length <= 2 * limits.latchLogReservedBytes);
  t.end();
});

/** How long the line of a note is. */
function lengthOf(states: RetainedStates): number {
  const file = new MemoryFile();
  note(open(file), states);
  return file.open().before.indexOf(10);
}

void t.test('a kill in the middle of a note leaves those before it', (t) => {
  const newer = { B: { state: 'NORMAL' }, ...tripped };
  for (let cut = 0; cut <= lengthOf(newer); cut++) {
    const file = new MemoryFile();
    const log = open(file);
    note(log, { B: { state: 'TRIPPED' } });
    file.cutAfter = cut;
    note(log, newer);
    t.same(pending(file), { B: { state: 'TRIPPED' } }, `cut at ${String(cut)}`);
  }
  t.end();
});

void t.test('and over notes that are committed, whatever hangs on behind it', (t) => {
  for (let cut = 0; cut < lengthOf(tripped); cut++) {
    const file = new MemoryFile();
    const log = open(file);
    for (let i = 0; i < 3; i++) note(log, { B: { state: 'OLD' } });
    const mark = log.last;
    log.committed(mark);
    file.cutAfter = cut;
    note(log, tripped);
    t.same(pending(file, mark), {}, `cut at ${String(cut)}`);
  }
  t.end();
});

void t.test('what cannot be noted is told once, and stops nothing', (t) => {
  const errors: unknown[] = [];
  const log: Log = { ...silentLog, error: (text, fields) => errors.push([text, fields]) };
  const file = new MemoryFile();
  const latches = open(file, 0, log);
  file.isFull = true;
  note(latches, tripped);
  t.equal(latches.standing, 'failing');
  note(latches, tripped);
  t.match(errors, [[/trips are not noted/, { reason: 'no space left' }]]);
  file.isFull = false;
  note(latches, tripped);
  t.equal(latches.standing, 'kept');
  t.same(pending(file), tripped);
  note(latches, { A: { text: 'x'.repeat(limits.latchLogBytes) } });
  t.match(errors.at(-1), [/not noted/, { reason: /more notes than fit/ }]);
  t.same(pending(file), tripped);
  t.end();
});

void t.test('a slow disk: what is said to be kept is kept, whenever the process is killed', (t) => {
  for (let seed = 1; seed <= 2_000; seed++) {
    const random = new Seeded(seed);
    const file = new MemoryFile();
    const notes = open(file);
    let states: Record<string, unknown> = {};
    let committed = 0;
    const trail: string[] = [];
    for (let i = 0; i < 40; i++) {
      file.isSlow = random.chance(0.4);
      file.isFull = random.chance(0.2);
      if (random.chance(0.3)) file.catchUp(random.int(0, 3));
      const rule = 'ABCDE'[random.int(0, 4)] as string;
      const state = { state: `S${String(i)}`, text: 'x'.repeat(random.int(0, 40)) };
      const before = notes.last;
      note(notes, { [rule]: state });
      // What could not be noted is made up for by the commit that follows it.
      if (notes.last > before) states[rule] = state;
      trail.push(`${notes.standing} ${String(notes.last)}`);
      if (notes.standing === 'kept') {
        const found = pending(file, committed);
        if (JSON.stringify(sorted(found)) !== JSON.stringify(sorted(states)))
          return void t.fail(`seed ${String(seed)}, ${String(i)}: ${trail.join(', ')}`);
      }
      if (random.chance(0.2)) {
        committed = notes.last;
        notes.committed(committed);
        states = {};
      }
    }
  }
  t.pass('2,000 disks');
  t.end();
});

function sorted(states: Readonly<Record<string, unknown>>): unknown {
  return Object.entries(states).sort(([a], [b]) => (a < b ? -1 : 1));
}

void t.test('a late note that failed is told, and made up for by the next one', (t) => {
  const errors: string[] = [];
  const log: Log = {
    ...silentLog,
    error: (text) => errors.push(text),
    warn: (text) => errors.push(text),
  };
  const file = new MemoryFile();
  const notes = open(file, 0, log);
  file.isSlow = true;
  note(notes, tripped);
  t.equal(notes.standing, 'late');
  t.same(pending(file), {}, 'a kill forgets it');
  file.isFull = true;
  file.catchUp(1);
  file.isFull = false;
  file.isSlow = false;
  note(notes, { B: { state: 'TRIPPED' } });
  t.equal(notes.standing, 'kept');
  t.same(pending(file), { ...tripped, B: { state: 'TRIPPED' } });
  t.match(errors, [/slow/, /not noted/]);
  t.end();
});
