import { type Clock, type DurationMs, GatewayError, mono } from '../contract/index.js';

/**
 * One call of a driver that people wait for: it is given up when the time is over, and settles when the
 * driver is closed.
 * @param who does not answer then
 */
export async function within<T>(
  clock: Clock,
  wait: DurationMs,
  who: string,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const late = clock.at(mono(clock.mono() + wait), () =>
    controller.abort(new GatewayError('request-timeout', `${who} does not answer`)),
  );
  try {
    return await call(controller.signal);
  } finally {
    late.cancel();
  }
}
