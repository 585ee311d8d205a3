import type { WallMs } from '../../../gateway/contract/index.js';
import { wantScan } from '../blocks/slots.js';
import type { Context } from './context.js';

/**
 * An end that was promised in wall time and survives restarts. It comes at the promised time, or after the
 * promised length by the clock that nobody sets, whichever is first: a clock that is put back prolongs
 * nothing.
 */
export interface Deadline {
  /** Wall time of its beginning and its end. */
  readonly since: WallMs;
  readonly until: WallMs;
  /** Monotonic ms; NaN until the first look after a restart. */
  readonly untilMono: number;
}

/** Differences of the two clocks below this are rounding, ms. */
const rounding = 1;

/**
 * The deadline as of this scan: after a restart, or when the clock was set, the monotonic end is found anew. After
 * a restart it lasts no longer than it was to last altogether, whatever the clock says; the promised end stays,
 * for a clock that is wrong after a start is usually put right.
 */
export function bound<T extends Deadline>(c: Context, deadline: T): T {
  const { since, until, untilMono } = deadline;
  const { now } = c.basis.slots.clock;
  const left = Math.min(until - c.wallNow(), until - since);
  if (untilMono - now <= left + rounding) return deadline;
  return { ...deadline, untilMono: now + Math.max(0, left) };
}

/** Milliseconds until the end of a bound deadline; 0 or less: it is over. Wants a scan `early` before it. */
export function leftOf(c: Context, { untilMono }: Deadline, early: number): number {
  const { slots } = c.basis;
  const left = untilMono - slots.clock.now;
  if (left > 0) wantScan(slots, left > early ? untilMono - early : untilMono);
  return left;
}
