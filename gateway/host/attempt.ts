import { GatewayError } from '../contract/index.js';

/** How an attempt tells its end; what comes after an abort is not heard. */
export interface Attempt<T> {
  opened: (stream: T) => void;
  failed: (error: GatewayError) => void;
}

/**
 * One attempt to open something. Settles as `begin` tells it, or at once with the reason of the abort,
 * after `giveUp`; if it is aborted already, nothing is begun.
 */
export function attempt<T>(
  signal: AbortSignal,
  giveUp: () => void,
  begin: (end: Attempt<T>) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      giveUp();
      reject(abortReason(signal));
    };
    if (signal.aborted) {
      abort();
      return;
    }
    signal.addEventListener('abort', abort, { once: true });
    const settled = (): void => signal.removeEventListener('abort', abort);
    begin({
      opened: (stream) => {
        settled();
        resolve(stream);
      },
      failed: (error) => {
        settled();
        reject(error);
      },
    });
  });
}

/** The caller's own reason, if it gave a proper one. */
function abortReason(signal: AbortSignal): GatewayError {
  return signal.reason instanceof GatewayError
    ? signal.reason
    : new GatewayError('aborted', 'the connection attempt was cancelled');
}
