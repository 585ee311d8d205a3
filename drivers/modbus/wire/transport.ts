import { ascii } from './ascii.js';
import type { Framing } from './framing.js';
import { mbap, mbapUdp } from './mbap.js';
import { rtu } from './rtu.js';

/** What goes over the wire of a scheme. */
export interface Transport {
  readonly scheme: Scheme;
  readonly framing: Framing;
  /** A serial port of this machine. */
  readonly serial: boolean;
  /** Characters of request and answer on a serial line besides the data. */
  readonly overhead: number;
  /** Characters of one byte of data. */
  readonly perByte: number;
}

// Request of a read: unit, function, start, count, check. Answer: unit, function, count of bytes, check.
const rtuSizes = { overhead: 8 + 5, perByte: 1 };
const asciiSizes = { overhead: 17 + 11, perByte: 2 };

/** Endpoints that the driver serves. 802 is the port of Modbus/TCP Security. */
export const schemes = {
  tcp: 502,
  tls: 802,
  udp: 502,
  serial: { serial: '8E1' },
  'rtu+tcp': 502,
  'rtu+udp': 502,
  'ascii+serial': { serial: '7E1' },
  'ascii+tcp': 502,
} as const;

export type Scheme = keyof typeof schemes;

/** Behind a Modbus TCP gateway the devices speak RTU. */
const tcp: Transport = { scheme: 'tcp', framing: mbap, serial: false, ...rtuSizes };
const transports: ReadonlyMap<string, Transport> = new Map(
  (
    [
      tcp,
      { scheme: 'tls', framing: mbap, serial: false, ...rtuSizes },
      { scheme: 'udp', framing: mbapUdp, serial: false, ...rtuSizes },
      { scheme: 'serial', framing: rtu, serial: true, ...rtuSizes },
      { scheme: 'rtu+tcp', framing: rtu, serial: false, ...rtuSizes },
      { scheme: 'rtu+udp', framing: rtu, serial: false, ...rtuSizes },
      { scheme: 'ascii+serial', framing: ascii, serial: true, ...asciiSizes },
      { scheme: 'ascii+tcp', framing: ascii, serial: false, ...asciiSizes },
    ] satisfies readonly Transport[]
  ).map((transport) => [transport.scheme, transport]),
);

/** The transport of a scheme; an endpoint with another one is refused elsewhere, and counts as TCP here. */
export function transportOf(scheme: string): Transport {
  return transports.get(scheme) ?? tcp;
}
