import { type Clock, type DurationMs, GatewayError, mono } from '../contract/index.js';

/**
 * One call of a driver that people wait for: it is given up when the time is over, whether the driver hears of it or
 * not, and settles when the driver is closed.
 * @param who does not answer then
 */
export function within<T>(
  clock: Clock,
  wait: DurationMs,
  who: string,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  return new Promise<T>((resolve, reject) => {
    const late = clock.at(mono(clock.mono() + wait), () => {
      const why = new GatewayError('request-timeout', `${who} does not answer`);
      controller.abort(why);
      reject(why);
    });
    const calling = async (): Promise<T> => call(controller.signal);
    calling()
      .finally(() => late.cancel())
      .then(resolve, reject);
  });
}
