/**
 * `millrace/contract`: what a driver outside this repository uses. These names are stable: `docs/api` has their report, and
 * says how they may change. The rest of this folder serves the gateway and the rules, and may change at any time.
 *
 * @module millrace/contract
 */
export { Batch } from './batch.js';
export { errorCodes, type ErrorCode, type ErrorKind } from './codes.js';
export { AgedRows, SampleRows, type ToldValue } from './columns.js';
export type { DeviceCondition, DeviceEvent, EventSink, EventTerms } from './device-events.js';
export {
  driverContract,
  type ByteStream,
  type CreateIsolated,
  type DeviceOutcome,
  type Driver,
  type DriverContext,
  type DriverEvent,
  type DriverLimits,
  type DriverModule,
  type Endpoint,
  type Inspection,
  type Isolated,
  type IsolatedContext,
  type KeySchema,
  type Parsed,
  type Problem,
  type ReadGroup,
  type ReadOutcome,
  type RtsMode,
  type SchemeKind,
  type SerialFormat,
  type SerialLine,
  type Source,
  type TagBinding,
  type TlsMaterial,
} from './driver.js';
export { parseEndpoint } from './endpoint.js';
export { GatewayError, type ErrorFields } from './errors.js';
export { groupBy } from './group-by.js';
export { silentLog, type Log } from './log.js';
export {
  isBad,
  isGood,
  isUncertain,
  Quality,
  qualityLevel,
  qualityReason,
  qualityText,
  type QualityCode,
  type QualityLevel,
  type QualityName,
} from './quality.js';
export type { Alive, Samples, Subscribed, SubscriptionSink } from './subscription.js';
export type { DeviceSurvey, FoundTag, SurveyDevice, SurveyedTag } from './survey.js';
export {
  formatDuration,
  mono,
  ms,
  parseDuration,
  wall,
  type DurationMs,
  type MonoMs,
  type Random,
  type WallMs,
} from './time.js';
export {
  integerRanges,
  isWide,
  tagTypes,
  type IntegerType,
  type TagType,
  type Value,
} from './value.js';
