import { type ByteStream, type Endpoint, GatewayError, type RtsMode } from '../contract/index.js';
import { openSerial } from './serial.js';
import { openTcp, openTls } from './tcp.js';
import { openUdp } from './udp.js';

/** Opens the byte stream of an endpoint: the drivers' only way out. */
export function openStream(
  endpoint: Endpoint,
  signal: AbortSignal,
  rts: RtsMode = 'none',
): Promise<ByteStream> {
  if (endpoint.serial) return openSerial(endpoint, signal, rts);
  // `rtu+tcp` and the like say what is spoken; the last part, how it gets there.
  switch (endpoint.scheme.split('+').at(-1)) {
    case 'tcp':
      return openTcp(endpoint, signal);
    case 'tls':
      return openTls(endpoint, signal);
    case 'udp':
      return openUdp(endpoint, signal);
    default:
      return Promise.reject(
        new GatewayError('link-unreachable', `${endpoint.scheme}:// cannot be opened`),
      );
  }
}
