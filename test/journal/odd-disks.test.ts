/**
 * Disks that are full, read-only, broken or gone, at the start, while it runs, or at the end; with a broker and without. Nothing
 * that was told is lost but what is counted, and what waits goes to the disk when it answers.
 */
import t from 'tap';
import { Intervals } from '../../gateway/journal/intervals.js';
import { MemoryStore } from '../../gateway/journal/memory-store.js';
import { limits } from '../../gateway/limits.js';
import { Seeded } from '../support/random.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { type Ailment, ailments, FaultyStore } from './faulty-store.js';
import { block, rig, wallNow, type Rig } from './rig.js';
import { seedsOf } from '../support/effort.js';

type When = 'at the start' | 'while it runs' | 'at the end';
const whens: readonly When[] = ['at the start', 'while it runs', 'at the end'];
const seeds = seedsOf(3);

/** A consumer: what it has, by epoch and sequence, and what it was told is lost. */
class Consumer {
  readonly got = new Map<number, Intervals>();
  readonly lost = new Map<number, Intervals>();
  doubles = 0;

  take(r: Rig): void {
    const reader = r.journal.reader('a');
    for (let entry = reader.takeLive() ?? reader.takeHistory(); entry;) {
      const { epoch, seq, count, body, pos } = entry;
      if (typeof body !== 'string') this.#note(this.got, epoch, seq, seq + count - 1);
      else if (entry.class === 'gap') {
        const gap = JSON.parse(body) as { epoch: number; from: number; to: number };
        this.#note(this.lost, gap.epoch, gap.from, gap.to);
      }
      reader.ack(pos);
      entry = reader.takeLive() ?? reader.takeHistory();
    }
  }
  #note(where: Map<number, Intervals>, epoch: number, from: number, to: number): void {
    const all = where.get(epoch) ?? new Intervals();
    if (all.has(from) && where === this.got) this.doubles++;
    all.add(from, to);
    where.set(epoch, all);
  }
  /** Samples of an epoch that neither came nor are said to be lost. */
  missing(epoch: number, upTo: number): number {
    const left = Intervals.from([[1, upTo]]);
    for (const where of [this.got, this.lost])
      for (const [from, to] of where.get(epoch)?.toJSON() ?? []) left.remove(from, to);
    return left.toJSON().reduce((sum, [from, to]) => sum + to - from + 1, 0);
  }
}

interface Case {
  readonly ailment: Ailment;
  readonly when: When;
  readonly isConnected: boolean;
  readonly seed: number;
}
function* cases(): Generator<Case> {
  for (const ailment of ailments)
    for (const when of whens)
      for (const isConnected of [true, false])
        for (let seed = 1; seed <= seeds; seed++) yield { ailment, when, isConnected, seed };
}

void t.test('what is told while a disk fails comes, or is counted', async (t) => {
  for (const { ailment, when, isConnected, seed } of cases()) {
    const said = `${ailment} ${when}, ${isConnected ? 'connected' : 'no broker'}, seed ${String(seed)}`;
    const random = new Seeded(seed);
    const clock = new VirtualClock();
    const disk = new MemoryStore();
    let last = 0;
    const epochs = {
      last: () => Promise.resolve(last),
      record: (n: number) => {
        last = n;
        return Promise.resolve();
      },
    };
    const consumer = new Consumer();
    // An earlier boot left something that nobody had.
    const before = await rig({ epochs }, clock, disk);
    before.journal.appendBlock(block(7), wallNow(before));
    await before.pass(1_500);
    await before.until(before.journal.close());

    const store = new FaultyStore(disk.reopen());
    if (when === 'at the start') store.ailment = ailment;
    const r = await rig({ epochs, slow: store }, clock, disk);
    if (isConnected) r.journal.reader('a').connected();
    let made = 0;
    const load = async (seconds: number): Promise<void> => {
      for (let i = 0; i < seconds * 2; i++) {
        const count = random.int(1, 20);
        r.journal.appendBlock(block(count), wallNow(r));
        made += count;
        await r.pass(500);
        if (isConnected) consumer.take(r);
      }
    };
    await load(random.int(2, 20));
    if (when === 'while it runs') store.ailment = ailment;
    await load(limits.journalLookMs / 1_000 + random.int(5, 40));
    const isGone = ailment === 'gone';
    if (when === 'while it runs' || (when === 'at the start' && !isGone)) {
      if (!isGone) {
        t.not(r.conditions.at(-1), undefined, `${said}: it is said`);
        await t.rejects(
          r.until(r.journal.appendRecord('audit', '{}', wallNow(r))),
          `${said}: commands`,
        );
      } else t.equal(store.renewed, 1, `${said}: written anew`);
      if (isConnected)
        t.equal(consumer.missing(2, made), 0, `${said}: all is published from memory`);
      store.ailment = undefined;
      // A copy that failed is tried again within half a minute.
      await load(limits.journalLookMs / 1_000 + 2);
      t.equal(r.conditions.at(-1), undefined, `${said}: it is well again`);
      await r.until(r.journal.appendRecord('audit', '{}', wallNow(r)));
    }
    if (when === 'at the end') store.ailment = ailment;
    await r.until(r.journal.close());

    const after = await rig({ epochs }, clock, disk.reopen());
    after.journal.reader('a').connected();
    await after.pass(2_000);
    for (let i = 0; i < 5 || after.journal.reader('a').hasHistory; i++) {
      consumer.take(after);
      await after.pass(200);
    }
    t.ok(after.journal.epoch > r.journal.epoch, said);
    t.equal(consumer.missing(1, 7), 0, `${said}: what was there before`);
    // What memory held when it ended on a disk that takes nothing: a second at most.
    const unsaved = when === 'at the end' && !isConnected && !['gone', 'stuck'].includes(ailment);
    if (!unsaved) t.equal(consumer.missing(2, made), 0, `${said}: and since`);
    t.equal(consumer.doubles === 0 || when === 'at the end', true, `${said}: nothing twice`);
  }
});

void t.test(
  'where nothing says how many boots there were, the number is new all the same',
  async (t) => {
    const clock = new VirtualClock(Date.UTC(2026, 10, 30));
    const unread = { last: () => Promise.resolve(undefined), record: () => Promise.resolve() };
    const store = new FaultyStore(new MemoryStore());
    store.ailment = 'EIO';
    const first = await rig({ epochs: unread, slow: store }, clock);
    t.ok(first.journal.epoch > 2 ** 20);
    await first.pass(3_600_000);
    const second = await rig({ epochs: unread, slow: store }, clock);
    t.ok(second.journal.epoch > first.journal.epoch);
    t.equal(first.journal.report.isUnread, true);
    store.ailment = undefined;
    await second.pass(5_000);
    t.ok(second.journal.isRead);
  },
);

void t.test('a journal that is further than the start is not written over', async (t) => {
  const clock = new VirtualClock();
  const disk = new MemoryStore();
  let r = await rig({}, clock, disk);
  for (let i = 0; i < 5; i++) r = await r.crash();
  const store = new FaultyStore(disk.reopen());
  store.ailment = 'EIO';
  const late = await rig({ slow: store }, clock, disk);
  t.equal(late.journal.epoch, 1);
  store.ailment = undefined;
  late.journal.appendBlock(block(1), wallNow(late));
  await late.pass(10_000);
  t.match(late.conditions.at(-1)?.message, /further than this start \(epoch 6 after 1\); restart/);
  t.match((await disk.reopen().open()).state.get('epoch'), /"n":6/);
});
