import { limits } from '../limits.js';
import type { Entry } from './entry.js';
import type { Intervals } from './intervals.js';

/** Some entries of the history, in order. */
export interface HistoryPart {
  readonly entries: readonly Entry[];
  /** What was wanted below this position and is not among the entries exists no more. */
  readonly until: number;
}

/** What the journal gives a sink reader to reach older entries. */
export interface HistorySource {
  /** Entries from `from` on, below `before`, that are in `wanted`: those of the next commit. */
  history: (from: number, before: number, wanted: Intervals) => Promise<HistoryPart>;
  /** The position that the next entry will have. */
  nextPos: () => number;
  /** An acknowledgement came in: somebody needs the entry less. */
  acked: () => void;
  /** The receiver does not want this entry, now or ever: it goes into the ledger of losses. */
  refused: (entry: Entry) => void;
}

/** The durable part of a sink's cursor. */
export interface CursorState {
  /** Everything after this position is not acknowledged. */
  readonly upTo: number;
  /** Stretches up to `upTo` that are not acknowledged either. */
  readonly holes: readonly (readonly [number, number])[];
}

/**
 * One sink's way through the journal: a live lane of entries as they come, and a history lane of what
 * it has not acknowledged from before. An entry leaves only by `ack`; a lost connection puts everything
 * on its way back. Not acknowledged twice, never out of order within a lane.
 */
export class SinkReader {
  readonly name: string;
  readonly #source: HistorySource;
  /** Everything that this sink has not acknowledged. */
  readonly pending: Intervals;
  readonly #inFlight = new Set<number>();
  /** Undefined where an entry was taken: see `Tail.takeUnneeded` for what keeping it would cost. */
  #live: (Entry | undefined)[] = [];
  #liveHead = 0;
  /** Entries from here on go by the live lane; undefined while not connected. */
  #liveFrom: number | undefined;
  #history: Entry[] = [];
  #historyFrom = 0;
  #loading = false;
  /** Counts connections, and every other reason to begin the history lane anew. */
  #session = 0;
  #onWork: () => void = () => undefined;
  #mayGo: (entry: Entry, late: boolean) => boolean = () => true;
  /** Entries sent to the history lane because the sink was too slow for live ones. */
  slowed = 0;

  constructor(name: string, source: HistorySource, pending: Intervals) {
    this.name = name;
    this.#source = source;
    this.pending = pending;
  }

  /** Called whenever there may be something to send. */
  onWork(handler: () => void): void {
    this.#onWork = handler;
  }

  /** What may not go now is passed over, and stays; {@link reoffer} comes back to it. */
  onlyIf(mayGo: (entry: Entry, late: boolean) => boolean): void {
    this.#mayGo = mayGo;
  }

  /** What was passed over may go now, perhaps: all that is not on its way is history. */
  reoffer(): void {
    if (this.#liveFrom === undefined) return;
    this.#liveFrom = this.#source.nextPos();
    this.#startOver();
    this.#onWork();
  }

  /** It was not taken, and is still wanted. */
  giveBack(pos: number): void {
    this.#inFlight.delete(pos);
  }

  /** The sink is connected: from now on new entries are live, all before is history. */
  connected(): void {
    this.#liveFrom = this.#source.nextPos();
    this.#rewind();
    this.#onWork();
  }

  /** The connection is gone; what was on its way is history. */
  disconnected(): void {
    this.#liveFrom = undefined;
    this.#rewind();
  }

  /**
   * A new entry is in the journal; {@link offer} follows.
   * @param isOld it may have been sent before the journal was restarted: it is history, or live data would go backwards
   */
  appended(entry: Entry, isOld: boolean): void {
    this.pending.add(entry.pos, entry.pos);
    if (this.#liveFrom === undefined) return;
    if (isOld) {
      // Whatever was live before it is history with it, and is behind all that was loaded.
      this.#liveFrom = entry.pos + 1;
      this.#live = [];
      this.#liveHead = 0;
    } else if (this.#live.length - this.#liveHead >= limits.liveEntries) {
      this.slowed += this.#live.length - this.#liveHead;
      this.#live = [];
      this.#liveHead = 0;
      this.#liveFrom = entry.pos + 1;
      this.#historyFrom = 0;
      this.#session++;
    } else {
      this.#live.push(entry);
    }
  }

  /** There may be something to send. */
  offer(): void {
    this.#onWork();
  }

  /** The next live entry, now on its way; undefined when there is none. */
  takeLive(): Entry | undefined {
    let entry: Entry | undefined;
    do {
      entry = this.#live[this.#liveHead];
      if (!entry) break;
      this.#live[this.#liveHead++] = undefined;
      // Shed from memory meanwhile, and in the ledger of losses: it must not come all the same.
    } while (!this.pending.has(entry.pos) || !this.#mayGo(entry, false));
    if (this.#liveHead === this.#live.length) {
      this.#live.length = 0;
      this.#liveHead = 0;
    } else if (this.#liveHead > 256 && this.#liveHead * 2 > this.#live.length) {
      this.#live = this.#live.slice(this.#liveHead);
      this.#liveHead = 0;
    }
    if (entry) this.#inFlight.add(entry.pos);
    return entry;
  }

  /** The next entry of the history lane, now on its way; loads more in the background when it has none. */
  takeHistory(): Entry | undefined {
    for (;;) {
      const entry = this.#history.shift();
      if (!entry) {
        this.#load();
        return undefined;
      }
      if (!this.pending.has(entry.pos) || this.#inFlight.has(entry.pos)) continue;
      if (!this.#mayGo(entry, true)) continue;
      this.#inFlight.add(entry.pos);
      return entry;
    }
  }

  /** Has the history lane something left to send? */
  get hasHistory(): boolean {
    if (this.#history.length > 0) return true;
    const next = this.pending.next(this.#historyFrom);
    return next !== undefined && next < (this.#liveFrom ?? Infinity);
  }

  /** The sink has taken the entry for good. */
  ack(pos: number): void {
    this.#inFlight.delete(pos);
    this.pending.remove(pos, pos);
    this.#source.acked();
  }

  /** The receiver refuses the entry for good. The caller acknowledges it as well. */
  refused(entry: Entry): void {
    if (this.pending.has(entry.pos)) this.#source.refused(entry);
  }

  /** Positions that exist no more (evicted): nobody waits for them. */
  dropped(from: number, to: number): void {
    this.pending.remove(from, to);
    if (this.#history.length > 0)
      this.#history = this.#history.filter((e) => e.pos < from || e.pos > to);
  }

  /** Older entries turn up that this sink waits for. */
  adopt(pending: Intervals): void {
    for (const [from, to] of pending.toJSON()) this.pending.add(from, to);
    this.reoffer();
  }

  /** What must be stored to go on after a restart; `upTo` is the last position of the journal. */
  state(upTo: number): CursorState {
    this.pending.coarsen(limits.pendingStretches);
    const holes = this.pending.coarse(limits.cursorHoles).filter(([from]) => from <= upTo);
    return { upTo, holes: holes.map(([from, to]) => [from, Math.min(to, upTo)]) };
  }

  #load(): void {
    const before = this.#liveFrom;
    if (this.#loading || before === undefined || !this.hasHistory) return;
    this.#loading = true;
    const from = this.#historyFrom;
    const session = this.#session;
    this.#source.history(from, before, this.pending).then(
      (part) => {
        this.#loading = false;
        // The connection may have changed while the disk was read: then what it asked for meanwhile is due.
        if (this.#session === session) {
          this.#historyFrom = part.until;
          this.#forgetMissing(from, part);
          this.#history.push(...part.entries.filter((entry) => !this.#inFlight.has(entry.pos)));
        }
        this.#onWork();
      },
      () => {
        // The journal has already said what is wrong with the disk; a later load tries again.
        this.#loading = false;
      },
    );
  }

  /** Cursors are stored coarsely: what they name and the journal does not hold was acknowledged before. */
  #forgetMissing(from: number, { entries, until }: HistoryPart): void {
    // What was acknowledged or evicted while the disk was read does not come back.
    const there = entries
      .map(({ pos }) => pos)
      .concat([...this.#inFlight])
      .filter((pos) => pos >= from && pos < until && this.pending.has(pos));
    this.pending.remove(from, until - 1);
    for (const pos of there) this.pending.add(pos, pos);
  }

  #rewind(): void {
    this.#inFlight.clear();
    this.#startOver();
  }

  #startOver(): void {
    this.#session++;
    this.#live = [];
    this.#liveHead = 0;
    this.#history = [];
    this.#historyFrom = 0;
  }
}
