import { type Clock, type MonoMs, type Random, type Timer, mono, wall } from '../contract/index.js';

/** The real clocks of the machine. */
export const systemClock: Clock = {
  mono: () => mono(performance.now()),
  wall: () => wall(Date.now()),
  at(when: MonoMs, run: () => void): Timer {
    // Rounded up: a timer that fires too early would only be set again.
    const handle = setTimeout(run, Math.max(0, Math.ceil(when - performance.now())));
    return { cancel: () => clearTimeout(handle) };
  },
  soon: (run) => void setImmediate(run),
};

export const systemRandom: Random = { next: () => Math.random() };
