/**
 * Pieces of which drivers are made. The gateway requires none of them.
 *
 * @module millrace/driver-kit
 */
export * from './abort.js';
export * from './fake-wire.js';
export * from './keys.js';
export * from './lines.js';
export * from './remembered.js';
