/** No class of records pushes out another, and none pushes out samples. */
import t from 'tap';
import type { EntryClass } from '../../gateway/journal/entry.js';
import { block, bounded, rig, wallNow, type Rig } from './rig.js';

const sizeBytes = 100_000;

function bytesOf(r: Rig, entryClass: EntryClass): number {
  return r.journal.segments
    .filter((segment) => segment.class === entryClass)
    .reduce((sum, { bytes }) => sum + bytes, 0);
}

async function flood(r: Rig, entryClass: 'event' | 'audit' | 'refusal'): Promise<void> {
  for (let i = 0; i < 400; i++) {
    const json = JSON.stringify({ type: 'x', n: i, text: 'y'.repeat(500) });
    r.journal.appendRecord(entryClass, json, wallNow(r)).catch(() => undefined);
    await r.pass(100);
  }
}

void t.test('a flood of one class leaves the others alone', async (t) => {
  for (const entryClass of ['event', 'audit', 'refusal'] as const) {
    const r = await rig({ bounds: bounded({ sizeBytes }) });
    for (let i = 0; i < 20; i++) {
      r.journal.appendBlock(block(50), wallNow(r));
      // Refusals have two hundredths.
      for (const other of ['event', 'audit', ...(i < 5 ? (['refusal'] as const) : [])] as const)
        r.journal
          .appendRecord(other, `{"type":"first","n":${String(i)}}`, wallNow(r))
          .catch(() => undefined);
      await r.pass(1_100);
    }
    const classes = ['samples', 'event', 'audit', 'refusal'] as const;
    const before = new Map(classes.map((c) => [c, bytesOf(r, c)]));
    await flood(r, entryClass);
    for (const other of classes) {
      if (other === entryClass) continue;
      t.equal(bytesOf(r, other), before.get(other), `${entryClass}: ${other} is all there`);
    }
    t.ok(bytesOf(r, entryClass) <= 0.21 * sizeBytes, `${entryClass} keeps to its share`);
    t.ok(bytesOf(r, entryClass) > 0.01 * sizeBytes, 'and has it');
  }
});

void t.test(
  'refusals have the sequence of the audit, and a class of their own on the disk',
  async (t) => {
    const r = await rig();
    await r.until(r.journal.appendRecord('audit', '{"n":1}', wallNow(r)));
    await r.until(r.journal.appendRecord('refusal', '{"n":2}', wallNow(r)));
    t.strictSame(
      r.journal.segments.map(({ class: c }) => c),
      ['audit', 'refusal'],
    );
    const reader = r.journal.reader('a');
    reader.connected();
    await r.pass(100);
    const entries = [];
    for (let i = 0; i < 20; i++) {
      const entry = reader.takeHistory();
      if (entry) entries.push(entry);
      else await r.pass(50);
    }
    t.strictSame(
      entries.map(({ stream, seq }) => [stream, seq]),
      [
        ['audit', 1],
        ['audit', 2],
      ],
    );
  },
);
