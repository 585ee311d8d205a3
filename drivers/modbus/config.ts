import {
  ms,
  type DriverLimits,
  type KeySchema,
  type Parsed,
  type Source,
} from '../../gateway/contract/index.js';
import type { DurationMs } from '../../gateway/contract/index.js';
import { durationKey, integerKey, KeyReader } from '../lib/keys.js';

/** The link's own keys. Counts are registers or bits per request. */
export interface ModbusConfig {
  /** Requests outstanding at the device, 1 to 16. */
  readonly inFlight: number;
  readonly timeout: DurationMs;
  readonly connectTimeout: DurationMs;
  readonly requestGap: DurationMs;
  /** Unwanted registers (or bits) between two tags that are read along to save a request. */
  readonly maxGap: number;
  readonly maxRegisters: number;
  readonly maxBits: number;
}

/** How the bytes of a value lie on the wire, for a value with the bytes A (most significant) to D. */
export const byteOrders = ['ABCD', 'CDAB', 'BADC', 'DCBA'] as const;
export type ByteOrder = (typeof byteOrders)[number];

/** Base of the numbers in `hr:N`: as on the wire, or as many manuals count. */
export const addressings = ['zero', 'one'] as const;

const bounds = {
  inFlight: { min: 1, max: 16 },
  timeout: { min: 10, max: 600_000 },
  requestGap: { min: 0, max: 60_000 },
  maxGap: { min: 0, max: 2_000 },
  // Limits of the protocol: the data of an answer must fit 250 bytes.
  maxRegisters: { min: 1, max: 125 },
  maxBits: { min: 1, max: 2_000 },
  unit: { min: 0, max: 255 },
  length: { min: 1, max: 250 },
} as const;
/** Bounds of the keys that a device may set for itself. */
export const requestBounds: Readonly<
  Record<'maxGap' | 'maxRegisters' | 'maxBits', { readonly min: number; readonly max: number }>
> = bounds;
export const unitBounds: { readonly min: number; readonly max: number } = bounds.unit;
export const lengthBounds: { readonly min: number; readonly max: number } = bounds.length;

const byteOrderKey = (description: string): KeySchema['properties'][string] => ({
  type: 'string',
  enum: [...byteOrders],
  description,
});

export const linkSchema: KeySchema = {
  properties: {
    inFlight: integerKey(
      'Requests on the wire at the same time; more than 1 only if the device queues them.',
      bounds.inFlight,
      1,
    ),
    timeout: durationKey('Longest wait for an answer.', '1s'),
    connectTimeout: durationKey('Longest wait for the connection.', '3s'),
    requestGap: durationKey('Silence between an answer and the next request.', '0ms'),
    maxGap: integerKey(
      'Unwanted registers between two tags that are read along to save a request; 0 if the device refuses reads across holes.',
      bounds.maxGap,
      2_000,
    ),
    maxRegisters: integerKey('Registers per request.', bounds.maxRegisters, 125),
    maxBits: integerKey('Coils or discrete inputs per request.', bounds.maxBits, 2_000),
  },
};

export const deviceSchema: KeySchema = {
  properties: {
    unit: integerKey(
      'Unit id of the device; often 1 or 255 for a device that is alone.',
      bounds.unit,
    ),
    byteOrder: {
      ...byteOrderKey('Order of the bytes of a value; CDAB = low register first.'),
      default: 'ABCD',
    },
    addressing: {
      type: 'string',
      enum: [...addressings],
      description: 'Is the first register hr:0 or hr:1? Numbers like 40001 always count from one.',
      default: 'zero',
    },
    maxGap: integerKey('As for the link. Default: that of the link.', bounds.maxGap),
    maxRegisters: integerKey('As for the link. Default: that of the link.', bounds.maxRegisters),
    maxBits: integerKey('As for the link. Default: that of the link.', bounds.maxBits),
  },
  required: ['unit'],
};

export const tagSchema: KeySchema = {
  properties: {
    address: {
      type: ['string', 'integer'],
      description:
        'hr:100, ir:5, co:3, di:7, hr:0x64; hr:110.3 = bit 3; or 40101, 30101, 10007, "00003".',
    },
    byteOrder: byteOrderKey('Order of the bytes of this value. Default: that of the device.'),
    length: integerKey(
      'Bytes of a string, two per register. Default: none; required for type string.',
      bounds.length,
    ),
  },
  required: ['address'],
};

/** Reads the link's keys; every problem at once. */
export function parseLink(link: Source): Parsed<ModbusConfig> {
  const keys = new KeyReader(link);
  return keys.finish({
    inFlight: keys.integer('inFlight', bounds.inFlight, 1),
    timeout: keys.duration('timeout', bounds.timeout, ms(1_000)),
    connectTimeout: keys.duration('connectTimeout', bounds.timeout, ms(3_000)),
    requestGap: keys.duration('requestGap', bounds.requestGap, ms(0)),
    maxGap: keys.integer('maxGap', bounds.maxGap, bounds.maxGap.max),
    maxRegisters: keys.integer('maxRegisters', bounds.maxRegisters, 125),
    maxBits: keys.integer('maxBits', bounds.maxBits, 2_000),
  });
}

export function limits(config: ModbusConfig): DriverLimits {
  return {
    inFlight: config.inFlight,
    connectTimeout: config.connectTimeout,
    requestTimeout: config.timeout,
    requestGap: config.requestGap,
    // Answers are matched by transaction id; `modbus.test.ts` and rule R-14 prove it.
    afterTimeout: 'continue',
  };
}
