import { type Clock, type MonoMs, type Timer, mono, wall } from '../../gateway/contract/index.js';

interface Slot {
  at: number;
  order: number;
  run: (() => void) | undefined;
}

/** Virtual time: one heap of timers, advanced by hand. Wall time may be stepped. */
export class VirtualClock implements Clock {
  #now = 0;
  #wallOffset: number;
  #order = 0;
  #heap: Slot[] = [];
  readonly #isPatient: boolean;

  /**
   * @param isPatient what a timer sets off by promises comes before the next timer of the same instant; else promises
   * settle between instants only
   */
  constructor(wallStart: number = Date.UTC(2026, 0, 1), isPatient = false) {
    this.#wallOffset = wallStart;
    this.#isPatient = isPatient;
  }

  mono(): MonoMs {
    return mono(this.#now);
  }
  wall(): ReturnType<Clock['wall']> {
    return wall(this.#now + this.#wallOffset);
  }
  stepWall(ms: number): void {
    this.#wallOffset += ms;
  }

  at(when: MonoMs, run: () => void): Timer {
    const slot: Slot = { at: Math.max(when, this.#now), order: this.#order++, run };
    this.#push(slot);
    return {
      cancel: () => {
        slot.run = undefined;
      },
    };
  }
  soon(run: () => void): void {
    this.at(this.mono(), run);
  }

  /** A clock that shares this time and whose timers can all be dropped at once: a process that dies. */
  process(): Clock & { kill(): void; readonly alive: boolean } {
    const life = { alive: true };
    return {
      mono: () => this.mono(),
      wall: () => this.wall(),
      at: (when, run) =>
        this.at(when, () => {
          if (life.alive) run();
        }),
      soon: (run) => {
        this.soon(() => {
          if (life.alive) run();
        });
      },
      kill: () => {
        life.alive = false;
      },
      get alive() {
        return life.alive;
      },
    };
  }

  /** Runs everything that is due up to `until`, instant by instant; promises settle in between. */
  async run(until: number): Promise<void> {
    for (;;) {
      const top = this.#heap[0];
      if (!top || top.at > until) break;
      this.#now = Math.max(this.#now, top.at);
      while (this.#heap[0] && this.#heap[0].at <= this.#now) {
        const { run } = this.#pop();
        run?.();
        if (this.#isPatient && run) await settle();
      }
      await settle();
    }
    this.#now = until;
  }

  #push(slot: Slot): void {
    const heap = this.#heap;
    let i = heap.length;
    heap.push(slot);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(slot, heap[parent] as Slot)) break;
      heap[i] = heap[parent] as Slot;
      i = parent;
    }
    heap[i] = slot;
  }

  #pop(): Slot {
    const heap = this.#heap;
    const top = heap[0] as Slot;
    const last = heap.pop() as Slot;
    const size = heap.length;
    if (size === 0) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= size) break;
      if (child + 1 < size && before(heap[child + 1] as Slot, heap[child] as Slot)) child++;
      if (!before(heap[child] as Slot, last)) break;
      heap[i] = heap[child] as Slot;
      i = child;
    }
    heap[i] = last;
    return top;
  }
}

function before(a: Slot, b: Slot): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** One turn of the event loop: every promise chain that can go on has gone on. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
