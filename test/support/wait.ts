import { GatewayError } from '../../gateway/contract/index.js';

/** How often a condition is looked at, ms. */
const lookMs = 20;

/**
 * Waits until `condition` gives something that is not false, undefined or null, and returns it. A test never
 * sleeps: it waits for what it needs, with a bound.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  what: string,
  timeoutMs: number,
): Promise<Exclude<T, false | undefined | null>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value !== false && value !== undefined && value !== null) {
      return value as Exclude<T, false | undefined | null>;
    }
    if (performance.now() > deadline) {
      throw new GatewayError('internal', `waited ${String(timeoutMs)} ms in vain: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}

/** Lets `ms` pass where the passing of time itself is what is tested: nothing may happen meanwhile. */
export function elapse(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
