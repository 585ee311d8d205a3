import { type DestinationStream, type Logger, pino } from 'pino';
import type { Clock, ErrorFields, Log } from '../contract/index.js';
import { limits } from '../limits.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/**
 * JSON lines through pino, bounded: beyond `limits.logLinesPerMinute` lines are counted, and the count is
 * logged when the minute is over.
 */
export function pinoLog(level: LogLevel, clock: Clock, to: DestinationStream): Log {
  const logger = pino(
    { level, base: null, timestamp: () => `,"time":${String(clock.wall())}` },
    to,
  );
  return new BoundedLog(logger, new LineBudget(clock, logger));
}

class LineBudget {
  readonly #clock: Clock;
  readonly #logger: Logger;
  #minute = -1;
  #lines = 0;
  #dropped = 0;

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  take(): boolean {
    const minute = Math.floor(this.#clock.mono() / 60_000);
    if (minute !== this.#minute) {
      if (this.#dropped > 0) this.#logger.warn({ lines: this.#dropped }, 'log lines were dropped');
      this.#minute = minute;
      this.#lines = 0;
      this.#dropped = 0;
    }
    this.#lines++;
    if (this.#lines <= limits.logLinesPerMinute) return true;
    this.#dropped++;
    return false;
  }
}

class BoundedLog implements Log {
  readonly #logger: Logger;
  readonly #budget: LineBudget;

  constructor(logger: Logger, budget: LineBudget) {
    this.#logger = logger;
    this.#budget = budget;
  }

  debug(message: string, fields: ErrorFields = {}): void {
    if (this.#logger.isLevelEnabled('debug') && this.#budget.take())
      this.#logger.debug(fields, message);
  }
  info(message: string, fields: ErrorFields = {}): void {
    if (this.#budget.take()) this.#logger.info(fields, message);
  }
  warn(message: string, fields: ErrorFields = {}): void {
    if (this.#budget.take()) this.#logger.warn(fields, message);
  }
  /** Never dropped: somebody must act. */
  error(message: string, fields: ErrorFields = {}): void {
    this.#logger.error(fields, message);
  }
  child(fields: ErrorFields): Log {
    return new BoundedLog(this.#logger.child(fields), this.#budget);
  }
}
