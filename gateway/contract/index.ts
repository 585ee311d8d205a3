/** The public API of the gateway for drivers and rules. Imports nothing outside this folder. */
export * from './batch.js';
export * from './codes.js';
export * from './columns.js';
export * from './device-events.js';
export * from './driver.js';
export * from './endpoint.js';
export * from './engine.js';
export * from './errors.js';
export * from './group-by.js';
export * from './image.js';
export * from './log.js';
export * from './quality.js';
export * from './rules.js';
export * from './subscription.js';
export * from './survey.js';
export * from './time.js';
export * from './value.js';
