import t from 'tap';
import { type Entry, type GapRecord, isBlock } from '../../gateway/journal/entry.js';
import { Intervals } from '../../gateway/journal/intervals.js';
import type { JournalOptions } from '../../gateway/journal/options.js';
import { MemoryStore } from '../../gateway/journal/memory-store.js';
import { Seeded } from '../support/random.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { type Rig, SlowStore, block, bounded, rig } from './rig.js';

/** Sequences of `STREAM EPOCH`. */
type Book = Map<string, Intervals>;

function note(book: Book, key: string, from: number, to: number): void {
  const set = book.get(key) ?? new Intervals();
  set.add(from, to);
  book.set(key, set);
}

/**
 * One journal, two sinks, one disk that is slow and at times full, and a random order of everything
 * that can happen. Ledgers are kept by the consumers; the rules stand in `check`.
 */
class Chaos {
  readonly #random: Seeded;
  readonly #clock = new VirtualClock();
  readonly #store = new MemoryStore();
  readonly #slow: SlowStore;
  readonly #small: boolean;
  #rig: Rig | undefined;
  readonly #sinks = ['a', 'b'];
  readonly #connected = new Map<string, boolean>();
  readonly #flying = new Map<string, { entry: Entry; lane: string }[]>();
  readonly acked = new Map<string, Book>();
  readonly gaps: Book = new Map();
  readonly made: Book = new Map();
  readonly violations: string[] = [];
  readonly #lastOf = new Map<string, number>();
  readonly #ackedNow = new Set<string>();
  acks = 0;
  evictions = 0;

  constructor(seed: number) {
    this.#random = new Seeded(seed);
    this.#small = this.#random.chance(0.5);
    this.#slow = new SlowStore(
      this.#clock,
      this.#store,
      this.#random.pick([0, 5, 60]),
      this.#random,
    );
    for (const sink of this.#sinks) this.acked.set(sink, new Map());
  }

  get overlap(): number {
    return this.#slow.overlap;
  }

  async run(steps: number): Promise<void> {
    const extra: Partial<JournalOptions> & { slow: SlowStore } = {
      slow: this.#slow,
      sinks: this.#sinks,
      window: 200,
      bounds: bounded(this.#small ? { sizeBytes: 30_000 } : {}),
    };
    this.#rig = await rig(extra, this.#clock, this.#store);
    for (let i = 0; i < steps; i++) {
      this.#step();
      if (this.#random.chance(0.5))
        await this.#clock.run(this.#clock.mono() + this.#random.int(0, 40));
    }
    this.#store.fault = undefined;
    await this.#drain();
    this.#check();
  }

  #step(): void {
    const r = this.#random;
    const { journal } = this.#rig as Rig;
    const kind = r.int(0, 99);
    if (kind < 45) this.#append(r.int(1, 40), r.pick(['fast', 'slow']));
    else if (kind < 50) this.#event();
    else if (kind < 52)
      this.#store.fault = r.pick([undefined, undefined, 'disk-full', 'journal-io']);
    else if (kind < 54) journal.commit().catch(() => undefined);
    else {
      const sink = r.pick(this.#sinks);
      if (kind < 60) this.#toggle(sink);
      else if (kind < 80) this.#take(sink);
      else this.#ack(sink, r.int(1, 8));
    }
  }

  #append(count: number, group: string): void {
    const { journal } = this.#rig as Rig;
    const entry = journal.appendBlock(block(count, 1, group), this.#clock.wall());
    note(this.made, `${entry.stream} ${String(entry.epoch)}`, entry.seq, entry.seq + count - 1);
  }
  #event(): void {
    const { journal } = this.#rig as Rig;
    const seq = (journal.sequences().get('event') ?? 0) + 1;
    journal.appendRecord('event', '{"type":"x"}', this.#clock.wall()).catch(() => undefined);
    note(this.made, `event ${String(journal.epoch)}`, seq, seq);
  }

  #toggle(sink: string): void {
    const reader = (this.#rig as Rig).journal.reader(sink);
    if (this.#connected.get(sink)) reader.disconnected();
    else reader.connected();
    this.#connected.set(sink, !this.#connected.get(sink));
    this.#flying.set(sink, []);
    for (const key of [...this.#lastOf.keys()])
      if (key.startsWith(`${sink} `)) this.#lastOf.delete(key);
  }

  #take(sink: string): void {
    const reader = (this.#rig as Rig).journal.reader(sink);
    const flying = this.#flying.get(sink) ?? [];
    if (flying.length > 20) return;
    const live = this.#random.chance(0.5);
    const entry = live ? reader.takeLive() : reader.takeHistory();
    if (!entry) return;
    const lane = live ? 'live' : 'history';
    const name = `${entry.stream} ${String(entry.epoch)} ${String(entry.seq)}`;
    if (this.#ackedNow.has(`${sink} ${name}`))
      this.#wrong(`${name} came again to ${sink} after its ack`);
    if (flying.some((f) => f.entry.pos === entry.pos)) this.#wrong(`${name} is on its way twice`);
    const key = `${sink} ${lane}`;
    if ((this.#lastOf.get(key) ?? 0) >= entry.pos) this.#wrong(`${name} out of order in ${key}`);
    this.#lastOf.set(key, entry.pos);
    flying.push({ entry, lane });
    this.#flying.set(sink, flying);
  }

  #ack(sink: string, most: number): void {
    const flying = this.#flying.get(sink) ?? [];
    for (let i = 0; i < most && flying.length > 0; i++) {
      const at = this.#random.int(0, flying.length - 1);
      const entry = flying.splice(at, 1)[0]?.entry;
      if (!entry) break;
      (this.#rig as Rig).journal.reader(sink).ack(entry.pos);
      this.acks++;
      const name = `${entry.stream} ${String(entry.epoch)}`;
      this.#ackedNow.add(`${sink} ${name} ${String(entry.seq)}`);
      note(this.acked.get(sink) as Book, name, entry.seq, entry.seq + entry.count - 1);
      if (entry.class === 'gap' && !isBlock(entry.body))
        this.#gap(JSON.parse(entry.body) as GapRecord, sink);
    }
  }

  #gap(gap: GapRecord, sink: string): void {
    const key = `${sink} ${gap.stream} ${String(gap.epoch)}`;
    // The ledger makes room, too: records may come again, as one. That each is named once: eviction.test.ts.
    if (gap.why === 'corrupt') this.#wrong(`nothing has rotted, but ${JSON.stringify(gap)}`);
    note(this.gaps, key, gap.from, gap.to);
    this.evictions++;
  }

  async #drain(): Promise<void> {
    for (const sink of this.#sinks) if (!this.#connected.get(sink)) this.#toggle(sink);
    for (let i = 0; i < 4_000; i++) {
      for (const sink of this.#sinks) {
        this.#take(sink);
        this.#ack(sink, 8);
      }
      if (i % 10 === 0) await this.#clock.run(this.#clock.mono() + 20);
    }
  }

  #check(): void {
    const { journal } = this.#rig as Rig;
    for (const sink of this.#sinks) {
      const { pending } = journal.reader(sink);
      if (!pending.isEmpty) this.#wrong(`${sink} still waits for ${JSON.stringify(pending)}`);
      for (const [key, made] of this.made) {
        const missing = Intervals.from(made.toJSON());
        for (const [from, to] of this.acked.get(sink)?.get(key)?.toJSON() ?? [])
          missing.remove(from, to);
        for (const [from, to] of this.gaps.get(`${sink} ${key}`)?.toJSON() ?? [])
          missing.remove(from, to);
        if (!missing.isEmpty) this.#wrong(`${sink} misses ${key} ${JSON.stringify(missing)}`);
      }
    }
    if (journal.segments.some(({ class: c }) => c !== 'audit'))
      this.#wrong('segments stay though everybody has everything');
  }

  #wrong(text: string): void {
    if (this.violations.length < 5) this.violations.push(text);
  }
}

void t.test(
  'in any order of events nothing is lost without a gap, and nothing comes twice',
  async (t) => {
    let evictions = 0;
    let overlap = 0;
    for (let seed = 1; seed <= 150; seed++) {
      const chaos = new Chaos(seed);
      await chaos.run(400);
      evictions += chaos.evictions;
      overlap = Math.max(overlap, chaos.overlap);
      t.strictSame(chaos.violations, [], `seed ${String(seed)}`);
      if (chaos.violations.length > 0 && seed > 20) break;
    }
    t.ok(evictions > 50, `evictions happened: ${String(evictions)}`);
    t.equal(overlap, 1, 'the store is called by one at a time');
  },
);
