import { type Clock, type MonoMs, type Random, type Timer, mono, wall } from '../contract/index.js';

/** What is due in one millisecond. */
interface Appointment {
  readonly runs: Set<{ readonly run: () => void }>;
  handle: NodeJS.Timeout;
}
const appointments = new Map<number, Appointment>();

/**
 * What is due in the same millisecond runs together. Timers of their own, set at slightly different times, would run a
 * millisecond apart: ten scans of one phase would wake the process several times, and a tick would cut them in two.
 */
function appointmentAt(due: number): Appointment {
  const known = appointments.get(due);
  if (known) return known;
  const made: Appointment = { runs: new Set(), handle: timer(due) };
  appointments.set(due, made);
  return made;
}

/**
 * A shorter wait is nobody's appointment: the silence between two frames of a line (1.75 ms and more) comes with every
 * request, and would be up to a millisecond longer.
 */
const shortWait = 6;
/** What setTimeout takes; a longer wait is cut in several. */
const longestWait = 2 ** 31 - 1;

function timer(due: number): NodeJS.Timeout {
  const wait = Math.ceil(due - performance.now());
  return setTimeout(() => keep(due), Math.min(Math.max(1, wait), longestWait));
}

function keep(due: number): void {
  const appointment = appointments.get(due);
  if (!appointment) return;
  // Timers count in whole milliseconds of a clock that is read now and then: one may come too early.
  if (performance.now() < due) {
    appointment.handle = timer(due);
    return;
  }
  appointments.delete(due);
  runAll(appointment.runs);
}

/** One that throws does not take the others with it. */
function runAll(runs: Appointment['runs']): void {
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
    const due = Math.ceil(when);
    const appointment = appointmentAt(due);
    const own = { run };
    appointment.runs.add(own);
    return {
      cancel: () => {
        appointment.runs.delete(own);
        if (appointment.runs.size > 0 || appointments.get(due) !== appointment) return;
        clearTimeout(appointment.handle);
        appointments.delete(due);
      },
    };
  },
  soon: (run) => void setImmediate(run),
};

export const systemRandom: Random = { next: () => Math.random() };
