import type { LinkDriver } from '../config/model.js';
import type { DriverLimits, GatewayError } from '../contract/index.js';
import { asGatewayError } from '../contract/index.js';

/** Where it is reported that a driver's module fails. */
export interface Failures {
  /** The link cannot go on: called in the middle of what the link does. */
  onTrouble: (error: GatewayError) => void;
  /** The link goes on without. */
  onWarning: (error: GatewayError) => void;
}

/**
 * A module as a running link asks it: from timers, callbacks and the tick, where what it throws would end the gateway.
 * Without a plan there is nothing to read, and its link is in trouble.
 */
export function tamed(
  module: LinkDriver,
  { requestTimeout }: Pick<DriverLimits, 'requestTimeout'>,
  failures: Failures,
): LinkDriver {
  const onTrouble = (error: GatewayError): void => failures.onTrouble(error);
  const onWarning = (error: GatewayError): void => failures.onWarning(error);
  const attempt = <T>(ask: () => T, instead: T, report: (error: GatewayError) => void): T => {
    try {
      return ask();
    } catch (thrown) {
      report(asGatewayError(thrown));
      return instead;
    }
  };
  return {
    ...module,
    plan: (...about) => attempt(() => module.plan(...about), [], onTrouble),
    ...(module.subscribed && {
      subscribed: (...about) => attempt(() => module.subscribed?.(...about), undefined, onTrouble),
    }),
    // A write that a trip asks for does not wait for a driver to be mended: the link's own time-out counts.
    ...(module.writeTimeout && {
      writeTimeout: (config, tag) =>
        attempt(
          () => module.writeTimeout?.(config, tag) ?? requestTimeout,
          requestTimeout,
          onWarning,
        ),
    }),
  };
}
