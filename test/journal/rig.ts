import { type GatewayError, mono, silentLog } from '../../gateway/contract/index.js';
import { type Entry, type GapRecord, isBlock } from '../../gateway/journal/entry.js';
import { Journal } from '../../gateway/journal/journal.js';
import { MemoryStore } from '../../gateway/journal/memory-store.js';
import type { JournalOptions } from '../../gateway/journal/options.js';
import type { Change, Store } from '../../gateway/journal/store.js';
import type { Block } from '../../gateway/tags/block.js';
import type { Seeded } from '../support/random.js';
import { VirtualClock, settle } from '../support/virtual-clock.js';

/** A block of `count` samples whose values start at `from`. */
export function block(
  count: number,
  from = 1,
  group = 'fast',
  device = 'D',
  revision = 'r',
): Block {
  return {
    device,
    group,
    revision,
    count,
    indexes: Uint32Array.from({ length: count }, (_, i) => i),
    times: new Float64Array(count).fill(5),
    wallOffset: 0,
    qualities: new Uint8Array(count),
    kinds: new Uint8Array(count),
    numbers: Float64Array.from({ length: count }, (_, i) => from + i),
    wide: undefined,
  };
}

/** A store that takes its time, and shows in the middle of a commit what one connection would show. */
export class SlowStore implements Store {
  readonly #clock: VirtualClock;
  readonly #random: Seeded | undefined;
  readonly #store: MemoryStore;
  /** Longest time of one call, ms. */
  readonly #most: number;
  #busy = 0;
  #removing = new Set<number>();
  /** Most calls under way at the same time. */
  overlap = 0;
  /** Reading these gives nothing: their bytes have rotted. */
  readonly rotten: Set<number> = new Set();

  constructor(clock: VirtualClock, store: MemoryStore, most: number, random?: Seeded) {
    this.#clock = clock;
    this.#store = store;
    this.#most = most;
    this.#random = random;
  }

  open(): ReturnType<Store['open']> {
    return this.#store.open();
  }
  commit(change: Change): Promise<readonly number[]> {
    return this.#slowly(async () => {
      this.#removing = new Set(change.remove);
      await this.#wait();
      this.#removing = new Set();
      return this.#store.commit(change);
    });
  }
  read(id: number): Promise<Uint8Array | undefined> {
    return this.#slowly(() =>
      this.#removing.has(id) || this.rotten.has(id)
        ? Promise.resolve(undefined)
        : this.#store.read(id),
    );
  }
  room(): ReturnType<Store['room']> {
    return this.#slowly(() => this.#store.room());
  }
  isThere(): Promise<boolean> {
    return this.#slowly(() => this.#store.isThere());
  }
  renew(): Promise<void> {
    return this.#slowly(() => this.#store.renew());
  }
  close(): Promise<void> {
    return this.#store.close();
  }

  async #slowly<T>(call: () => Promise<T>): Promise<T> {
    this.overlap = Math.max(this.overlap, ++this.#busy);
    try {
      await this.#wait();
      return await call();
    } finally {
      this.#busy--;
    }
  }
  #wait(): Promise<void> {
    const time = this.#random ? this.#random.int(0, this.#most) : this.#most;
    return new Promise((resolve) => {
      this.#clock.at(mono(this.#clock.mono() + time), resolve);
    });
  }
}

export interface Rig {
  readonly clock: VirtualClock;
  readonly store: MemoryStore;
  readonly journal: Journal;
  /** What was told of the disk, in order; `undefined` = well again. */
  readonly conditions: (GatewayError | undefined)[];
  /** Lets this much time pass. */
  pass(ms: number): Promise<void>;
  /** Waits for it while time passes. */
  until<T>(work: Promise<T>): Promise<T>;
  /** Closes nothing: a new journal on the same disk, as after a crash. */
  crash(extra?: Partial<JournalOptions>): Promise<Rig>;
}

/** A journal on a disk in memory and a virtual clock. */
export async function rig(
  extra: Partial<JournalOptions> & { readonly slow?: Store } = {},
  clock: VirtualClock = new VirtualClock(),
  store: MemoryStore = new MemoryStore(),
): Promise<Rig> {
  const conditions: (GatewayError | undefined)[] = [];
  const { slow, bounds, ...rest } = extra;
  const opening = Journal.open({
    clock,
    log: silentLog,
    store: slow ?? store,
    window: 1_000,
    keepHistory: false,
    sinks: ['a'],
    onCondition: (error) => conditions.push(error),
    ...rest,
    bounds: bounds ?? bounded(),
  });
  const settled = opening.then(
    () => true,
    () => true,
  );
  for (let done = false; !done;) {
    await clock.run(clock.mono() + 100);
    done = await Promise.race([settled, Promise.resolve(false)]);
  }
  const journal = await opening;
  return {
    clock,
    store,
    journal,
    conditions,
    pass: async (time) => {
      // A disk in memory answers without a timer.
      await settle();
      await clock.run(clock.mono() + time);
      await settle();
    },
    until: async (work) => {
      const state = { isOver: false };
      const over = (): void => void (state.isOver = true);
      work.then(over, over);
      while (!state.isOver) await clock.run(clock.mono() + 100);
      return work;
    },
    crash: (more = {}) => rig({ ...rest, ...more }, clock, store.reopen()),
  };
}

/** The same on a disk of which each call takes `most` ms. */
export async function slowRig(
  most: number,
  extra: Partial<JournalOptions> = {},
): Promise<{ readonly r: Rig; readonly slow: SlowStore }> {
  const clock = new VirtualClock();
  const store = new MemoryStore();
  const slow = new SlowStore(clock, store, most);
  return { r: await rig({ ...extra, slow }, clock, store), slow };
}

/** Bounds that nothing reaches, but for those given. */
export function bounded(extra: Partial<JournalOptions['bounds']> = {}): JournalOptions['bounds'] {
  return {
    sizeBytes: 1e9,
    age: 30 * 86_400_000,
    historyKeep: undefined,
    freeDisk: 0,
    disk: () => Promise.resolve(undefined),
    ...extra,
  };
}

/** Everything that the history lane gives, taken but not acknowledged. */
export async function takeAll(r: Rig, sink = 'a'): Promise<Entry[]> {
  const reader = r.journal.reader(sink);
  const taken: Entry[] = [];
  for (let quiet = 0; quiet < 5;) {
    const entry = reader.takeLive() ?? reader.takeHistory();
    if (entry) {
      taken.push(entry);
      quiet = 0;
    } else {
      await r.pass(20);
      quiet++;
    }
  }
  return taken;
}

/** Takes and acknowledges everything; gives the gaps that came with it. */
export async function drain(r: Rig, sink = 'a'): Promise<{ seqs: string[]; gaps: GapRecord[] }> {
  const taken = await takeAll(r, sink);
  for (const { pos } of taken) r.journal.reader(sink).ack(pos);
  const seqs = taken
    .filter(({ body }) => isBlock(body))
    .map((e) => `${e.stream} ${String(e.epoch)}:${String(e.seq)}-${String(e.seq + e.count - 1)}`);
  const gaps = taken
    .filter((e) => e.class === 'gap')
    .map((e) => JSON.parse(isBlock(e.body) ? '{}' : e.body) as GapRecord);
  return { seqs, gaps };
}

export function wallNow(r: Rig): number {
  return r.clock.wall();
}
