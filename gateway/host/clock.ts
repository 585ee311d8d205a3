import { type Clock, type MonoMs, type Random, type Timer, mono, wall } from '../contract/index.js';

/**
 * A shorter wait is nobody's appointment: the silence between two frames of a line (1.75 ms and more) comes with every
 * request, and would be up to a millisecond longer.
 */
const shortWait = 6;
/** What setTimeout takes; a longer wait is cut in several. */
const longestWait = 2 ** 31 - 1;

/**
 * By the low eight bits of their time: a quarter of a second has a list for each millisecond. No Map: where much comes and goes
 * V8 replaces its table all the time, and one that has grown old keeps alive the one that replaced it, and so on: what timers
 * hold would live until the heap is collected as a whole.
 */
const appointments: readonly Appointment[][] = Array.from({ length: 256 }, () => []);

/** Those that may be due then. */
function near(due: number): Appointment[] {
  return appointments[due & 0xff] as Appointment[];
}

type Runs = Set<{ readonly run: () => void }>;

/**
 * What is due in the same millisecond runs together. Timers of their own, set at slightly different times, would run a
 * millisecond apart: ten scans of one phase would wake the process several times, and a tick would cut them in two.
 */
class Appointment {
  readonly due: number;
  readonly #runs: Runs = new Set();
  #handle: NodeJS.Timeout;

  /** @param due whole milliseconds */
  static at(due: number): Appointment {
    for (const one of near(due)) if (one.due === due) return one;
    const made = new Appointment(due);
    near(due).push(made);
    return made;
  }

  private constructor(due: number) {
    this.due = due;
    this.#handle = this.#timer();
  }

  add(run: () => void): Timer {
    const own = { run };
    this.#runs.add(own);
    return {
      cancel: () => {
        if (!this.#runs.delete(own) || this.#runs.size > 0 || !this.#forget()) return;
        clearTimeout(this.#handle);
      },
    };
  }

  #timer(): NodeJS.Timeout {
    const wait = Math.ceil(this.due - performance.now());
    return setTimeout(() => this.#keep(), Math.min(Math.max(1, wait), longestWait));
  }

  #keep(): void {
    // Timers count in whole milliseconds of a clock that is read now and then: one may come too early.
    if (performance.now() < this.due) {
      this.#handle = this.#timer();
      return;
    }
    this.#forget();
    runAll(this.#runs);
  }

  /** Takes it off the list. Was it still to come? */
  #forget(): boolean {
    const list = near(this.due);
    const at = list.indexOf(this);
    if (at >= 0) list.splice(at, 1);
    return at >= 0;
  }
}

/** One that throws does not take the others with it. */
function runAll(runs: Runs): void {
  try {
    for (const one of runs) {
      runs.delete(one);
      one.run();
    }
  } finally {
    if (runs.size > 0) setImmediate(runAll, runs);
  }
}

/** The real clocks of the machine. */
export const systemClock: Clock = {
  mono: () => mono(performance.now()),
  wall: () => wall(Date.now()),
  at(when: MonoMs, run: () => void): Timer {
    const wait = when - performance.now();
    if (wait <= 0) {
      // A timer takes a millisecond at least.
      const handle = setImmediate(run);
      return { cancel: () => clearImmediate(handle) };
    }
    if (wait < shortWait) {
      const handle = setTimeout(run, Math.ceil(wait));
      return { cancel: () => clearTimeout(handle) };
    }
    return Appointment.at(Math.ceil(when)).add(run);
  },
  soon: (run) => void setImmediate(run),
};

export const systemRandom: Random = { next: () => Math.random() };
