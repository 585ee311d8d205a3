import { wantScan } from '../blocks/slots.js';
import type { Context } from './context.js';

/**
 * An end that was promised in wall time and survives restarts. It comes at the promised time, or after the
 * promised length by the clock that nobody sets, whichever is first: a clock that is put back prolongs
 * nothing.
 */
export interface Deadline {
  /** Wall ms. */
  readonly until: number;
  /** Monotonic ms; NaN until the first look after a restart. */
  readonly untilMono: number;
}

/** Differences of the two clocks below this are rounding, ms. */
const rounding = 1;

/** The deadline as of this scan: after a restart, or when the clock was set, the monotonic end is found anew. */
export function bound<T extends Deadline>(c: Context, deadline: T): T {
  const { now } = c.plant.slots.clock;
  const left = deadline.until - c.wallNow();
  if (deadline.untilMono - now <= left + rounding) return deadline;
  return { ...deadline, untilMono: now + Math.max(0, left) };
}

/** Milliseconds until the end of a bound deadline; 0 or less: it is over. Wants a scan `early` before it. */
export function leftOf(c: Context, { untilMono }: Deadline, early: number): number {
  const { slots } = c.plant;
  const left = untilMono - slots.clock.now;
  if (left > 0) wantScan(slots, left > early ? untilMono - early : untilMono);
  return left;
}
