import { type PlainError } from '../contract/index.js';
import type { DriverFacts } from './driver-facts.js';

/** What goes between the thread that a driver's module is read in and its host: plain data, copied. */

/** Given to the thread at its start. */
export interface ReaderData {
  /** URL of the driver's module. */
  readonly entry: string;
  /** Shared: 1 once the answer is on its way. The host sleeps on it. */
  readonly answered: Int32Array;
}

/** One question to the module; the host waits for its answer. */
export interface Question {
  readonly fn: string;
  readonly args: readonly unknown[];
}
export type Answer =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly why: PlainError };

/** What the thread says by itself. */
export type FromReader =
  | { readonly kind: 'loaded'; readonly facts: DriverFacts }
  | { readonly kind: 'refused'; readonly why: PlainError }
  | { readonly kind: 'printed'; readonly text: string };
