import { ascii } from './ascii.js';
import type { Framing } from './framing.js';
import { mbap, mbapUdp } from './mbap.js';
import { rtu } from './rtu.js';

/** What goes over the wire of a scheme. */
export interface Transport {
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

/** Behind a Modbus TCP gateway the devices speak RTU. */
const transports: ReadonlyMap<string, Transport> = new Map([
  ['tcp', { framing: mbap, serial: false, ...rtuSizes }],
  ['tls', { framing: mbap, serial: false, ...rtuSizes }],
  ['udp', { framing: mbapUdp, serial: false, ...rtuSizes }],
  ['serial', { framing: rtu, serial: true, ...rtuSizes }],
  ['rtu+tcp', { framing: rtu, serial: false, ...rtuSizes }],
  ['rtu+udp', { framing: rtu, serial: false, ...rtuSizes }],
  ['ascii+serial', { framing: ascii, serial: true, ...asciiSizes }],
  ['ascii+tcp', { framing: ascii, serial: false, ...asciiSizes }],
]);

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

export function transportOf(scheme: string): Transport {
  return transports.get(scheme) ?? { framing: mbap, serial: false, ...rtuSizes };
}
