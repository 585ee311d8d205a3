import type { Clock, Steps } from '../contract/index.js';
import { limits } from '../limits.js';

/** Does long work in slices, beside polls and trips. @param step does a little; returns whether something is left */
export async function inSlices(clock: Clock, step: () => boolean): Promise<void> {
  for (let from = clock.mono(); step();) {
    if (clock.mono() - from < limits.sliceMs) continue;
    await new Promise<void>((go) => clock.soon(go));
    from = clock.mono();
  }
}

/** The same of steps that give something in the end. */
export async function slicesOf<T>(clock: Clock, steps: Steps<T>): Promise<T> {
  let last = steps.next();
  await inSlices(clock, () => {
    if (last.done !== true) last = steps.next();
    return last.done !== true;
  });
  return last.value as T;
}
