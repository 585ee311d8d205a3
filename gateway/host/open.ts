import { type ByteStream, type Endpoint, GatewayError } from '../contract/index.js';
import { openTcp } from './tcp.js';

/** Opens the byte stream of an endpoint: the drivers' only way out. */
export function openStream(endpoint: Endpoint, signal: AbortSignal): Promise<ByteStream> {
  if (endpoint.scheme === 'tcp') return openTcp(endpoint, signal);
  return Promise.reject(
    new GatewayError('link-unreachable', `${endpoint.scheme}:// cannot be opened in this version`),
  );
}
