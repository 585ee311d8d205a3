import { limits } from '../limits.js';

/** How long what a device refuses rests before it is asked again, ms: twice as long each time, up to `most`. */
export function longerRest(last: number | undefined, most: number = limits.refusedRetryMs): number {
  return Math.min(most, last === undefined ? limits.refusedFirstMs : last * 2);
}
