import t from 'tap';
import { GatewayError, wall } from '../../gateway/contract/index.js';
import { type Entry, type GapRecord, isBlock } from '../../gateway/journal/entry.js';
import { limits } from '../../gateway/limits.js';
import { Keeper } from '../../gateway/run/wall/keeper.js';
import { MemoryStore } from '../../gateway/journal/memory-store.js';
import type { Change, Store } from '../../gateway/journal/store.js';
import { block, rig, type Rig } from '../journal/rig.js';
import { Seeded } from '../support/random.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { seedsOf } from '../support/effort.js';

const seeds = seedsOf(30);

/** The store of a process that may be dead: then nothing that it began ends any more. */
class MortalStore implements Store {
  isDead = false;
  /** The disk does not answer. */
  isAway = false;
  readonly #store: Store;
  constructor(store: Store) {
    this.#store = store;
  }
  #alive<T>(call: () => Promise<T>): Promise<T> {
    if (this.isDead) return new Promise(() => undefined);
    return this.isAway ? Promise.reject(new GatewayError('journal-io', 'it is away')) : call();
  }
  open(): ReturnType<Store['open']> {
    return this.#alive(() => this.#store.open());
  }
  commit(change: Change): Promise<readonly number[]> {
    return this.#alive(() => this.#store.commit(change));
  }
  read(id: number): Promise<Uint8Array | undefined> {
    return this.#alive(() => this.#store.read(id));
  }
  room(): ReturnType<Store['room']> {
    return this.#alive(() => this.#store.room());
  }
  isThere(): Promise<boolean> {
    return this.#alive(() => this.#store.isThere());
  }
  renew(): Promise<void> {
    return this.#alive(() => this.#store.renew());
  }
  close(): Promise<void> {
    return this.#alive(() => this.#store.close());
  }
}

/** A keeper and the journals that it outlives, on a virtual clock. */
class Life {
  readonly keeper: Keeper = new Keeper(() => this.journal.epoch);
  /** What was given, and what a consumer got, by stream and sequence. */
  readonly given = new Map<string, string>();
  readonly got = new Map<string, string>();
  readonly torn: string[] = [];
  readonly gaps: GapRecord[] = [];
  /** Live entries that came after a later one of their stream. */
  readonly backwards: string[] = [];
  live = 0;
  readonly #lastLive = new Map<string, number>();
  #rig: Rig;
  #store: MortalStore;
  #sent = 0;
  readonly #random: Seeded;
  readonly #seqs = new Map<string, number>();

  private constructor(first: Rig, store: MortalStore, random: Seeded) {
    this.#rig = first;
    this.#store = store;
    this.#random = random;
  }

  static async begin(random: Seeded): Promise<Life> {
    const disk = new MemoryStore();
    const store = new MortalStore(disk);
    return new Life(await rig({ slow: store }, new VirtualClock(), disk), store, random);
  }

  get journal(): Rig['journal'] {
    return this.#rig.journal;
  }

  give(): void {
    const group = this.#random.next() < 0.5 ? 'fast' : 'slow';
    const count = this.#random.int(1, 20);
    const value = this.given.size;
    this.#number(`D/${group}`, count, String(value));
    const time = this.#rig.clock.wall();
    this.keeper.add({ type: 'block', block: block(count, value, group), time });
    if (this.#random.next() > 0.2) return;
    const event = { type: 'clock-step', time: wall(0), ms: value, epoch: 1 } as const;
    this.#number('event', 1, JSON.stringify(event));
    this.keeper.add({ type: 'event', event, time });
  }

  #number(stream: string, count: number, value: string): void {
    const seq = (this.#seqs.get(stream) ?? 0) + 1;
    this.#seqs.set(stream, seq + count - 1);
    this.given.set(`${stream} ${String(seq)}`, value);
  }

  /** Some of what waits goes over, or all. */
  send(share = 1): void {
    const { journal } = this;
    for (let one = this.keeper.after(this.#sent); one; one = this.keeper.after(this.#sent)) {
      if (this.#random.next() > share) return;
      this.#sent = one.n;
      const { n, entry } = one;
      if (entry.type === 'block') journal.takeBlock(n, entry.block, entry.time);
      else if (entry.type === 'lost') journal.takeLoss(n, entry.gap);
      else
        journal
          .takeRecord(n, entry.type, JSON.stringify(entry.event), entry.time)
          .catch(() => undefined);
    }
  }

  /** A sink takes some, and acknowledges some of that. */
  consume(share: number): void {
    const reader = this.journal.reader('a');
    for (;;) {
      const live = reader.takeLive();
      const entry = live ?? reader.takeHistory();
      if (!entry) return;
      if (live) this.#isLive(live);
      const { body, stream, seq, pos } = entry;
      const value = isBlock(body) ? String(body.numbers[0]) : body;
      const key = `${stream} ${String(seq)}`;
      if (entry.class === 'gap') this.gaps.push(JSON.parse(value) as GapRecord);
      else {
        if (this.got.has(key) && this.got.get(key) !== value) this.torn.push(key);
        this.got.set(key, value);
      }
      if (this.#random.next() < share) reader.ack(pos);
    }
  }

  #isLive({ stream, seq }: Entry): void {
    if (seq <= (this.#lastLive.get(stream) ?? 0)) this.backwards.push(`${stream} ${String(seq)}`);
    this.#lastLive.set(stream, seq);
    this.live++;
  }

  /** What the journal said last of what is safe; such a message may be lost as well. */
  hear(): void {
    this.keeper.safe(this.journal.safe);
  }

  async kill(): Promise<void> {
    const again = this.keeper.again();
    this.#store.isDead = true;
    const disk = this.#rig.store.reopen();
    this.#store = new MortalStore(disk);
    this.#store.isAway = this.#random.next() < 0.3;
    this.#rig = await rig({ slow: this.#store, resume: again }, this.#rig.clock, disk);
    this.journal.recordAgain(again.losses);
    this.#sent = 0;
    if (this.#random.next() < 0.7) this.journal.reader('a').connected();
  }

  /** The disk answers, or it does not. */
  set isDiskAway(isAway: boolean) {
    this.#store.isAway = isAway;
  }

  async pass(ms: number): Promise<void> {
    await this.#rig.pass(ms);
  }
}

void t.test(
  'a journal that is killed at any time loses nothing and gives no number twice',
  async (t) => {
    let live = 0;
    for (let seed = 1; seed <= seeds; seed++) {
      const random = new Seeded(seed);
      const life = await Life.begin(random);
      life.journal.reader('a').connected();
      for (let step = 0; step < 150; step++) {
        life.give();
        if (random.next() < 0.8) life.send(0.95);
        if (random.next() < 0.6) life.consume(random.next());
        if (random.next() < 0.5) life.hear();
        await life.pass(random.int(0, 400));
        if (random.next() < 0.08) await life.kill();
        if (random.next() < 0.1) life.isDiskAway = random.next() < 0.3;
      }
      life.isDiskAway = false;
      life.send();
      life.journal.reader('a').disconnected();
      life.journal.reader('a').connected();
      for (let i = 0; i < 200 && life.got.size < life.given.size; i++) {
        life.consume(1);
        await life.pass(1_000);
      }
      const missing = [...life.given.keys()].filter((key) => !life.got.has(key));
      t.same(missing, [], `seed ${String(seed)}: nothing is lost`);
      t.same(life.torn, [], `seed ${String(seed)}: no number has two contents`);
      t.same(life.backwards, [], `seed ${String(seed)}: live data come in order`);
      live += life.live / life.given.size / seeds;
      t.same(life.gaps, [], `seed ${String(seed)}: no loss is reported`);
      for (const [key, value] of life.given)
        if (life.got.get(key) !== value) t.fail(`seed ${String(seed)}: ${key}`);
      t.equal(life.journal.epoch, 1);
    }
    t.ok(live > 0.3, `and ${live.toFixed(2)} of them come live`);
  },
);

void t.test(
  'beyond the bound the oldest samples are lost, counted, and in their place',
  async (t) => {
    const random = new Seeded(5);
    const life = await Life.begin(random);
    const samples = 2_000;
    const blocks = Math.ceil((limits.wallBytes * 1.5) / (samples * 24));
    for (let i = 0; i < blocks; i++) {
      life.keeper.add({ type: 'block', block: block(samples, i), time: i });
      if (i === 10)
        life.keeper.add({
          type: 'event',
          event: { type: 'clock-step', time: wall(0), ms: 1, epoch: 1 },
          time: i,
        });
    }
    t.ok(life.keeper.bytes <= limits.wallBytes, 'bounded');
    t.ok(life.keeper.lost > 0);
    t.ok(
      life.keeper.entries.some(({ entry }) => entry.type === 'event'),
      'records stay',
    );
    life.journal.reader('a').connected();
    life.send();
    life.consume(1);
    await life.pass(2_000);
    life.consume(1);
    const [gap] = life.gaps;
    t.match(gap, {
      stream: 'D/fast',
      from: 1,
      to: life.keeper.lost,
      samples: life.keeper.lost,
      why: 'memory',
    });
    const first = Math.min(
      ...[...life.got.keys()]
        .filter((key) => key.startsWith('D/fast'))
        .map((key) => Number(key.split(' ')[1])),
    );
    t.equal(first, life.keeper.lost + 1, 'what follows has the number that it had');
  },
);
