import { asGatewayError, type Clock, mono } from '../../contract/index.js';
import { limits } from '../../limits.js';
import type { Opened } from './messages.js';

/** What a field half begins with that cannot wait for the other one, beside what it remembers itself. */
export const alone: Pick<Opened, 'epoch' | 'ended' | 'deviceAlarms'> = {
  epoch: 0,
  ended: 'unclean',
  deviceAlarms: undefined,
};

/** Undefined: it takes too long, or has ended. Rejects where it refuses: then this must not be a second gateway. */
export async function openedInTime(
  opening: Promise<Opened>,
  clock: Clock,
): Promise<Opened | undefined> {
  const late = new Promise<undefined>((resolve) => {
    const timer = clock.at(mono(clock.mono() + limits.startAloneMs), () => resolve(undefined));
    const done = (): void => timer.cancel();
    opening.then(done, done);
  });
  try {
    return await Promise.race([opening, late]);
  } catch (thrown) {
    const error = asGatewayError(thrown);
    if (error.code !== 'half-down') throw error;
    return undefined;
  }
}
