/**
 * Quality of a value, one byte: the level in the two upper bits, the reason below.
 * Stored in Uint8Arrays; compare levels with the functions, never with `<`.
 */
export const Quality = {
  /** The device held this value when it was asked. */
  good: 0x00,
  /** Set by a person in place of the device's value; visible as such everywhere. */
  forced: 0x01,
  /** The last value before the link was lost, kept on purpose. */
  lastKnown: 0x40,
  /** A start value that no device has confirmed. */
  initial: 0x41,
  /** Outside the range of the instrument, as the device says; on which side is not known. */
  outOfRange: 0x42,
  /** Made by a simulation or a fallback, not measured. */
  substituted: 0x43,
  /** Computed from inputs, at least one of them uncertain. */
  derived: 0x44,
  /** The device says that its sensor is at a limit or out of calibration. */
  inaccurate: 0x45,
  /** The device has fewer good sources for this value than required. */
  subNormal: 0x46,
  /** The device doubts the value for another reason. */
  doubtful: 0x47,
  /** A rule doubts it, although the device does not. */
  suspect: 0x48,
  /** The response cannot be distinguished from foreign frames on the line. */
  foreign: 0x49,
  /** Beyond the upper end of the instrument: the true value is this one or more. */
  aboveRange: 0x60,
  /** Beyond the lower end of the instrument: the true value is this one or less. */
  belowRange: 0x61,
  /** Of a truth value: certainly true, although derived from a value beyond its range. */
  surely: 0x62,
  /** Outside the span, within the measuring reserve of the instrument (NAMUR NE 43). */
  inReserve: 0x70,
  /** Computed over a window that is not full yet. */
  young: 0x71,
  /** From the substitute source of a rule. */
  fallback: 0x72,
  /** Follows from the good inputs, although another one is bad. */
  degraded: 0x73,
  /** The link is down. */
  notConnected: 0x80,
  /** The device did not answer in time. */
  timeout: 0x81,
  /** The device answered with an error. */
  device: 0x82,
  /** The configuration of the tag cannot be served. */
  configuration: 0x83,
  /** No fresh value for longer than the tag's `stale` time. */
  stale: 0x84,
  /** The bytes do not make a value of the tag's type. */
  decode: 0x85,
  /** A defect of the gateway or of a driver. */
  internal: 0x86,
  /** Not read yet since start. */
  waiting: 0x87,
  /** Computed from inputs, at least one of them bad. */
  input: 0x88,
  /** The device says that the sensor has failed. */
  sensorFailure: 0x89,
  /** The device says that a part of it, or its own source, has failed. */
  deviceFailure: 0x8a,
  /** The device says that the source is out of service. */
  outOfService: 0x8b,
  /** The device does not permit reading the value. */
  denied: 0x8c,
} as const;

export type QualityName = keyof typeof Quality;
/** One of the values of {@link Quality}. */
export type QualityCode = (typeof Quality)[QualityName];
export type QualityLevel = 'good' | 'uncertain' | 'bad';

export function isGood(quality: number): boolean {
  return quality < 0x40;
}
export function isUncertain(quality: number): boolean {
  return quality >= 0x40 && quality < 0x80;
}
export function isBad(quality: number): boolean {
  return quality >= 0x80;
}
/** Good, or uncertain in a way in which a rule may rely on the value: zero drift, a young window, a fallback. */
export function isSound(quality: number): boolean {
  return quality < 0x40 || (quality & 0xf0) === 0x70;
}
/** The value is a bound of the true one, {@link Quality.aboveRange} or {@link Quality.belowRange}. */
export function isOneSided(quality: number): boolean {
  return quality === Quality.aboveRange || quality === Quality.belowRange;
}
export function qualityLevel(quality: number): QualityLevel {
  return quality < 0x40 ? 'good' : quality < 0x80 ? 'uncertain' : 'bad';
}

const words: readonly (readonly [number, string])[] = [
  [Quality.good, 'measured'],
  [Quality.forced, 'forced'],
  [Quality.lastKnown, 'last-known'],
  [Quality.initial, 'initial'],
  [Quality.outOfRange, 'out-of-range'],
  [Quality.substituted, 'substituted'],
  [Quality.derived, 'derived'],
  [Quality.inaccurate, 'inaccurate'],
  [Quality.subNormal, 'sub-normal'],
  [Quality.doubtful, 'doubtful'],
  [Quality.suspect, 'suspect'],
  [Quality.foreign, 'foreign-frames'],
  [Quality.aboveRange, 'out-of-range'],
  [Quality.belowRange, 'out-of-range'],
  [Quality.surely, 'out-of-range'],
  [Quality.inReserve, 'out-of-range'],
  [Quality.young, 'young'],
  [Quality.fallback, 'substituted'],
  [Quality.degraded, 'derived'],
  [Quality.notConnected, 'not-connected'],
  [Quality.timeout, 'timeout'],
  [Quality.device, 'device'],
  [Quality.configuration, 'configuration'],
  [Quality.stale, 'stale'],
  [Quality.decode, 'decode'],
  [Quality.internal, 'internal'],
  [Quality.waiting, 'waiting'],
  [Quality.input, 'input'],
  [Quality.sensorFailure, 'sensor-failure'],
  [Quality.deviceFailure, 'device-failure'],
  [Quality.outOfService, 'out-of-service'],
  [Quality.denied, 'denied'],
];
const reasons = new Map<number, string>(words);

/** The reason as a word of the topics and the command line: `timeout`, `out-of-range` … */
export function qualityReason(quality: number): string {
  return reasons.get(quality) ?? 'internal';
}

const sides: ReadonlyMap<number, string> = new Map([
  [Quality.aboveRange, ', high'],
  [Quality.belowRange, ', low'],
]);

/** `good`, `uncertain (substituted)`, `uncertain (out-of-range, high)`, `bad (timeout)`. */
export function qualityText(quality: number): string {
  if (quality === Quality.good) return 'good';
  return `${qualityLevel(quality)} (${qualityReason(quality)}${sides.get(quality) ?? ''})`;
}
