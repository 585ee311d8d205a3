import type { Clock, MonoMs, RuleEngine, ScanResult, Timer } from '../contract/index.js';
import { mono } from '../contract/index.js';
import { limits } from '../limits.js';
import type { Inbox, InboxItem } from '../scan/inbox.js';
import { acceptBad, acceptBatch, acceptUnchanged } from '../tags/accept.js';
import type { TagImage } from '../tags/image.js';
import type { Reporter } from '../tags/report.js';
import type { StalenessSweep } from '../tags/staleness.js';
import type { WriteGate } from '../write/gate.js';
import type { WallClock } from './wall-clock.js';

/** The parts that a tick works on; replaced as a whole when the configuration changes. */
export interface TickParts {
  readonly image: TagImage;
  readonly staleness: StalenessSweep;
  readonly engine: RuleEngine | undefined;
  readonly gate: WriteGate;
  readonly reporter: Reporter;
  /** Values were overruled by their age: drivers must decode everything again. */
  onStale: (tags: readonly number[]) => void;
  /** States that must survive a kill from here on: before any write is handed over. */
  note: (rules: readonly string[]) => void;
  /** What the rules gave, after the writes were handed over. */
  onRules: (result: ScanResult) => void;
  onClockStep: (ms: number) => void;
}

export interface TickOptions {
  readonly clock: Clock;
  readonly wall: WallClock;
  readonly inbox: Inbox;
}

/**
 * One synchronous pass from readings to writes and records. This is the only file that states the order
 * of the stages. Runs when the inbox is not empty or a timer is due, coalesced, `limits.tickGapMs` apart.
 */
export class Tick {
  readonly #o: TickOptions;
  #parts: TickParts;
  #timer: Timer | undefined;
  #timerAt = Infinity;
  #lastAt = -Infinity;
  /** The last tick that nothing was left out of: whose scans had all ended. */
  #completeAt = -Infinity;
  #running = false;
  #stopped = true;
  /** When a timer of a rule runs out. */
  #ruleDue: MonoMs | undefined;
  readonly #stale: number[] = [];
  readonly stats = { ticks: 0, maxMs: 0, items: 0 };

  constructor(parts: TickParts, options: TickOptions) {
    this.#parts = parts;
    this.#o = options;
  }

  replace(parts: TickParts): void {
    this.#parts = parts;
    this.wake();
  }

  start(): void {
    this.#stopped = false;
    this.wake();
  }
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timerAt = Infinity;
  }

  /**
   * Runs at once, before the image is replaced: what waits refers to its positions. A subscription that is
   * done with one layer of samples puts the next one in, so it goes on until nothing waits.
   */
  flush(): void {
    if (this.#stopped || this.#running) return;
    do {
      this.#timer?.cancel();
      this.#run();
    } while (!this.#o.inbox.isEmpty);
  }

  /**
   * There is something to do: run soon, but not before the gap to the last tick is over. What completes
   * scans that a tick has cut in two need not wait so long: half of each would be older than it must be.
   * @param complete nothing more is about to come in: do not wait for it
   */
  wake(complete = true): void {
    const now = this.#o.clock.mono();
    const soon = complete ? now : now + limits.tickSettleMs;
    const isRest = complete && this.#o.inbox.isComplete;
    const last = isRest ? this.#completeAt : this.#lastAt;
    this.#schedule(Math.max(soon, last + limits.tickGapMs));
  }

  #schedule(at: number): void {
    if (this.#stopped || at >= this.#timerAt || this.#running) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    this.#timer = this.#o.clock.at(mono(at), this.#run);
  }

  readonly #run = (): void => {
    const { clock, inbox } = this.#o;
    const now = clock.mono();
    this.#timerAt = Infinity;
    this.#lastAt = now;
    if (inbox.isComplete) this.#completeAt = now;
    this.#running = true;
    const items = inbox.take();
    this.#stages(items, now);
    this.#running = false;
    this.stats.ticks++;
    this.stats.items += items.length;
    this.stats.maxMs = Math.max(this.stats.maxMs, clock.mono() - now);
    this.#schedule(this.#nextAt(now));
  };

  /** The order of the stages. Trips (5, 7) come before anything is recorded (6). */
  #stages(items: readonly InboxItem[], now: MonoMs): void {
    const { image, staleness, engine, gate, reporter } = this.#parts;
    const step = this.#o.wall.check(now);
    if (step !== 0) this.#parts.onClockStep(step);

    // 1 take, 2 convert and stamp, 3 put in the image
    for (const item of items) this.#accept(image, item);
    staleness.sweep(now, this.#stale);

    // 4 rules, on the image as it now stands
    const result = engine?.scan(now);
    this.#ruleDue = result?.nextDue;
    if (result && result.urgent.length > 0) this.#parts.note(result.urgent);

    // 5 gate, 7 hand over writes
    gate.verify(now);
    if (result) gate.demand(result.intents, now);

    // 6 report by exception: what is worth recording
    for (const item of items) this.#record(reporter, item, now);
    if (this.#stale.length > 0) {
      reporter.consider(this.#stale, now);
      this.#parts.onStale(this.#stale);
      this.#stale.length = 0;
    }
    if (result) {
      reporter.consider(result.changed, now);
      this.#parts.onRules(result);
    }
    reporter.considerSilent(now);
    reporter.closeOld(now);
  }

  #accept(image: TagImage, item: InboxItem): void {
    if (item.kind === 'bad') acceptBad(image, item.indices, item.quality, item.at);
    else if (item.group?.batch.isUnchanged) acceptUnchanged(image, item.group.indices, item.at);
    else if (item.group) acceptBatch(image, item.group.indices, item.group.batch);
  }

  #record(reporter: Reporter, item: InboxItem, now: MonoMs): void {
    if (item.kind === 'scan-end') {
      reporter.finish(item.device, item.scanClass);
      return;
    }
    reporter.consider(item.group?.indices ?? item.indices, now);
    item.group?.taken();
  }

  #nextAt(now: MonoMs): number {
    const { gate, reporter } = this.#parts;
    const earliest = now + limits.tickGapMs;
    if (!this.#o.inbox.isEmpty) return earliest;
    const due = Math.min(
      now + limits.tickIdleMs,
      this.#ruleDue ?? Infinity,
      gate.nextDue() ?? Infinity,
      reporter.nextDue() ?? Infinity,
    );
    return Math.max(earliest, due);
  }
}
