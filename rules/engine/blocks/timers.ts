import { Quality } from '../../../gateway/contract/index.js';
import { isDoubtful, settleDoubt } from './doubt.js';
import {
  badFrom,
  ignored,
  putBool,
  recall,
  remember,
  truth,
  unknown,
  wantScan,
  type Slots,
  type Step,
} from './slots.js';

/**
 * On-delay (TON), exact under unknown input: true when the input has surely been true for `duration`,
 * false when it cannot have been, unknown in between. So a bad input does not restart the delay of an
 * interlock, and never makes an alarm come early. `first`: in the memory, since when it has surely been true; behind
 * that, since when perhaps.
 */
export function onDelay(s: Slots, to: number, of: number, first: number, duration: number): void {
  const second = first + 1;
  let surely = recall(s, first);
  let perhaps = recall(s, second);
  const now = s.clock.now;
  const q = s.q[of] as number;
  const state = truth(s, of);
  if (q === ignored || state === 0 || (q === Quality.waiting && Number.isNaN(perhaps))) {
    s.memory[first] = NaN;
    s.memory[second] = NaN;
    putBool(s, to, false, q);
    return;
  }
  if (Number.isNaN(perhaps)) perhaps = now;
  if (state === unknown) surely = NaN;
  else if (Number.isNaN(surely)) surely = now;
  s.memory[first] = surely;
  s.memory[second] = perhaps;
  if (surely + duration <= now) putBool(s, to, true, q);
  else if (perhaps + duration <= now) putBool(s, to, false, Quality.input);
  else putBool(s, to, false, q >= badFrom ? Quality.degraded : q);
  if (surely + duration > now) wantScan(s, surely + duration);
  if (perhaps + duration > now) wantScan(s, perhaps + duration);
}

/** As {@link ofDoubt}, without a step of its own. */
export function onDelayOfDoubt(
  s: Slots,
  to: number,
  of: number,
  first: number,
  duration: number,
): void {
  const q = s.q[of] as number;
  const isInDoubt = isDoubtful(q);
  if (isInDoubt) s.q[of] = Quality.input;
  onDelay(s, to, of, first + 2, duration);
  const [value, quality] = [s.v[to] as number, s.q[to] as number];
  s.q[of] = q;
  onDelay(s, to, of, first, duration);
  settleDoubt(s, to, value, quality, isInDoubt);
}

/** Off-delay (TOF): true while the input is, and for `duration` after it was seen to fall. */
export function offDelayStep(s: Slots, to: number, of: number, duration: number): Step {
  // Infinity: on now. A number: fell then. -Infinity: never was, or has run out.
  const first = remember(s, -Infinity, -Infinity);
  const second = first + 1;
  const fallen = (since: number, now: number): number => (since === Infinity ? now : since);
  return () => {
    const now = s.clock.now;
    const q = s.q[of] as number;
    let surely = recall(s, first);
    let perhaps = recall(s, second);
    const nothingYet = q === ignored || (q === Quality.waiting && perhaps === -Infinity);
    const state = nothingYet ? 0 : truth(s, of);
    surely = state === 1 ? Infinity : fallen(surely, now);
    perhaps = state === 0 ? fallen(perhaps, now) : Infinity;
    s.memory[first] = surely;
    s.memory[second] = perhaps;
    if (surely + duration > now) putBool(s, to, true, q >= badFrom ? Quality.degraded : q);
    else if (perhaps + duration > now) putBool(s, to, false, Quality.input);
    else putBool(s, to, false, q);
    if (surely + duration > now && surely < Infinity) wantScan(s, surely + duration);
    if (perhaps + duration > now && perhaps < Infinity) wantScan(s, perhaps + duration);
  };
}

/** One pulse (TP) of `duration` for each rising edge; not lengthened by another edge. */
export function pulseStep(s: Slots, to: number, of: number, duration: number): Step {
  // The truth before; until when the pulse lasts.
  const before = remember(s, unknown, -Infinity);
  const end = before + 1;
  return () => {
    const now = s.clock.now;
    const q = s.q[of] as number;
    const state = truth(s, of);
    if (now >= recall(s, end) && recall(s, before) === 0 && state === 1)
      s.memory[end] = now + duration;
    s.memory[before] = state;
    const until = recall(s, end);
    if (now < until) {
      putBool(s, to, true, q >= badFrom ? Quality.degraded : q);
      wantScan(s, until);
    } else putBool(s, to, false, q);
  };
}

/**
 * Has the value changed within the last `duration`? A heartbeat that stands still for that long gives
 * false. The first value counts as a change, so a start is no failure.
 */
export function changingStep(s: Slots, to: number, of: number, duration: number): Step {
  // The last good value; when it came.
  const last = remember(s, NaN, -Infinity);
  const when = last + 1;
  return () => {
    const now = s.clock.now;
    const q = s.q[of] as number;
    if (q < badFrom && (s.v[of] as number) !== recall(s, last)) {
      s.memory[last] = s.v[of] as number;
      s.memory[when] = now;
    }
    const changedAt = recall(s, when);
    putBool(s, to, changedAt + duration > now, q);
    if (changedAt + duration > now) wantScan(s, changedAt + duration);
  };
}
