import {
  ms,
  type DriverLimits,
  type Endpoint,
  type KeySchema,
  type Parsed,
  type RtsMode,
  type Source,
} from '../../../gateway/contract/index.js';
import type { DurationMs } from '../../../gateway/contract/index.js';
import { durationKey, integerKey, KeyReader } from '../../lib/keys.js';
import { formats } from '../values/formats.js';
import { characterMs, silenceMs, type LineSpeed } from '../line/times.js';
import { tables } from '../frames/tables.js';
import { orderWords } from '../values/orders.js';
import { rawTypes, scaleKinds } from '../values/scales.js';
import { encodings } from '../values/value.js';
import { transportOf, type Scheme, type Transport } from '../wire/transport.js';

/** The link's own keys. Counts are registers or bits per request. */
export interface ModbusConfig {
  /** Of the endpoint; {@link transportOf} has what it means. */
  readonly transport: Scheme;
  /** Of a serial port here, or behind a network converter if `baudRate` says so; undefined = a network. */
  readonly line: LineSpeed | undefined;
  /** Requests outstanding at the device, 1 to 16. */
  readonly inFlight: number;
  /** Find out how many of `inFlight` the device takes. */
  readonly ramp: boolean;
  readonly timeout: DurationMs;
  readonly connectTimeout: DurationMs;
  readonly requestGap: DurationMs;
  /** Unwanted registers (or bits) between two tags that are read along to save a request. */
  readonly maxGap: number;
  readonly maxRegisters: number;
  readonly maxBits: number;
  readonly rts: RtsMode;
  readonly anyUnit: boolean;
  /** Takes answers with another transaction id than was asked: only one request is under way then. */
  readonly anyTransaction: boolean;
  /** Takes answers with more bytes than they count. */
  readonly surplus: boolean;
  readonly connectDelay: DurationMs;
  readonly connection: (typeof connections)[number];
}

/** Base of the numbers in `hr:N`: as on the wire, or as many manuals count. */
export const addressings = ['zero', 'one'] as const;

/** Which function codes write. */
export const writeModes = ['auto', 'single', 'multiple', 'read-write'] as const;
export type WriteMode = (typeof writeModes)[number];

/** Bits of a register: as the protocol has it, or as flow computers do. */
export const registerSizes = [16, 32] as const;

/** In place of a unit id: all devices at once. */
export const broadcast = 'broadcast';

/** What a written text is filled up with. */
export const pads = ['nul', 'blank', 'ff'] as const;

/** How long a connection lasts. */
const connections = ['keep', 'per-scan', 'per-request'] as const;

const rtsModes = ['none', 'on', 'toggle', 'toggle-inverted'] as const;

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
  baudRate: { min: 50, max: 4_000_000 },
} as const;
type Range = { readonly min: number; readonly max: number };
/** Bounds of the keys that a device may set for itself. */
export const requestBounds: Readonly<Record<'maxGap' | 'maxRegisters' | 'maxBits', Range>> = bounds;
export const unitBounds: Range = bounds.unit;
export const lengthBounds: Range = bounds.length;
export const timeoutBounds: Range = bounds.timeout;

/** How many requests `inFlight: auto` tries, at most. */
const rampTo = 8;

const orderKey = (description: string): KeySchema['properties'][string] => ({
  type: 'string',
  enum: [...orderWords],
  description,
});
const choiceKey = (
  words: readonly string[],
  description: string,
  fallback?: string,
): KeySchema['properties'][string] => ({
  type: 'string',
  enum: [...words],
  description,
  ...(fallback === undefined ? {} : { default: fallback }),
});

export const linkSchema: KeySchema = {
  properties: {
    inFlight: {
      type: ['integer', 'string'],
      minimum: bounds.inFlight.min,
      maximum: bounds.inFlight.max,
      pattern: '^auto$',
      description:
        'Requests on the wire at the same time, 1 to 16, or auto: find out. Serial lines have one.',
      default: 1,
    },
    timeout: durationKey('Longest wait for an answer, without the time on the line.', '1s'),
    connectTimeout: durationKey('Longest wait for the connection.', '3s'),
    requestGap: durationKey(
      'Silence between an answer and the next request. Default: 0ms, on serial lines 3.5 characters.',
    ),
    maxGap: integerKey(
      'Unwanted registers between two tags that are read along to save a request; 0 if the device refuses reads across holes. Default: 2000, on serial lines as many as a request of its own would cost.',
      bounds.maxGap,
    ),
    maxRegisters: integerKey('Registers per request.', bounds.maxRegisters, 125),
    maxBits: integerKey('Coils or discrete inputs per request.', bounds.maxBits, 2_000),
    baudRate: integerKey(
      'Speed of the serial line behind a network converter, for its time budget. Default: unknown.',
      bounds.baudRate,
    ),
    rts: choiceKey(
      rtsModes,
      'What an RS-485 adapter without automatic direction control needs of RTS.',
      'none',
    ),
    anyUnit: {
      type: 'boolean',
      description: 'Take answers with another unit id than was asked; for a single odd device.',
      default: false,
    },
    anyTransaction: {
      type: 'boolean',
      description:
        'Take answers with another transaction id than was asked, for converters that count themselves. One request at a time then.',
      default: false,
    },
    surplus: {
      type: 'boolean',
      description: 'Take answers that have more bytes than they say, and leave those.',
      default: false,
    },
    connectDelay: durationKey(
      'Rest after the connection, before the first request: some devices hang up on who asks at once.',
      '0ms',
    ),
    connection: choiceKey(
      connections,
      'keep: one connection for all time. per-scan, per-request: closed after each, for devices that serve one at a time.',
      'keep',
    ),
  },
};

export const deviceSchema: KeySchema = {
  properties: {
    unit: {
      ...integerKey(
        'Unit id of the device; often 1 or 255 for a device that is alone. broadcast: all devices of the line, which take writes and answer nothing.',
        bounds.unit,
      ),
      type: ['integer', 'string'],
      pattern: `^${broadcast}$`,
    },
    byteOrder: {
      ...orderKey('Order of the bytes of a value; CDAB = low register first.'),
      default: 'ABCD',
    },
    addressing: choiceKey(
      addressings,
      'Is the first register hr:0 or hr:1? Numbers like 40001 always count from one.',
      'zero',
    ),
    table: choiceKey(
      tables,
      'Table of addresses that are bare numbers. Default: none, they are refused.',
    ),
    timeout: durationKey('Longest wait for an answer of this device. Default: that of the link.'),
    write: choiceKey(
      writeModes,
      'Function codes of writes: single (5, 6), multiple (15, 16), read-write (23), or auto: find out.',
      'auto',
    ),
    encoding: choiceKey(encodings, 'Of texts.', 'utf-8'),
    registerBits: {
      type: 'integer',
      enum: [...registerSizes],
      description:
        'Bits of one register: 32 where each address holds a whole value (Enron, Daniel), and one register is answered with four bytes.',
      default: 16,
    },
    oneTagPerRequest: {
      type: 'boolean',
      description: 'Ask for each tag alone, for devices that answer wrongly to more at once.',
      default: false,
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
        'hr:100, ir:5, co:3, di:7, hr:0x64; hr:110.3 = bit 3, hr:110.4-7 = bits; or 40101, 4x0101, "00003".',
    },
    byteOrder: orderKey('Order of the bytes of this value. Default: that of the device.'),
    length: integerKey(
      'Bytes of a string, two per register. Default: none; required for type string.',
      bounds.length,
    ),
    format: choiceKey(
      formats,
      'What the registers hold, where it is not plainly a number or text.',
      'plain',
    ),
    encoding: choiceKey(encodings, 'Of this text. Default: that of the device.'),
    pad: choiceKey(pads, 'What a written text is filled up with.', 'nul'),
    end: {
      type: ['integer', 'array'],
      description:
        'Bytes at which a text ends, beside NUL, like 0xFF or a list. Default: 0xFF where it is no character (utf-8, gbk).',
    },
    invalid: {
      type: ['integer', 'number', 'string', 'array'],
      description:
        'Raw values by which the device says that it has none, like 0x8000; of a bit, those of its register. Default: none but NaN.',
    },
    write: choiceKey(writeModes, 'As for the device. Default: that of the device.'),
    registerBits: {
      type: 'integer',
      enum: [...registerSizes],
      description: 'As for the device. Default: that of the device.',
    },
    scaleFrom: {
      type: ['string', 'object'],
      format: 'tag',
      description:
        'Where the scale of this value is (SunSpec): a tag of the same device, or the address of a register. Both are read by one request. Default: nowhere.',
    },
    scaleKind: choiceKey(scaleKinds, 'What scaleFrom holds.', 'power-of-ten'),
    raw: choiceKey(rawTypes, 'With scaleFrom: the type of what the registers hold.', 'int16'),
    together: {
      type: 'string',
      description:
        'Tags of a device with the same word here come from one request, or are bad together. Default: none.',
    },
    writeOnly: {
      type: 'boolean',
      description: 'It cannot be read: it is never polled, and a write is not read back.',
      default: false,
    },
  },
  required: ['address'],
};

/** Reads the link's keys; every problem at once. */
export function parseLink(link: Source, endpoint: Endpoint | undefined): Parsed<ModbusConfig> {
  const keys = new KeyReader(link);
  const transport = transportOf(endpoint?.scheme ?? 'tcp');
  const isTagged = transport.framing.hasIds;
  const behind = keys.has('baudRate') ? keys.integer('baudRate', bounds.baudRate) : undefined;
  if (behind !== undefined && endpoint?.serial)
    keys.problem('baudRate', 'a serial port has its speed in the endpoint', 'leave it out');
  const line = lineOf(endpoint, behind, transport);
  if (endpoint?.serial?.dataBits === 7 && transport.framing.name === 'rtu')
    keys.problem(
      'endpoint',
      'RTU needs 8 data bits',
      'write 8E1, or ascii+serial: for Modbus ASCII',
    );
  if (keys.raw('anyUnit') === true && !isTagged)
    keys.problem(
      'anyUnit',
      'on a line the unit id is all that tells devices apart',
      'leave it out',
    );
  for (const key of ['anyTransaction', 'surplus'] as const)
    if (keys.raw(key) === true && !isTagged)
      keys.problem(key, 'frames on a line have no ids and no length of their own', 'leave it out');
  const anyTransaction = keys.flag('anyTransaction', false);
  const auto = keys.raw('inFlight') === 'auto';
  const inFlight = auto ? rampTo : keys.integer('inFlight', bounds.inFlight, 1);
  if (inFlight > 1 && !auto && !isTagged)
    keys.problem(
      'inFlight',
      `${transport.framing.name.toUpperCase()} has no transaction ids: one request at a time`,
      'leave it out',
    );
  if (inFlight > 1 && anyTransaction)
    keys.problem(
      'inFlight',
      'with anyTransaction answers are told apart by their order: one request at a time',
      'leave it out',
    );
  const rts = keys.choice('rts', rtsModes, 'none');
  if (rts !== 'none' && endpoint && !endpoint.serial)
    keys.problem('rts', 'there is no serial port here', 'leave it out');
  return keys.finish({
    transport: transport.scheme,
    line,
    inFlight: isTagged && !anyTransaction ? inFlight : 1,
    ramp: auto && isTagged && !anyTransaction,
    timeout: keys.duration('timeout', bounds.timeout, ms(1_000)),
    connectTimeout: keys.duration('connectTimeout', bounds.timeout, ms(3_000)),
    requestGap: keys.duration(
      'requestGap',
      bounds.requestGap,
      ms(endpoint?.serial && line ? silenceMs(line) : 0),
    ),
    maxGap: keys.integer('maxGap', bounds.maxGap, line ? gapWorth(line, transport) : 2_000),
    maxRegisters: keys.integer('maxRegisters', bounds.maxRegisters, 125),
    maxBits: keys.integer('maxBits', bounds.maxBits, 2_000),
    rts,
    anyUnit: keys.flag('anyUnit', false),
    anyTransaction,
    surplus: keys.flag('surplus', false),
    connectDelay: keys.duration('connectDelay', bounds.requestGap, ms(0)),
    connection: keys.choice('connection', connections, 'keep'),
  });
}

function lineOf(
  endpoint: Endpoint | undefined,
  behind: number | undefined,
  { framing }: Transport,
): LineSpeed | undefined {
  const { serial } = endpoint ?? {};
  if (serial) {
    const { baudRate, dataBits, parity, stopBits } = serial;
    return { baudRate, bits: 1 + dataBits + (parity === 'none' ? 0 : 1) + stopBits };
  }
  // Behind a converter: eleven bits, as the specification of RTU wants, ten for ASCII.
  return behind === undefined
    ? undefined
    : { baudRate: behind, bits: framing.name === 'ascii' ? 10 : 11 };
}

/** Registers that take as long on the line as a request of its own. */
function gapWorth(line: LineSpeed, { overhead, perByte }: Transport): number {
  const request = overhead * characterMs(line) + 2 * silenceMs(line);
  return Math.floor(request / (2 * perByte * characterMs(line)));
}

export function limits(config: ModbusConfig): DriverLimits {
  return {
    inFlight: config.inFlight,
    ramp: config.ramp,
    connectTimeout: config.connectTimeout,
    connectDelay: config.connectDelay,
    ...(config.connection === 'per-scan' ? { closesAfter: 'scan' } : {}),
    ...(config.connection === 'per-request' ? { closesAfter: 'request' } : {}),
    requestTimeout: config.timeout,
    requestGap: config.requestGap,
    // Answers are matched by transaction id, or told apart by their length: rules prove it. Where neither
    // can be, what is still to come must not be taken for the next answer.
    afterTimeout: config.anyTransaction ? 'reconnect' : 'continue',
    // A port that is back after an adapter was plugged in again is not spared by waiting.
    ...(transportOf(config.transport).serial ? { backoffMax: ms(2_000) } : {}),
  };
}
