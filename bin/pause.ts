import { mono } from '../gateway/contract/index.js';
import { systemClock } from '../gateway/host/clock.js';

/** Waits for so many ms. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    systemClock.at(mono(systemClock.mono() + ms), resolve);
  });
}
