import type { Clock, Driver, GatewayError, Log } from '../contract/index.js';
import { asGatewayError, mono } from '../contract/index.js';
import { limits } from '../limits.js';
import type { Streams } from './streams.js';

export interface ConnectionOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Closing failed, perhaps long after the driver was left behind. */
  onLate: (why: GatewayError) => void;
}

/** A driver, which lives for one connection, and the streams that it has opened. */
export class Connection {
  readonly driver: Driver;
  readonly #streams: Streams;
  readonly #o: ConnectionOptions;

  constructor(driver: Driver, streams: Streams, options: ConnectionOptions) {
    this.driver = driver;
    this.#streams = streams;
    this.#o = options;
  }

  /**
   * Closes the driver, and what it leaves open. A driver that cannot close is left behind: it must hold up neither a
   * reload nor the end.
   * @param why see {@link Driver.close}
   */
  close(why?: GatewayError): Promise<void> {
    const { clock, log } = this.#o;
    return new Promise((resolve) => {
      const isOver = (): void => {
        const left = this.#streams.close();
        if (left > 0) log.warn('a driver left connections open', { count: left });
        resolve();
      };
      const limit = clock.at(mono(clock.mono() + limits.closeMs), () => {
        log.warn('a driver does not close');
        isOver();
      });
      void this.#closeDriver(why).finally(() => {
        limit.cancel();
        isOver();
      });
    });
  }

  async #closeDriver(why: GatewayError | undefined): Promise<void> {
    try {
      await this.driver.close(why);
    } catch (late) {
      const error = asGatewayError(late);
      this.#o.log.warn('closing a driver failed', { why: error.message });
      this.#o.onLate(error);
    }
  }
}
