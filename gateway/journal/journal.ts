import type { Timer } from '../contract/index.js';
import { GatewayError, asGatewayError, invariant, mono } from '../contract/index.js';
import { limits } from '../limits.js';
import type { Block } from '../tags/block.js';
import { Cursors } from './cursors.js';
import { Disk } from './disk.js';
import {
  countOf,
  type Entry,
  type EntryClass,
  type GapRecord,
  type RecordClass,
  streamOf,
} from './entry.js';
import { Evictor } from './evictor.js';
import { gapsOf, goneGap } from './gaps.js';
import { type HistoryDisk, historyPart } from './history.js';
import { Numbers } from './numbers.js';
import type { EpochReport, JournalOptions, Safe } from './options.js';
import { Readers } from './readers.js';
import { fitting, partsOf, segmentsOf } from './segments.js';
import type { SinkReader } from './sink-reader.js';
import { SourceMark, sourceKey } from './source-mark.js';
import { StateTable } from './state-table.js';
import { lastEpochOn, reportOf, reportResumed, reportWithout, tooFar } from './states.js';
import { JournalStats } from './stats.js';
import type { Change, Found, SegmentInfo } from './store.js';
import { Tail } from './tail.js';

/**
 * The one durable log: append, group commit, one cursor a sink, retention, and the ledger of losses.
 * What every sink has acknowledged before its commit is due is never written.
 */
export class Journal {
  readonly report: EpochReport;
  readonly #o: JournalOptions;
  readonly #disk: Disk;
  readonly #readers = new Readers();
  readonly #numbers: Numbers;
  readonly #source: SourceMark;
  readonly #states: StateTable;
  readonly #tail = new Tail();
  /** Of the source: entries up to this one were given to an earlier life of this epoch. */
  readonly #givenBefore: number;
  readonly #cursors: Cursors;
  readonly #evictor: Evictor;
  #timer: Timer | undefined;
  #dueAt = Infinity;
  #committing: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  /** The disk was full at the last try. */
  #full = false;
  /** Entries of the transaction that is under way. */
  #writing: ReadonlySet<Entry> = new Set();
  #condition: GatewayError | undefined;
  #closed = false;
  #isClosing = false;
  /** The disk answered after the start, and something was on it. */
  #foundLate = false;
  readonly disk: HistoryDisk = {
    segments: () => this.#disk.segments,
    tail: () => this.#tail.entries,
    read: (id) => this.#disk.read(id),
    damaged: (segment) => this.#evictor.damaged(segment),
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
    this.#numbers = new Numbers(report.epoch, options.resume);
    this.#source = new SourceMark(report.epoch);
    this.#givenBefore = options.resume?.given ?? 0;
    this.#evictor = new Evictor({
      bounds: options.bounds,
      disk,
      tail: this.#tail,
      readers: this.#readers,
      stats: this.stats,
      log: options.log,
      now: () => options.clock.mono(),
      isNeeded: (entry) => this.#isNeeded(entry),
      writing: () => this.#writing,
      append: (gap) => this.#append('gap', JSON.stringify(gap), options.clock.wall()),
    });
    this.#cursors = new Cursors({
      readers: this.#readers,
      states: this.#states,
      numbers: this.#numbers,
      segments: () => disk.segments,
      source: {
        history: (from, before, wanted) => historyPart(this.disk, from, before, wanted),
        acked: () => this.#acked(),
        // A record of a loss that is refused is no other loss: it would make a record without end.
        refused: (entry) => {
          if (entry.class !== 'gap') this.#evictor.record(gapsOf([entry], 'refused'));
        },
      },
    });
    if (found) this.#goOn(found);
    for (const name of options.sinks) this.#cursors.open(name);
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
    const fresh = found ? reportOf(found, last) : reportWithout(last, options.clock.wall());
    const report = options.resume ? reportResumed(options.resume.epoch, fresh, found) : fresh;
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
    if (last > this.epoch || (last === this.epoch && !this.#o.resume)) {
      await this.#disk.leave();
      throw tooFar(last, this.epoch);
    }
    this.#foundLate = found.state.size + found.segments.length > 0;
    this.#states.take(found.state);
    this.#goOn(found);
    this.#dropKnown();
    this.#cursors.adopt();
    // Who is told of it stores something, and after the end nothing is.
    if (this.#isClosing) return;
    const { quarantined } = found;
    const isGone = !this.#foundLate && this.report.isOld;
    if (isGone) this.recordGone();
    this.#o.onTakenUp?.({ quarantined, isGone });
  }

  /** In the epoch that goes on numbers go on, behind all that the disk has of it. */
  #goOn({ segments }: Found): void {
    if (!this.#o.resume) return;
    this.#numbers.isAt('gap', this.#source.take(this.#states.get(sourceKey)));
    for (const { last } of segments) this.#numbers.isBehind(last);
    this.#cursors.passOn(this.#o.sinks);
  }

  /** What the source gave once more while the disk did not say that it has it. */
  #dropKnown(): void {
    const known = this.#tail.entries.filter(
      ({ source }) => source !== undefined && this.#source.isKnown(source),
    );
    this.#tail.take(known);
    for (const { pos } of known) this.#readers.dropped(pos, pos);
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

  /** How far what the source gave is safe. Looks through what is in memory. */
  get safe(): Safe {
    return {
      upTo: this.#source.upTo(this.#tail.entries),
      counter: this.#numbers.counter,
      losses: this.#evictor.losses,
    };
  }

  /** Last sequence of each stream in this epoch. */
  sequences(): ReadonlyMap<string, number> {
    return this.#numbers.sequences;
  }

  /** The reader of a sink named in the options. */
  reader(name: string): SinkReader {
    const reader = this.#readers.get(name);
    invariant(reader !== undefined, `no such sink: ${name}`);
    return reader;
  }

  /** A sink was added while running: it begins with what comes from now on. */
  addSink(name: string): SinkReader {
    return this.#cursors.open(name);
  }

  /** Nobody waits for this sink any more. */
  removeSink(name: string): void {
    this.#cursors.remove(name);
    this.#due(limits.commitMinMs);
  }

  appendBlock(block: Block, wallNow: number): Entry {
    return this.#append('samples', block, wallNow);
  }

  /** Appends a record (JSON text) and commits at once. The promise settles when it is durable. */
  appendRecord(kind: RecordClass, json: string, wallNow: number): Promise<void> {
    this.#append(kind, json, wallNow);
    return this.commit();
  }

  /** As {@link appendBlock}, of a source that numbers what it gives: what came before, and is safe, is not taken twice. */
  takeBlock(source: number, block: Block, wallNow: number): void {
    if (!this.#comesAgain(source, 'samples', block))
      this.#append('samples', block, wallNow, source);
  }

  /** As {@link appendRecord}, of a source that numbers what it gives. */
  takeRecord(source: number, kind: RecordClass, json: string, wallNow: number): Promise<void> {
    if (this.#comesAgain(source, kind, json)) return Promise.resolve();
    this.#append(kind, json, wallNow, source);
    return this.commit();
  }

  /** What the source itself has lost, of what it numbered. */
  takeLoss(source: number, gap: GapRecord): void {
    this.#numbers.isAt(gap.stream, gap.to);
    if (this.#comesAgain(source)) return;
    this.stats.evicted += gap.samples;
    this.#append('gap', JSON.stringify(gap), this.#o.clock.wall(), source);
  }

  /** Losses of an earlier life in this epoch that were not on the disk when it ended. */
  recordAgain(losses: readonly GapRecord[]): void {
    this.#evictor.record(losses);
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
    this.#evictor.record([goneGap(this.report, this.#o.clock.wall())]);
  }

  /** Writes what is left and marks this epoch as ended well. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#isClosing = true;
    this.#cursors.isDirty = true;
    this.#states.set('epoch', JSON.stringify({ n: this.epoch, clean: true }));
    await this.commit().catch(() => undefined);
    this.#closed = true;
    this.#timer?.cancel();
    await this.#disk.close();
  }

  /** Was it safe before this life of the journal began? */
  isKnown(source: number): boolean {
    return this.#source.isKnown(source);
  }

  /** What was safe before uses up its numbers only. */
  #comesAgain(source: number, kind?: EntryClass, body?: Block | string): boolean {
    this.#source.came(source);
    if (!this.#source.isKnown(source)) return false;
    if (kind && body !== undefined) this.#numbers.take(streamOf(kind, body), countOf(body));
    return true;
  }

  #append(kind: EntryClass, body: Block | string, time: number, source?: number): Entry {
    invariant(!this.#closed, 'append after close');
    const stream = streamOf(kind, body);
    const count = countOf(body);
    const seq = this.#numbers.take(stream, count);
    const { epoch } = this;
    const about = { pos: this.#numbers.nextPos(), epoch, class: kind, stream, seq, count, time };
    const entry: Entry = { ...about, body, ...(source === undefined ? {} : { source }) };
    this.#tail.push(entry);
    this.stats.appended += count;
    this.#readers.appended(entry, source !== undefined && source <= this.#givenBefore);
    this.#evictor.shed();
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
    if (this.#condition) this.#cursors.isDirty = true;
    try {
      if (!this.#disk.isUp) await this.#attach();
      const look = await this.#disk.look();
      if (look === 'renewed') this.#o.onRenewed?.();
      // What goes into a file without a name can be had until the process ends.
      const hasWork = this.waiting > 0 || this.#cursors.isDirty || this.#states.hasChanges;
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
    const { remove, short } = await this.#evictor.retire(room, this.#full);
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
    this.#o.onSafe?.();
  }

  #isNeeded(entry: Entry): boolean {
    const isKept = entry.class === 'audit' || entry.class === 'refusal';
    return isKept || this.#o.keepHistory || this.#readers.waitFor(entry.pos);
  }

  #change(entries: readonly Entry[], remove: readonly number[]): Change | undefined {
    const segments = segmentsOf(entries);
    if (this.#cursors.isDirty || remove.length > 0) this.#cursors.save();
    if (segments.length > 0) this.#markSource(new Set(entries));
    const state = this.#states.takeChanges();
    if (segments.length + remove.length + state.length === 0) return undefined;
    return { segments, remove, state };
  }

  /** With what is written, what of the source is safe then: of a transaction all or nothing is. */
  #markSource(written: ReadonlySet<Entry>): void {
    const rest = this.#tail.entries.filter((one) => !written.has(one) && this.#isNeeded(one));
    const mark = this.#source.stored(rest, this.#numbers.sequences.get('gap') ?? 0);
    if (mark !== undefined) this.#states.set(sourceKey, mark);
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
      // That entries are safe must not be stored without them.
      this.#source.forget();
      this.#states.restore(change.state.filter(([key]) => key !== sourceKey));
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

  #acked(): void {
    // What is being written stays until it is: the commit counts what it was given.
    if (this.#committing === undefined)
      this.stats.neverWritten += this.#tail.takeUnneeded((entry) => this.#isNeeded(entry));
    this.#o.onSafe?.();
    if (this.#disk.segments.length === 0) return;
    this.#cursors.isDirty = true;
    this.#due(this.#o.window);
  }
}
