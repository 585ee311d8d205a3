import { GatewayError } from '../contract/index.js';

/** The error with which an attempt that was given up settles: the caller's own reason, if it gave a proper one. */
export function abortReason(signal: AbortSignal): GatewayError {
  return signal.reason instanceof GatewayError
    ? signal.reason
    : new GatewayError('aborted', 'the connection attempt was cancelled');
}
