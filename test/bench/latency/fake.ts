import { fileURLToPath } from 'node:url';
import { Child } from '../../support/child.js';
import { Helper } from '../../support/helper.js';
import type { Cleanup } from '../../support/scratch.js';

/** Starts `NAME-main.js` of this folder: what costs time runs in a process of its own, for this one is the clock. */
export function startFake<Ready>(
  t: Cleanup,
  name: string,
  args: readonly (string | number)[] = [],
): Promise<Helper<Ready>> {
  const script = fileURLToPath(new URL(`${name}-main.js`, import.meta.url));
  return Helper.of(t, name, new Child([script, ...args.map(String)]));
}
