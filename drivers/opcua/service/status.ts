import { Quality, type QualityCode } from '../../../gateway/contract/index.js';

/**
 * Status codes that servers put on values, as our qualities (OPC 10000-4 table 177, 10000-8 table A.2).
 * The code without its low half, where flags stand: limits, overflow, changed semantics.
 */
export const qualities: ReadonlyMap<number, QualityCode> = new Map<number, QualityCode>([
  [0x0096, Quality.forced], // GoodLocalOverride
  [0x4090, Quality.lastKnown], // UncertainLastUsableValue
  [0x4091, Quality.substituted], // UncertainSubstituteValue
  [0x4092, Quality.initial], // UncertainInitialValue
  [0x4093, Quality.inaccurate], // UncertainSensorNotAccurate
  [0x4094, Quality.outOfRange], // UncertainEngineeringUnitsExceeded
  [0x4095, Quality.subNormal], // UncertainSubNormal
  [0x408f, Quality.lastKnown], // UncertainNoCommunicationLastUsableValue
  [0x800a, Quality.timeout], // BadTimeout
  [0x800d, Quality.notConnected], // BadServerNotConnected
  [0x801f, Quality.denied], // BadUserAccessDenied
  [0x8031, Quality.deviceFailure], // BadNoCommunication
  [0x8032, Quality.waiting], // BadWaitingForInitialData
  [0x8033, Quality.configuration], // BadNodeIdInvalid
  [0x8034, Quality.configuration], // BadNodeIdUnknown
  [0x8035, Quality.configuration], // BadAttributeIdInvalid
  [0x8036, Quality.configuration], // BadIndexRangeInvalid
  [0x8037, Quality.configuration], // BadIndexRangeNoData
  [0x803a, Quality.denied], // BadNotReadable
  [0x803d, Quality.configuration], // BadNotSupported
  [0x806f, Quality.configuration], // BadNoMatch
  [0x8074, Quality.configuration], // BadTypeMismatch
  [0x8089, Quality.configuration], // BadConfigurationError
  [0x808a, Quality.deviceFailure], // BadNotConnected
  [0x808b, Quality.deviceFailure], // BadDeviceFailure
  [0x808c, Quality.sensorFailure], // BadSensorFailure
  [0x808d, Quality.outOfService], // BadOutOfService
]);

/** A value of these qualities is measured now: with a limit bit the truth lies at it or beyond. */
const sided: ReadonlySet<QualityCode> = new Set([
  Quality.good,
  Quality.outOfRange,
  Quality.inaccurate,
  Quality.doubtful,
]);

/**
 * The quality of a value with this status code; codes that are not in the table keep their level. A value at a limit of
 * its sensor (limit bits, OPC 10000-4 table 175) is a bound: the measured quantity may be further out.
 */
export function qualityOf(status: number): QualityCode {
  const quality = plainQualityOf(status);
  if (!sided.has(quality)) return quality;
  return sides[limitOf(status)] ?? quality;
}

/** By the limit bits: none, low, high; a constant value (both) has no side. */
const sides: readonly (QualityCode | undefined)[] = [
  undefined,
  Quality.belowRange,
  Quality.aboveRange,
];

/** The limit bits mean something only where the info type says that they are of a data value. */
function limitOf(status: number): number {
  return ((status >>> 10) & 3) === 1 ? (status >>> 8) & 3 : 0;
}

function plainQualityOf(status: number): QualityCode {
  const known = qualities.get(status >>> 16);
  if (known !== undefined) return known;
  if (status >>> 30 === 0) return Quality.good;
  return status >>> 30 === 1 ? Quality.doubtful : Quality.device;
}

/** The server will not give this value, now or later, unless somebody changes something. */
export function isRefusal(status: { readonly value: number } | undefined): boolean {
  if (!status || !isBad(status.value)) return false;
  const quality = qualityOf(status.value);
  return quality === Quality.configuration || quality === Quality.denied;
}

/** The server could not keep all samples between two notifications (overflow bit of a data value). */
export function hasOverflow(status: number): boolean {
  return (status & 0x0480) === 0x0480;
}

export function isBad(status: number): boolean {
  return status >>> 31 === 1;
}
