import t from 'tap';
import { Intervals } from '../../gateway/journal/intervals.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { block, bounded, drain, rig, wallNow } from './rig.js';

void t.test(
  'eviction by size takes samples first, and every lost sequence is in one gap',
  async (t) => {
    const r = await rig({ bounds: bounded({ sizeBytes: 20_000 }) });
    const events = new Intervals();
    for (let i = 0; i < 60; i++) {
      r.journal.appendBlock(block(100), wallNow(r));
      if (i % 10 === 0) {
        r.journal.appendRecord('event', '{"type":"e"}', wallNow(r)).catch(() => undefined);
        events.add(i / 10 + 1, i / 10 + 1);
      }
      await r.pass(1_100);
    }
    const { used } = await r.store.room();
    t.ok(used < 20_000, `${String(used)} bytes`);
    r.journal.reader('a').connected();
    const { seqs, gaps } = await drain(r);
    const seen = new Intervals();
    for (const gap of gaps) {
      t.equal(gap.why, 'size');
      t.notOk(seen.intersects(gap.from, gap.to), 'named once');
      seen.add(gap.from, gap.to);
      t.equal(gap.samples, gap.to - gap.from + 1);
    }
    for (const seq of seqs) {
      const [from = 0, to = 0] = (seq.split(':')[1] ?? '').split('-').map(Number);
      t.notOk(seen.intersects(from, to), 'what came is not said to be lost');
      seen.add(from, to);
    }
    t.strictSame(seen.toJSON(), [[1, 6_000]], 'every sample came or is in a gap');
    t.ok(r.journal.stats.evicted > 0);
  },
);

void t.test(
  'the ledger of losses is never itself lost: what must go is written again',
  async (t) => {
    const r = await rig({ bounds: bounded({ sizeBytes: 4_000 }) });
    for (let i = 0; i < 300; i++) {
      // Every third scan is received, so that the ledger cannot become one stretch.
      r.journal.appendBlock(block(10), wallNow(r));
      if (i % 3 === 0) {
        const reader = r.journal.reader('a');
        reader.connected();
        const live = r.journal.appendBlock(block(1), wallNow(r));
        t.equal(reader.takeLive()?.pos, live.pos);
        reader.ack(live.pos);
        reader.disconnected();
      }
      await r.pass(1_100);
    }
    r.journal.reader('a').connected();
    const { seqs, gaps } = await drain(r);
    const seen = new Intervals();
    for (const { from, to } of gaps) seen.add(from, to);
    for (const seq of seqs) {
      const [from = 0, to = 0] = (seq.split(':')[1] ?? '').split('-').map(Number);
      seen.add(from, to);
    }
    const lost = gaps.reduce((sum, { samples }) => sum + samples, 0);
    t.equal(lost, r.journal.stats.evicted, 'every loss is counted once');
    const acked = Intervals.from([[1, 300 * 10 + 100]]);
    for (const [from, to] of seen.toJSON()) acked.remove(from, to);
    t.ok(
      acked.toJSON().every(([from, to]) => from === to),
      'only what was acknowledged is in no record',
    );
  },
);

void t.test('what every sink has is evicted without a gap', async (t) => {
  const r = await rig({
    keepHistory: true,
    bounds: bounded({ sizeBytes: 8_000, historyKeep: 1e9 }),
  });
  const reader = r.journal.reader('a');
  reader.connected();
  for (let i = 0; i < 30; i++) {
    r.journal.appendBlock(block(50), wallNow(r));
    reader.ack(reader.takeLive()?.pos ?? 0);
    await r.pass(1_100);
  }
  t.ok((await r.store.room()).used < 8_000, 'bounded');
  t.ok(r.journal.segments.length > 1, 'history is kept though everybody has it');
  t.strictSame((await drain(r)).gaps, []);
});

void t.test('eviction by age counts time that has passed, not a clock that was set', async (t) => {
  const day = 86_400_000;
  const clock = new VirtualClock(0);
  const r = await rig({ bounds: bounded({ age: day }) }, clock);
  r.journal.appendBlock(block(5), wallNow(r));
  await r.pass(2_000);
  clock.stepWall(Date.UTC(2026, 0, 1));
  r.journal.appendBlock(block(1), wallNow(r));
  await r.pass(2_000);
  t.equal(r.journal.segments.length, 2, 'set from 1970 to now: nothing is a day old');
  await r.pass(day / 2);
  const rebooted = await r.crash({ bounds: bounded({ age: day }) });
  rebooted.journal.appendBlock(block(1), wallNow(rebooted));
  await rebooted.pass(2_000);
  t.equal(rebooted.journal.segments.length, 3, 'nor after a restart');
  await rebooted.pass(day);
  rebooted.journal.appendBlock(block(1), wallNow(rebooted));
  await rebooted.pass(2_000);
  rebooted.journal.reader('a').connected();
  const { gaps } = await drain(rebooted);
  t.strictSame(
    gaps.map(({ why, from, to, epoch }) => [why, epoch, from, to]),
    [
      ['age', 1, 1, 5],
      ['age', 1, 6, 6],
      ['age', 2, 1, 1],
    ],
  );
});

void t.test('a share of the disk is left to others: memory first, then the oldest', async (t) => {
  let free = 500;
  const disk = (): Promise<{ free: number; total: number }> =>
    Promise.resolve({ free, total: 1_000 });
  const r = await rig({ bounds: bounded({ freeDisk: 0.1, disk }) });
  r.journal.appendBlock(block(5), wallNow(r));
  await r.pass(1_500);
  free = 50;
  await r.pass(11_000);
  r.journal.appendBlock(block(5), wallNow(r));
  await r.pass(1_500);
  t.equal(r.journal.waiting, 1, 'the file does not grow');
  t.equal(r.journal.segments.length, 1, 'and nothing is dropped for it');
  // Records are small, and people wait for them.
  await r.until(r.journal.appendRecord('audit', '{}', wallNow(r)));
  for (let i = 0; i < 1_100; i++) {
    r.journal.appendBlock(block(1_000), wallNow(r));
    if (i % 10 === 0) await r.pass(1_100);
  }
  t.equal(r.journal.segments.filter(({ class: c }) => c === 'samples').length, 0, 'then it is');
  free = 500;
  await r.pass(12_000);
  t.ok(r.journal.waiting < 200, 'the rest goes to the disk when there is room');
  r.journal.reader('a').connected();
  const { gaps } = await drain(r);
  t.strictSame(
    gaps.map(({ why, from, to }) => [why, from, to]),
    [['disk', 1, 5]],
  );
});
