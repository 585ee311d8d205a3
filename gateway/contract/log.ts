import type { ErrorFields } from './errors.js';

/**
 * Levels by what an operator must do: `warn` = unexpected, nothing lost; `error` = data lost or
 * somebody must act. `debug` may hold frame bytes. Never a secret.
 */
export interface Log {
  debug: (message: string, fields?: ErrorFields) => void;
  info: (message: string, fields?: ErrorFields) => void;
  warn: (message: string, fields?: ErrorFields) => void;
  error: (message: string, fields?: ErrorFields) => void;
  /** A log whose every line carries these fields. */
  child: (fields: ErrorFields) => Log;
}

const drop = (): void => undefined;
/** A log that goes nowhere. */
export const silentLog: Log = {
  debug: drop,
  info: drop,
  warn: drop,
  error: drop,
  child: () => silentLog,
};
