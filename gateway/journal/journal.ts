import type { Timer } from '../contract/index.js';
import { type GatewayError, asGatewayError, invariant, mono } from '../contract/index.js';
import { limits } from '../limits.js';
import type { Block } from '../tags/block.js';
import { Ages } from './ages.js';
import { decodeSegment } from './codec.js';
import {
  type Entry,
  type EntryClass,
  type GapRecord,
  isBlock,
  positionsPerEpoch,
} from './entry.js';
import { gapsOf, goneGap, mergeGaps } from './gaps.js';
import type { EpochReport, JournalOptions } from './options.js';
import { type HistoryDisk, historyPart } from './history.js';
import { Intervals } from './intervals.js';
import { Retention } from './retention.js';
import { sealState } from './sealed.js';
import { asidePrefix, openStates, pendingOf, reportOf } from './states.js';
import { segmentsOf } from './segments.js';
import { SinkReader } from './sink-reader.js';
import type { Change, SegmentInfo, Store } from './store.js';
import { Tail } from './tail.js';

/**
 * The one durable log: append, group commit, one cursor a sink, retention, and the ledger of losses.
 * What every sink has acknowledged before its commit is due is never written.
 */
export class Journal {
  readonly report: EpochReport;
  readonly #o: JournalOptions;
  readonly #retention: Retention;
  readonly #ages: Ages;
  readonly #sinks = new Map<string, SinkReader>();
  readonly #sequences = new Map<string, number>();
  readonly #state: Map<string, string>;
  readonly #tail = new Tail();
  #segments: SegmentInfo[];
  #counter = 0;
  #timer: Timer | undefined;
  #dueAt = Infinity;
  #committing: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  /** The disk was full: evict before anything else is written. */
  #full = false;
  #stateChanges = new Map<string, string | undefined>();
  /** Keys of states that were damaged when the journal was opened. */
  readonly damagedStates: readonly string[];
  #cursorsDirty = false;
  #condition: GatewayError | undefined;
  #closed = false;
  /** Ends when the store is free. */
  #turn: Promise<unknown> = Promise.resolve();
  readonly #rotten = new Set<number>();
  readonly disk: HistoryDisk = {
    segments: () => this.#segments,
    tail: () => this.#tail.entries,
    read: (id) => this.#read(id),
    damaged: (segment) => this.#damaged(segment),
  };
  readonly stats = {
    appended: 0,
    written: 0,
    neverWritten: 0,
    evicted: 0,
    commits: 0,
    bytesWritten: 0,
  };

  private constructor(
    options: JournalOptions,
    opened: Awaited<ReturnType<Store['open']>>,
    report: EpochReport,
  ) {
    this.#o = options;
    this.report = report;
    this.#segments = [...opened.segments].sort((a, b) => a.first - b.first);
    this.#ages = new Ages(options.clock);
    for (const segment of this.#segments) this.#ages.found(segment);
    const { usable, damaged } = openStates(opened.state);
    this.#state = usable;
    this.damagedStates = [...damaged.keys()];
    // What is not as it was stored is kept under another name, alone: the others are well.
    for (const [key, text] of damaged) {
      options.log.error('a state in the journal is damaged, and set aside', { key });
      this.#stateChanges.set(asidePrefix + key, text).set(key, undefined);
    }
    this.#retention = new Retention(options.bounds);
    for (const name of options.sinks) this.#sinks.set(name, this.#readerOf(name));
    for (const key of this.#state.keys()) {
      if (key.startsWith('cursor:') && !this.#sinks.has(key.slice(7)))
        this.#setState(key, undefined);
    }
  }

  /** Opens (or begins) the journal and its next epoch. Throws only when not even a new file can be made. */
  static async open(options: JournalOptions): Promise<Journal> {
    const opened = await options.store.open();
    const report = reportOf(opened, await options.epochs?.last());
    const { epoch } = report;
    await options.epochs?.record(epoch);
    const journal = new Journal(options, opened, report);
    // A full disk is a condition, not a reason to stay down: the second try makes room first.
    const marked = journal.putState('epoch', JSON.stringify({ n: epoch, clean: false }));
    await marked.catch(() => journal.commit().catch(() => undefined));
    return journal;
  }

  get epoch(): number {
    return this.report.epoch;
  }
  /** Entries that wait for the disk. */
  get waiting(): number {
    return this.#tail.entries.length;
  }
  get segments(): readonly SegmentInfo[] {
    return this.#segments;
  }

  /** Last sequence of each stream in this epoch. */
  sequences(): ReadonlyMap<string, number> {
    return this.#sequences;
  }

  /** The reader of a sink named in the options. */
  reader(name: string): SinkReader {
    const reader = this.#sinks.get(name);
    invariant(reader !== undefined, `no such sink: ${name}`);
    return reader;
  }

  /** A sink was added while running: it begins with what comes from now on. */
  addSink(name: string): SinkReader {
    const reader = this.#sinks.get(name) ?? this.#readerOf(name);
    this.#sinks.set(name, reader);
    return reader;
  }

  /** Nobody waits for this sink any more. */
  removeSink(name: string): void {
    this.#sinks.delete(name);
    this.#setState(`cursor:${name}`, undefined);
    this.#due(limits.commitMinMs);
  }

  appendBlock(block: Block, wallNow: number): Entry {
    return this.#append('samples', `${block.device}/${block.group}`, block, block.count, wallNow);
  }

  /** Appends a record (JSON text) and commits at once. The promise settles when it is durable. */
  appendRecord(
    entryClass: Exclude<EntryClass, 'samples'>,
    json: string,
    wallNow: number,
  ): Promise<void> {
    this.#append(entryClass, entryClass, json, 1, wallNow);
    return this.commit();
  }

  /** The durable value of `key`: small state that must survive a restart. */
  getState(key: string): string | undefined {
    return this.#state.get(key);
  }

  /** Durable with the next commit, whatever it is for. */
  stage(key: string, json: string | undefined): void {
    this.#setState(key, json);
    this.#due(this.#o.window);
  }

  /** Durable when the promise settles. */
  putState(key: string, json: string | undefined): Promise<void> {
    this.#setState(key, json);
    return this.commit();
  }

  /** Makes everything appended so far durable; rejects when the disk does not take it. */
  commit(): Promise<void> {
    if (this.#next) return this.#next;
    if (!this.#committing) return this.#start();
    // What is under way may have been taken before the newest entries came: one more, shared by all.
    this.#next = this.#committing.then(() => {
      this.#next = undefined;
      return this.#start();
    });
    return this.#next;
  }

  /** Nothing of the boots before is there: whoever waits for it is told. */
  recordGone(): void {
    this.#recordGaps([goneGap(this.report, this.#o.clock.wall())]);
  }

  /** Writes what is left and marks this epoch as ended well. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#cursorsDirty = true;
    this.#setState('epoch', JSON.stringify({ n: this.epoch, clean: true }));
    await this.commit().catch(() => undefined);
    this.#closed = true;
    this.#timer?.cancel();
    await this.#alone(() => this.#o.store.close());
  }

  #append(c: EntryClass, stream: string, body: Block | string, count: number, time: number): Entry {
    invariant(!this.#closed, 'append after close');
    const seq = (this.#sequences.get(stream) ?? 0) + 1;
    this.#sequences.set(stream, seq + count - 1);
    const pos = this.epoch * positionsPerEpoch + ++this.#counter;
    const entry: Entry = { pos, epoch: this.epoch, class: c, stream, seq, count, time, body };
    this.#tail.push(entry);
    this.stats.appended += count;
    // All know of it before one may acknowledge it: what nobody waits for is let go.
    for (const sink of this.#sinks.values()) sink.appended(entry);
    for (const sink of this.#sinks.values()) sink.offer();
    if (this.#tail.bytes > limits.tailBytes) this.#shedTail();
    this.#due(this.#windowNow());
    return entry;
  }

  /** Long while little waits, short when much does: bounds both wear and loss. */
  #windowNow(): number {
    const fill = Math.min(1, this.#tail.bytes / limits.commitFullBytes);
    return this.#o.window - (this.#o.window - Math.min(limits.commitMinMs, this.#o.window)) * fill;
  }

  #due(wait: number): void {
    const at = this.#o.clock.mono() + wait;
    if (at >= this.#dueAt || this.#closed) return;
    this.#dueAt = at;
    this.#timer?.cancel();
    this.#timer = this.#o.clock.at(mono(at), () => {
      // The failure is a condition already, and the tail waits for the next try.
      this.commit().catch(() => undefined);
    });
  }

  async #start(): Promise<void> {
    // In a turn of its own: what one tick appends and stages goes into one transaction.
    this.#committing = Promise.resolve()
      .then(() => this.#write())
      .finally(() => {
        this.#committing = undefined;
      });
    await this.#committing;
    if (this.#condition) throw this.#condition;
  }

  async #write(): Promise<void> {
    this.#timer?.cancel();
    this.#dueAt = Infinity;
    let change: Change | undefined;
    // A disk that failed is well when it has taken something: what it did not take may be acknowledged meanwhile.
    if (this.#condition) this.#cursorsDirty = true;
    try {
      // Evictions first: their gap records go into the same transaction.
      const remove = this.#segments.length > 0 ? await this.#retire() : [];
      if (this.#full && remove.length > 0) await this.#makeRoom(remove);
      const entries = this.#tail.entries.filter((entry) => this.#isNeeded(entry));
      const last = this.#tail.entries.at(-1)?.pos ?? 0;
      change = this.#change(entries, this.#full ? [] : remove);
      if (change) await this.#commit(change);
      // Nobody waits any more for some that were just written, and the cursors on the disk do not know it.
      if (entries.some((entry) => !this.#isNeeded(entry))) this.#acked();
      this.#release(last, entries.length);
      this.#full = false;
      this.#setCondition(undefined);
    } catch (thrown) {
      const error = asGatewayError(thrown);
      this.#full = error.code === 'disk-full';
      this.#setCondition(error);
      this.#restore(change);
    }
    if (this.#condition) this.#due(this.#o.window);
    else if (this.waiting > 0) this.#due(this.#windowNow());
  }

  #isNeeded(entry: Entry): boolean {
    if (entry.class === 'audit' || this.#o.keepHistory) return true;
    for (const sink of this.#sinks.values()) if (sink.pending.has(entry.pos)) return true;
    return false;
  }

  #change(entries: readonly Entry[], remove: readonly number[]): Change | undefined {
    const segments = segmentsOf(entries);
    if (this.#cursorsDirty || remove.length > 0) this.#saveCursors();
    const state = [...this.#stateChanges];
    this.#stateChanges = new Map();
    if (segments.length + remove.length + state.length === 0) return undefined;
    return { segments, remove, state };
  }

  /**
   * On a full disk deleting goes first: it needs less than deleting and writing at once. Only the ledger
   * goes with it, or a power cut right after would lose the samples and the record of their loss.
   */
  async #makeRoom(remove: readonly number[]): Promise<void> {
    const gaps = this.#tail.entries.filter((e) => e.class === 'gap' && this.#isNeeded(e));
    await this.#commit({ segments: segmentsOf(gaps), remove, state: [] });
    this.#tail.take(gaps);
    this.stats.written += gaps.length;
  }

  async #commit(change: Change): Promise<void> {
    const ids = await this.#alone(() => this.#o.store.commit(change));
    const removed = new Set(change.remove);
    this.#segments = this.#segments.filter((segment) => !removed.has(segment.id));
    for (const id of removed) this.#ages.removed(id);
    change.segments.forEach((segment, i) => {
      const id = ids[i];
      invariant(id !== undefined, 'a segment without an id');
      const { first, last, time } = segment;
      this.#ages.made(id);
      this.#segments.push({
        id,
        class: segment.class,
        first,
        last,
        time,
        bytes: segment.data.length,
      });
      this.stats.bytesWritten += segment.data.length;
    });
    this.#segments.sort((a, b) => a.first - b.first);
    this.stats.commits++;
  }

  /** Forgets entries up to `last`: they are on disk, or everybody has them. */
  #release(last: number, written: number): void {
    this.stats.written += written;
    this.stats.neverWritten += this.#tail.takeUpTo(last) - written;
  }

  #restore(change: Change | undefined): void {
    for (const [key, value] of change?.state ?? []) {
      if (!this.#stateChanges.has(key)) this.#stateChanges.set(key, value);
    }
  }

  #setCondition(error: GatewayError | undefined): void {
    if (this.#condition?.code === error?.code) return;
    this.#condition = error;
    if (error)
      this.#o.log.error('the journal cannot write', { code: error.code, why: error.message });
    else this.#o.log.info('the journal writes again');
    this.#o.onCondition(error);
  }

  /** Ids of segments that may or must go: acknowledged by all, or evicted with a gap record. */
  async #retire(): Promise<readonly number[]> {
    const used = await this.#alone(() => this.#o.store.usedBytes());
    const verdict = await this.#retention.judge(
      this.#segments,
      used,
      this.#o.clock.mono(),
      ({ id }) => this.#ages.of(id),
      (segment) => this.#isWanted(segment),
      this.#full,
    );
    const carried: GapRecord[] = [];
    for (const { segment, why } of verdict.evict)
      carried.push(...(await this.#evict(segment, why)));
    this.#appendGaps(mergeGaps(carried));
    return [...verdict.free, ...verdict.evict.map(({ segment }) => segment)].map(({ id }) => id);
  }

  #isWanted(segment: SegmentInfo): boolean {
    for (const sink of this.#sinks.values()) {
      if (sink.pending.intersects(segment.first, segment.last)) return true;
    }
    return false;
  }

  /**
   * Writes into the ledger what is lost with this segment, for every sink that still waited for it.
   * @returns records of the ledger itself that were in the segment: they must be written again
   */
  async #evict(segment: SegmentInfo, why: GapRecord['why']): Promise<readonly GapRecord[]> {
    const data = await this.#read(segment.id);
    if (!data) {
      await this.#damaged(segment);
      return [];
    }
    const entries = decodeSegment(data);
    const lost = entries.filter((entry) => this.#isNeeded(entry) && this.#isPending(entry.pos));
    for (const sink of this.#sinks.values()) for (const e of entries) sink.dropped(e.pos, e.pos);
    if (segment.class === 'gap')
      return lost.flatMap(({ body }) => (isBlock(body) ? [] : [JSON.parse(body) as GapRecord]));
    this.#recordGaps(gapsOf(lost, why));
    return [];
  }

  #isPending(pos: number): boolean {
    for (const sink of this.#sinks.values()) if (sink.pending.has(pos)) return true;
    return false;
  }

  #recordGaps(gaps: readonly GapRecord[]): void {
    for (const gap of gaps) this.stats.evicted += gap.samples;
    this.#appendGaps(gaps);
  }

  #appendGaps(gaps: readonly GapRecord[]): void {
    for (const gap of gaps) {
      this.#append('gap', 'gap', JSON.stringify(gap), 1, this.#o.clock.wall());
    }
  }

  /** The disk does not take anything and memory is at its bound: the oldest samples go, and are counted. */
  #shedTail(): void {
    const gone = this.#tail.excess(limits.tailBytes * 0.9);
    const lost = gone.filter((entry) => this.#isPending(entry.pos));
    this.#tail.take(gone);
    for (const { pos } of gone) for (const sink of this.#sinks.values()) sink.dropped(pos, pos);
    this.#recordGaps(gapsOf(lost, 'memory'));
  }

  #readerOf(name: string): SinkReader {
    const { pending, isNew } = pendingOf(this.#state.get(`cursor:${name}`), this.#segments, {
      isDamaged: this.damagedStates.includes(`cursor:${name}`),
    });
    if (isNew) this.#cursorsDirty = true;
    return new SinkReader(
      name,
      {
        history: (from, before, wanted) => historyPart(this.disk, from, before, wanted),
        nextPos: () => this.epoch * positionsPerEpoch + this.#counter + 1,
        acked: () => this.#acked(),
        // A record of a loss that is refused is no other loss: it would make a record without end.
        refused: (entry) => {
          if (entry.class !== 'gap') this.#recordGaps(gapsOf([entry], 'refused'));
        },
      },
      pending,
    );
  }

  #acked(): void {
    // What is being written stays until it is: the commit counts what it was given.
    if (this.#committing === undefined)
      this.stats.neverWritten += this.#tail.takeUnneeded((entry) => this.#isNeeded(entry));
    if (this.#segments.length === 0) return;
    this.#cursorsDirty = true;
    this.#due(this.#o.window);
  }

  #saveCursors(): void {
    this.#cursorsDirty = false;
    const upTo = this.epoch * positionsPerEpoch + this.#counter;
    for (const sink of this.#sinks.values()) {
      this.#setState(`cursor:${sink.name}`, JSON.stringify(sink.state(upTo)));
    }
  }

  #setState(key: string, json: string | undefined): void {
    if (json === undefined) this.#state.delete(key);
    else this.#state.set(key, json);
    this.#stateChanges.set(key, json === undefined ? undefined : sealState(json));
  }

  /**
   * A segment whose bytes have rotted: its entries are counted as lost, never sent. Entries of other
   * classes from the same commit lie between its positions; they are well.
   */
  async #damaged(segment: SegmentInfo): Promise<void> {
    const { id, first, last, time } = segment;
    if (this.#rotten.has(id)) return;
    this.#rotten.add(id);
    this.#o.log.error('a journal segment is damaged; its entries are lost', { segment: id });
    const lost = Intervals.from([[first, last]]);
    for (const other of this.#segments) {
      if (other.id === id || other.first > last || other.last < first) continue;
      const data = await this.#read(other.id);
      for (const { pos } of data ? decodeSegment(data) : []) lost.remove(pos, pos);
    }
    for (const { pos } of this.#tail.entries) lost.remove(pos, pos);
    for (const sink of this.#sinks.values())
      for (const [from, to] of lost.toJSON()) sink.dropped(from, to);
    const epoch = Math.floor(first / positionsPerEpoch);
    const [from, to] = [first % positionsPerEpoch, last % positionsPerEpoch];
    const gap = { stream: '*', epoch, from, to, samples: 0, fromTime: time, toTime: time };
    this.#recordGaps([{ ...gap, why: 'corrupt' }]);
  }

  #read(id: number): Promise<Uint8Array | undefined> {
    return this.#alone(() => this.#o.store.read(id));
  }

  /** One call of the store at a time: a read in the middle of a commit would see half of it. */
  #alone<T>(call: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(call);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}
