import {
  GatewayError,
  type ByteStream,
  type DriverContext,
  type RtsMode,
} from '../../gateway/contract/index.js';

/** The error with which an aborted call settles: the host's own reason, if it gave a proper one. */
export function abortError(signal: AbortSignal): GatewayError {
  const reason: unknown = signal.reason;
  return reason instanceof GatewayError
    ? reason
    : new GatewayError('aborted', 'the operation was cancelled');
}

/** A connection attempt that can be given up at any time; a stream that comes too late is closed. */
export interface Opening {
  readonly stream: Promise<ByteStream>;
  /** Rejects `stream` at once. Idempotent; without effect when it has settled. */
  cancel: (why: GatewayError) => void;
}

/**
 * Opens the context's endpoint. Settles at once on abort, whatever the opener does, and never leaves
 * an orphan: some devices serve only two or three connections.
 */
export function openAbortable(
  context: DriverContext,
  signal: AbortSignal,
  rts: RtsMode = 'none',
): Opening {
  let settled = false;
  let cancel: (why: GatewayError) => void = () => undefined;
  const stream = new Promise<ByteStream>((resolve, reject) => {
    const onAbort = (): void => {
      cancel(abortError(signal));
    };
    const settle = (): boolean => {
      if (settled) return false;
      settled = true;
      signal.removeEventListener('abort', onAbort);
      return true;
    };
    cancel = (why) => {
      if (settle()) reject(why);
    };
    if (signal.aborted) {
      cancel(abortError(signal));
      return;
    }
    signal.addEventListener('abort', onAbort);
    context.open(context.endpoint, signal, rts).then(
      (opened) => {
        if (settle()) resolve(opened);
        else opened.close();
      },
      (thrown: unknown) => {
        if (settle())
          reject(
            thrown instanceof GatewayError
              ? thrown
              : new GatewayError('link-unreachable', 'cannot open the link', {}, thrown),
          );
      },
    );
  });
  return { stream, cancel };
}
