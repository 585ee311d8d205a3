import { type DestinationStream, type Logger, pino } from 'pino';
import type { Clock, ErrorFields, Log } from '../contract/index.js';
import { limits } from '../limits.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/**
 * JSON lines through pino, bounded: beyond `limits.logLinesPerMinute` (errors: `logErrorsPerMinute`) lines of a level are counted,
 * and the count is logged when the minute is over. No level pushes out another.
 */
export function pinoLog(level: LogLevel, clock: Clock, to: DestinationStream): Log {
  const logger = pino(
    { level, base: null, timestamp: () => `,"time":${String(clock.wall())}` },
    to,
  );
  const budget = (most: number): LineBudget => new LineBudget(clock, logger, most);
  const budgets = {
    debug: budget(limits.logLinesPerMinute),
    info: budget(limits.logLinesPerMinute),
    warn: budget(limits.logLinesPerMinute),
    error: budget(limits.logErrorsPerMinute),
  };
  return new BoundedLog(logger, budgets);
}

class LineBudget {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #most: number;
  #minute = -1;
  #lines = 0;
  #dropped = 0;

  constructor(clock: Clock, logger: Logger, most: number) {
    this.#clock = clock;
    this.#logger = logger;
    this.#most = most;
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
    if (this.#lines <= this.#most) return true;
    this.#dropped++;
    return false;
  }
}

type Budgets = Readonly<Record<LogLevel, LineBudget>>;

class BoundedLog implements Log {
  readonly #logger: Logger;
  readonly #budgets: Budgets;

  constructor(logger: Logger, budgets: Budgets) {
    this.#logger = logger;
    this.#budgets = budgets;
  }

  debug(message: string, fields: ErrorFields = {}): void {
    if (this.#logger.isLevelEnabled('debug') && this.#budgets.debug.take())
      this.#logger.debug(fields, message);
  }
  info(message: string, fields: ErrorFields = {}): void {
    if (this.#budgets.info.take()) this.#logger.info(fields, message);
  }
  warn(message: string, fields: ErrorFields = {}): void {
    if (this.#budgets.warn.take()) this.#logger.warn(fields, message);
  }
  error(message: string, fields: ErrorFields = {}): void {
    if (this.#budgets.error.take()) this.#logger.error(fields, message);
  }
  child(fields: ErrorFields): Log {
    return new BoundedLog(this.#logger.child(fields), this.#budgets);
  }
}
