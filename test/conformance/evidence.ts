import { turn, type World } from './world.js';
import type { Evidence } from './types.js';

/** Longest run of a rule, ms: a driver that never settles is a failure, and no reason to wait. */
const longestMs = 120_000;

/** Frames of a stack that name the line of a rule, and not one of the helpers. */
const ofRule = /\(?((?:file:\/\/)?[^\s(]*rules-[a-z]+\.[jt]s:\d+:\d+)\)?$/m;

export function evidenceOf(thrown: unknown, world: World | undefined): Evidence {
  const stack = thrown instanceof Error ? (thrown.stack ?? '') : '';
  return {
    place: ofRule.exec(stack)?.[1] ?? '',
    stack,
    seed: world?.seed,
    wire: world?.transcript ?? [],
  };
}

/**
 * Runs a rule. A promise that the driver rejects and drops fails it, and does not end the process; so does a rule that does
 * not end.
 */
export async function contained(run: () => void | Promise<void>): Promise<void> {
  const dropped: unknown[] = [];
  const take = (why: unknown): void => void dropped.push(why);
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', take);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new RangeError('a call of the driver never settles')),
      longestMs,
    );
  });
  try {
    await Promise.race([run(), late]);
    await turn();
  } finally {
    clearTimeout(timer);
    process.off('unhandledRejection', take);
    for (const other of others) process.on('unhandledRejection', other);
  }
  const [first] = dropped;
  if (dropped.length > 0)
    throw new TypeError(
      `the driver drops ${String(dropped.length)} rejected promises: ${String(first)}`,
      { cause: first },
    );
}
