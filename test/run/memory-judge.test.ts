/** The verdict on any findings at all, and what the memory does at its edges. */
import type { StateFiles } from '../../gateway/run/runtime.js';
import fc from 'fast-check';
import t from 'tap';
import { silentLog } from '../../gateway/contract/index.js';
import { Memory, memoryKeys, type MemoryRows } from '../../gateway/run/memory/memory.js';
import { Notes, notesIn } from '../../gateway/run/memory/notes.js';
import { seal } from '../../gateway/run/memory/sealed.js';
import {
  readAnchor,
  readNote,
  readSnapshot,
  type Anchor,
  type Note,
  type Snapshot,
} from '../../gateway/run/memory/snapshot.js';
import { judge, type Finding, type Findings } from '../../gateway/run/memory/verdict.js';
import { MemoryFile } from '../support/memory-file.js';
import { StateFolder } from '../support/memory-files.js';

const id = fc.constantFrom('x', 'y', '');
const count = fc.nat({ max: 6 });
const rule = fc.constantFrom('T', 'U', '__proto__', 'toString');
const state = fc.oneof(fc.constant({ hash: 'h', state: 'TRIPPED' }), fc.jsonValue());
/** A record as it should be, or with any of its parts as anything. */
function spoilt(parts: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> {
  const any = Object.entries(parts).map(([key, part]) => [
    key,
    fc.oneof({ weight: 9, arbitrary: part }, { weight: 1, arbitrary: fc.jsonValue() }),
  ]);
  const record = fc.record(Object.fromEntries(any) as typeof parts, { requiredKeys: [] });
  const whole = fc.record(parts);
  return fc.oneof(
    { weight: 6, arbitrary: whole },
    { weight: 2, arbitrary: record },
    { weight: 1, arbitrary: fc.jsonValue() },
  );
}
const v = fc.constantFrom(1, 1, 1, 1, 2, 0);
const states = fc.dictionary(rule, state);
const orders = fc.dictionary(rule, fc.oneof(fc.constant([]), fc.jsonValue()));
const roster = fc.array(rule);
const anchors = spoilt({ v, id, note: count, epoch: count, clean: fc.boolean() });
const snapshots = spoilt({ v, id, note: count, epoch: count, roster, states, orders });
const notes = spoilt({ id, note: count, states, orders });

function finding<T>(
  place: string,
  of: fc.Arbitrary<unknown>,
  read: (value: unknown) => Finding<T>['found'],
): fc.Arbitrary<Finding<T>> {
  const found = fc.oneof(
    { weight: 4, arbitrary: of.map((value) => read(JSON.parse(JSON.stringify(value)))) },
    { weight: 6, arbitrary: fc.constant('none' as const) },
    { weight: 1, arbitrary: fc.constantFrom('bad' as const, 'unreadable' as const) },
  );
  return found.map((one) => ({ place, found: one }));
}
const anything: fc.Arbitrary<Findings> = fc.record({
  anchor: finding<Anchor>('anchor', anchors, readAnchor),
  copies: fc.tuple(
    finding<Snapshot>('journal', snapshots, readSnapshot),
    finding<Snapshot>('memory-a', snapshots, readSnapshot),
    finding<Snapshot>('memory-b', snapshots, readSnapshot),
  ),
  notes: fc
    .oneof(fc.constant([]), fc.array(notes))
    .map((list) => list.flatMap((one): Note[] => asList(readNote(one)))),
  legacy: fc.option(fc.record({ states, id, note: count }), {
    nil: undefined,
  }),
  hasRun: fc.boolean(),
});
/** In the places of the memory there is nothing at all. */
const nowhere = anything.map((found): Findings => {
  const none = <T>({ place }: Finding<T>): Finding<T> => ({ place, found: 'none' });
  return { ...found, anchor: none(found.anchor), copies: found.copies.map(none), notes: [] };
});
const findings = fc.oneof({ weight: 9, arbitrary: anything }, { weight: 1, arbitrary: nowhere });
function asList<T>(one: T | undefined): T[] {
  return one === undefined ? [] : [one];
}

/** How far what is there of an installation goes: of its copies, with the notes that follow without a gap. */
function reaches({ copies, notes }: Findings, id: string): number {
  let most = -1;
  for (const { found } of copies) {
    if (typeof found === 'string' || found.id !== id) continue;
    let { note } = found;
    while (notes.some((one) => one.id === id && one.note === note + 1)) note++;
    most = Math.max(most, note);
  }
  return most;
}

void t.test('a verdict is never too good', (t) => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(findings, (found) => {
      const verdict = judge(found);
      seen.set(verdict.kind, (seen.get(verdict.kind) ?? 0) + 1);
      const { anchor, copies, notes, legacy, hasRun } = found;
      const all = [anchor, ...copies];
      const isAny = hasRun || notes.length > 0 || all.some((one) => one.found !== 'none');
      if (verdict.kind === 'first') return !isAny;
      if (verdict.kind === 'unknown') return all.some((one) => one.found === 'unreadable');
      if (verdict.kind === 'lost') return isAny;
      const of = typeof anchor.found === 'string' ? undefined : anchor.found;
      if (verdict.id === undefined) return false;
      const isCopy = reaches(found, verdict.id) >= Math.max(0, of?.note ?? 0);
      const isOurs = of === undefined || of.id === verdict.id;
      const isUpgrade = legacy !== undefined && all.every((one) => one.found === 'none');
      return (isCopy && isOurs) || isUpgrade;
    }),
    { numRuns: 2_500 },
  );
  t.comment('verdicts', Object.fromEntries(seen));
  for (const kind of ['first', 'known', 'lost', 'unknown'])
    t.ok((seen.get(kind) ?? 0) > 5, `${kind} is among them`);
  t.end();
});

void t.test('any bytes and any rows give a verdict', async (t) => {
  const json = fc.oneof(fc.jsonValue(), snapshots, anchors, notes);
  const bytes = fc.oneof(json.map(seal), fc.uint8Array({ maxLength: 200 }));
  const row = fc.option(
    json.map((value) => JSON.stringify(value)),
    { nil: undefined },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(bytes, { maxLength: 4 }), row, row, row, async (files, ...rows) => {
      const folder = new StateFolder();
      const [anchor, a, b, lines] = files;
      if (anchor) folder.files.set('anchor', anchor);
      if (a) folder.files.set('memory-a', a);
      if (b) folder.files.set('memory-b', b);
      if (lines) folder.notes.open().write(lines, 0);
      const { verdict } = await open(folder.open(), rows);
      const isAny = files.length > 0 || rows.some((one) => one !== undefined);
      return verdict.kind !== 'first' || !isAny || files.every((one) => one.length === 0);
    }),
    { numRuns: 1_000 },
  );
  t.pass('1,000 disks');
});

function open(
  files: StateFiles,
  rows: readonly (string | undefined)[] = [],
  put: MemoryRows['put'] = () => Promise.resolve(),
): Promise<Memory> {
  const keys = [memoryKeys.states, memoryKeys.rest, memoryKeys.mark];
  const state = new Map(keys.map((key, i) => [key as string, rows[i]]));
  return Memory.open({
    files,
    notes: files.notes.before,
    newId: 'x',
    onStored: () => undefined,
    log: silentLog,
    rows: {
      get: (key) => state.get(key),
      put,
      isDamaged: () => false,
      setAside: () => undefined,
      isOld: rows.some((one) => one !== undefined),
      isUnread: false,
      epoch: 1,
    },
  });
}
const contents = { roster: [], states: {}, orders: {} };
const lineOf = (folder: StateFolder): unknown =>
  readAnchor(JSON.parse(new TextDecoder().decode(folder.files.get('anchor')?.subarray(9))));

void t.test('an end before anything could be stored does not take the anchor back', async (t) => {
  const folder = new StateFolder();
  const before = await open(folder.open());
  const { id, note } = before.current;
  const notes = new Notes({ file: folder.notes.open(), id, last: note, log: silentLog });
  for (let i = 0; i < 5; i++) notes.note({ states: { T: { state: 'TRIPPED' } }, orders: {} });
  await before.store(contents, notes.last);
  t.match(lineOf(folder), { note: 5, clean: false });
  folder.isFull = true;
  const full = await open(folder.open(), [], () => Promise.reject(new RangeError('full')));
  await full.store(contents, full.current.note);
  folder.isFull = false;
  await full.close();
  t.match(lineOf(folder), { note: 5, clean: true });
});

void t.test('what lies behind a gap in the notes never counts again', (t) => {
  const file = new MemoryFile();
  const first = new Notes({ file: file.open(), id: 'x', last: 0, log: silentLog });
  for (const state of ['A', 'B', 'C']) first.note({ states: { T: { state } }, orders: {} });
  // A byte of the first goes bad: of the others nobody knows what came before them.
  file.open().write(Uint8Array.of(0), 3);
  const second = new Notes({ file: file.open(), id: 'x', last: 0, log: silentLog });
  second.note({ states: { T: { state: 'TRIPPED' } }, orders: {} });
  t.match(notesIn(file.open().before), [{ note: 1, states: { T: { state: 'TRIPPED' } } }]);
  t.equal(notesIn(file.open().before).length, 1);
  t.end();
});
