import { GatewayError, parseDuration } from '../contract/index.js';
import { limits } from '../limits.js';

/** Arguments of a request on the control socket: whatever somebody sent. */
export type Args = Readonly<Record<string, unknown>>;

/** A text that may be left out. */
export function optionalText(args: Args, key: string): string | undefined {
  const value = args[key];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw refusal(`${key} must be a text`);
  // It is recorded, and looked up among many names.
  if (value.length > limits.controlText)
    throw refusal(`${key} is longer than ${limits.controlText} characters`);
  return value;
}

export function requiredText(args: Args, key: string): string {
  const value = optionalText(args, key);
  if (value === undefined) throw refusal(`${key} is missing`);
  return value;
}

/** A number that may be left out. */
export function numberOr(args: Args, key: string, fallback: number): number {
  const value = args[key] ?? fallback;
  if (typeof value !== 'number') throw refusal(`${key} must be a number`);
  return value;
}

export function requiredDuration(args: Args, key: string): number {
  const typed = requiredText(args, key);
  const found = parseDuration(typed);
  if (found === undefined) throw refusal(`${key}: ${typed} is no time`);
  return found;
}

/** A value from outside, short enough for a message. */
export function briefly(value: unknown): string {
  if (typeof value !== 'object' || value === null) {
    const text = value === undefined ? 'nothing' : JSON.stringify(value);
    return text.length > 60 ? `${text.slice(0, 57)}...` : text;
  }
  return Array.isArray(value) ? 'a list' : 'an object';
}

function refusal(message: string): GatewayError {
  return new GatewayError('bad-request', message);
}
