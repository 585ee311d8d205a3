import { limits } from '../limits.js';

/** How long what a device refuses rests before it is asked again, ms: twice as long each time. */
export function longerRest(last: number | undefined): number {
  return last === undefined ? limits.refusedFirstMs : Math.min(limits.refusedRetryMs, last * 2);
}
