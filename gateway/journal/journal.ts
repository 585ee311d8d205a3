import type { Timer } from '../contract/index.js';
import { GatewayError, asGatewayError, invariant, mono } from '../contract/index.js';
import { limits } from '../limits.js';
import type { Block } from '../tags/block.js';
import { decodeSegment } from './codec.js';
import { Disk } from './disk.js';
import { type Entry, type EntryClass, type GapRecord, positionsPerEpoch } from './entry.js';
import { gapIn, gapsOf, goneGap, mergeGaps } from './gaps.js';
import type { EpochReport, JournalOptions } from './options.js';
import { type HistoryDisk, historyPart } from './history.js';
import { Readers } from './readers.js';
import { Retention } from './retention.js';
import { JournalStats } from './stats.js';
import { StateTable } from './state-table.js';
import { lastEpochOn, pendingOf, reportOf, reportWithout, tooFar } from './states.js';
import { corruptGap, lostWith } from './rotten.js';
import { partsOf, segmentsOf, fitting } from './segments.js';
import { shed } from './shed.js';
import { SinkReader } from './sink-reader.js';
import type { Change, Found, Room, SegmentInfo } from './store.js';
import { Tail } from './tail.js';

interface Retired {
  /** Ids of segments. */
  readonly remove: readonly number[];
  /** The file may not grow. */
  readonly short: boolean;
}

/**
 * The one durable log: append, group commit, one cursor a sink, retention, and the ledger of losses.
 * What every sink has acknowledged before its commit is due is never written.
 */
export class Journal {
  readonly report: EpochReport;
  readonly #o: JournalOptions;
  readonly #retention: Retention;
  readonly #disk: Disk;
  readonly #readers = new Readers();
  readonly #sequences = new Map<string, number>();
  readonly #states: StateTable;
  readonly #tail = new Tail();
  #counter = 0;
  #timer: Timer | undefined;
  #dueAt = Infinity;
  #committing: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  /** The disk was full at the last try. */
  #full = false;
  #cursorsDirty = false;
  /** Entries of the transaction that is under way. */
  #writing: ReadonlySet<Entry> = new Set();
  #shedFrom: number = limits.tailBytes;
  #condition: GatewayError | undefined;
  #closed = false;
  #isClosing = false;
  /** The disk answered after the start, and something was on it. */
  #foundLate = false;
  readonly #rotten = new Set<number>();
  readonly disk: HistoryDisk = {
    segments: () => this.#disk.segments,
    tail: () => this.#tail.entries,
    read: (id) => this.#disk.read(id),
    damaged: (segment) => this.#damaged(segment),
  };
  readonly stats: JournalStats = new JournalStats();

  private constructor(
    options: JournalOptions,
    disk: Disk,
    found: Found | undefined,
    report: EpochReport,
  ) {
    this.#o = options;
    this.report = report;
    this.#disk = disk;
    this.#states = new StateTable(options.log);
    if (found) this.#states.take(found.state);
    this.#retention = new Retention(options.bounds);
    for (const name of options.sinks) this.#readers.add(this.#readerOf(name));
    if (found) this.#states.dropCursorsBut(options.sinks);
  }

  /**
   * Opens (or begins) the journal and its next epoch. Where the disk does not let us, entries wait in memory, and it is
   * taken up when it answers. Rejects only where another process has it.
   */
  static async open(options: JournalOptions): Promise<Journal> {
    const disk = new Disk(options.store, options.clock);
    let condition: GatewayError | undefined;
    const found = await disk.open().catch((thrown: unknown) => {
      condition = asGatewayError(thrown);
      // Two gateways with one journal, or a library that may damage it, are no trouble of the disk.
      if (condition.fields['refused'] === true) throw condition;
      return undefined;
    });
    const last = options.epochs ? await options.epochs.last() : 0;
    const report = found ? reportOf(found, last) : reportWithout(last, options.clock.wall());
    const { epoch } = report;
    await options.epochs?.record(epoch);
    const journal = new Journal(options, disk, found, report);
    // A full disk is a condition, not a reason to stay down: the second try makes room first.
    const marked = journal.putState('epoch', JSON.stringify({ n: epoch, clean: false }));
    if (condition) journal.#setCondition(condition);
    await marked.catch(() => (found ? journal.commit().catch(() => undefined) : undefined));
    return journal;
  }

  /** The disk answers, and this boot has begun without it: what is on it is taken up, and what waits goes there. */
  async #attach(): Promise<void> {
    const found = await this.#disk.open();
    const last = lastEpochOn(found);
    if (last >= this.epoch) {
      await this.#disk.leave();
      throw tooFar(last, this.epoch);
    }
    this.#foundLate = found.state.size + found.segments.length > 0;
    this.#states.take(found.state);
    for (const sink of this.#readers.all()) sink.adopt(this.#pendingOf(sink.name).pending);
    this.#states.dropCursorsBut([...this.#readers.all()].map(({ name }) => name));
    this.#cursorsDirty = true;
    // Who is told of it stores something, and after the end nothing is.
    if (this.#isClosing) return;
    const { quarantined } = found;
    const isGone = !this.#foundLate && this.report.isOld;
    if (isGone) this.recordGone();
    this.#o.onTakenUp?.({ quarantined, isGone });
  }

  get epoch(): number {
    return this.report.epoch;
  }
  /** Entries that wait for the disk. */
  get waiting(): number {
    return this.#tail.entries.length;
  }
  get segments(): readonly SegmentInfo[] {
    return this.#disk.segments;
  }
  /** Keys of states that were damaged when the journal was opened. */
  get damagedStates(): readonly string[] {
    return this.#states.damaged;
  }
  /** There was something before this boot, as far as is known. */
  get hasPast(): boolean {
    return this.report.isOld || this.#foundLate;
  }
  /** Is it known what was there before this boot? */
  get isRead(): boolean {
    return !this.report.isUnread || this.#disk.isUp;
  }

  /** Last sequence of each stream in this epoch. */
  sequences(): ReadonlyMap<string, number> {
    return this.#sequences;
  }

  /** The reader of a sink named in the options. */
  reader(name: string): SinkReader {
    const reader = this.#readers.get(name);
    invariant(reader !== undefined, `no such sink: ${name}`);
    return reader;
  }

  /** A sink was added while running: it begins with what comes from now on. */
  addSink(name: string): SinkReader {
    const reader = this.#readers.get(name) ?? this.#readerOf(name);
    this.#readers.add(reader);
    return reader;
  }

  /** Nobody waits for this sink any more. */
  removeSink(name: string): void {
    this.#readers.remove(name);
    this.#states.set(`cursor:${name}`, undefined);
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
    // One chain of records, in two classes: refusals must not push out what was done.
    const stream = entryClass === 'refusal' ? 'audit' : entryClass;
    this.#append(entryClass, stream, json, 1, wallNow);
    return this.commit();
  }

  /** The durable value of `key`: small state that must survive a restart. */
  getState(key: string): string | undefined {
    return this.#states.get(key);
  }

  /** Durable with the next commit, whatever it is for. */
  stage(key: string, json: string | undefined): void {
    this.#states.set(key, json);
    this.#due(this.#o.window);
  }

  /** Durable when the promise settles. */
  putState(key: string, json: string | undefined): Promise<void> {
    this.#states.set(key, json);
    return this.commit();
  }

  /** Makes everything appended so far durable; rejects when the disk does not take it. */
  commit(): Promise<void> {
    if (this.#closed)
      return Promise.reject(new GatewayError('journal-io', 'the journal is closed'));
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
    this.#isClosing = true;
    this.#cursorsDirty = true;
    this.#states.set('epoch', JSON.stringify({ n: this.epoch, clean: true }));
    await this.commit().catch(() => undefined);
    this.#closed = true;
    this.#timer?.cancel();
    await this.#disk.close();
  }

  #append(c: EntryClass, stream: string, body: Block | string, count: number, time: number): Entry {
    invariant(!this.#closed, 'append after close');
    const seq = (this.#sequences.get(stream) ?? 0) + 1;
    this.#sequences.set(stream, seq + count - 1);
    const pos = this.epoch * positionsPerEpoch + ++this.#counter;
    const entry: Entry = { pos, epoch: this.epoch, class: c, stream, seq, count, time, body };
    this.#tail.push(entry);
    this.stats.appended += count;
    this.#readers.appended(entry);
    if (this.#tail.bytes > this.#shedFrom) this.#shedTail();
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
    // A disk that does not answer is not asked by each who waits for it.
    if (this.#disk.isUp || this.#disk.isDue || this.#isClosing) await this.#tryToWrite();
    if (this.#condition) this.#due(limits.diskAgainMs);
    else if (this.waiting > 0) this.#due(this.#windowNow());
    this.#due(this.#disk.lookAt - this.#o.clock.mono());
  }

  async #tryToWrite(): Promise<void> {
    // A disk that failed is well when it has taken something: what it did not take may be acknowledged meanwhile.
    if (this.#condition) this.#cursorsDirty = true;
    try {
      if (!this.#disk.isUp) await this.#attach();
      const look = await this.#disk.look();
      if (look === 'renewed') this.#o.onRenewed?.();
      // What goes into a file without a name can be had until the process ends.
      const hasWork = this.waiting > 0 || this.#cursorsDirty || this.#states.hasChanges;
      if (hasWork) await this.#writeAll();
      this.#full = false;
      this.#setCondition(look instanceof GatewayError ? look : undefined);
    } catch (thrown) {
      this.#writing = new Set();
      const error = asGatewayError(thrown);
      this.#full = error.code === 'disk-full';
      this.#setCondition(error);
    }
  }

  async #writeAll(): Promise<void> {
    // Evictions first: their gap records go into the same transaction.
    const room = this.#disk.segments.length > 0 ? await this.#disk.room() : undefined;
    const { remove, short } = await this.#retire(room);
    if (this.#full && remove.length > 0) await this.#makeRoom(remove);
    const needed = this.#tail.entries.filter((entry) => this.#isNeeded(entry));
    const last = this.#tail.entries.at(-1)?.pos ?? 0;
    const { written, held } = fitting(needed, short ? room?.reusable : Infinity);
    let removed = this.#full ? [] : remove;
    // In parts: a disk that takes nothing costs no more than one of them.
    for (const part of partsOf(written)) {
      const change = this.#change(part, removed);
      removed = [];
      this.#writing = new Set(part);
      if (change) await this.#commit(change);
      this.#writing = new Set();
      // What nobody waits for any more was just written, and the cursors on the disk do not know it.
      if (part.some((entry) => !this.#isNeeded(entry))) this.#acked();
      this.stats.written += part.length;
      this.#tail.take(part);
    }
    // The rest everybody has.
    if (held.length === 0) this.stats.neverWritten += this.#tail.takeUpTo(last);
  }

  #isNeeded(entry: Entry): boolean {
    const isKept = entry.class === 'audit' || entry.class === 'refusal';
    return isKept || this.#o.keepHistory || this.#readers.waitFor(entry.pos);
  }

  #change(entries: readonly Entry[], remove: readonly number[]): Change | undefined {
    const segments = segmentsOf(entries);
    if (this.#cursorsDirty || remove.length > 0) this.#saveCursors();
    const state = this.#states.takeChanges();
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
    try {
      await this.#disk.commit(change);
    } catch (thrown) {
      this.#states.restore(change.state);
      throw thrown;
    }
    for (const { data } of change.segments) this.stats.bytesWritten += data.length;
    this.stats.commits++;
  }

  #setCondition(error: GatewayError | undefined): void {
    const { code, message } = this.#condition ?? {};
    if (code === error?.code && message === error?.message) return;
    this.#condition = error;
    if (error)
      this.#o.log.error('the journal cannot write', { code: error.code, why: error.message });
    else this.#o.log.info('the journal writes again');
    this.#o.onCondition(error);
  }

  /** Ids of segments that may or must go: acknowledged by all, or evicted with a gap record. */
  async #retire(room: Room | undefined): Promise<Retired> {
    if (!room) return { remove: [], short: false };
    const { free, evict, short } = await this.#retention.judge(this.#disk.segments, room.used, {
      now: this.#o.clock.mono(),
      ageOf: ({ id }) => this.#disk.ageOf(id),
      wanted: ({ first, last }) => this.#readers.waitWithin(first, last),
      full: this.#full,
      // Memory first: it is there for this.
      pressed: this.#tail.bytes > limits.tailBytes * 0.75,
    });
    const carried: GapRecord[] = [];
    for (const { segment, why } of evict) carried.push(...(await this.#evict(segment, why)));
    this.#appendGaps(mergeGaps(carried));
    const gone = [...free, ...evict.map(({ segment }) => segment)];
    return { remove: gone.map(({ id }) => id), short };
  }

  /**
   * Writes into the ledger what is lost with this segment, for every sink that still waited for it.
   * @returns records of the ledger itself that were in the segment: they must be written again
   */
  async #evict(segment: SegmentInfo, why: GapRecord['why']): Promise<readonly GapRecord[]> {
    const data = await this.#disk.read(segment.id);
    if (!data) {
      await this.#damaged(segment);
      return [];
    }
    const entries = decodeSegment(data);
    const lost = entries.filter(
      (entry) => this.#isNeeded(entry) && this.#readers.waitFor(entry.pos),
    );
    for (const { pos } of entries) this.#readers.dropped(pos, pos);
    if (segment.class === 'gap') return lost.map(gapIn);
    this.#recordGaps(gapsOf(lost, why));
    return [];
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
    const { lost, gaps } = shed(this.#tail, this.#writing, this.#readers);
    this.stats.evicted += lost;
    // What cannot be shed must not be looked through at each entry.
    this.#shedFrom = Math.max(limits.tailBytes, this.#tail.bytes * 1.05);
    this.#appendGaps(gaps);
  }

  #readerOf(name: string): SinkReader {
    const { pending, isNew } = this.#pendingOf(name);
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

  #pendingOf(name: string): ReturnType<typeof pendingOf> {
    const key = `cursor:${name}`;
    return pendingOf(this.#states.get(key), this.#disk.segments, {
      isDamaged: this.damagedStates.includes(key),
    });
  }

  #acked(): void {
    // What is being written stays until it is: the commit counts what it was given.
    if (this.#committing === undefined)
      this.stats.neverWritten += this.#tail.takeUnneeded((entry) => this.#isNeeded(entry));
    if (this.#disk.segments.length === 0) return;
    this.#cursorsDirty = true;
    this.#due(this.#o.window);
  }

  #saveCursors(): void {
    this.#cursorsDirty = false;
    const upTo = this.epoch * positionsPerEpoch + this.#counter;
    for (const sink of this.#readers.all()) {
      this.#states.set(`cursor:${sink.name}`, JSON.stringify(sink.state(upTo)));
    }
  }

  /** A segment whose bytes have rotted: its entries are counted as lost, never sent. */
  async #damaged(segment: SegmentInfo): Promise<void> {
    if (this.#rotten.has(segment.id)) return;
    this.#rotten.add(segment.id);
    const fields = { segment: segment.id };
    this.#o.log.error('a journal segment is damaged; its entries are lost', fields);
    const lost = await lostWith(segment, this.#disk, this.#tail.entries);
    for (const [from, to] of lost.toJSON()) this.#readers.dropped(from, to);
    this.#recordGaps([corruptGap(segment)]);
  }
}
