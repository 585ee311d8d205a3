import type { ValidateFunction } from 'ajv';
import { asGatewayError, type DriverModule, type Problem } from '../contract/index.js';
import { withDriver } from './keys-link.js';
import type { Secrets } from './secrets.js';
import type { Session } from './session.js';
import type { Path, Ref } from './tree.js';
import { driverCheckOf } from './validate.js';

/** Compiled checks of a driver's links, devices and tags, our keys included. */
export interface DriverChecks {
  readonly link: ValidateFunction;
  readonly device: ValidateFunction;
  readonly tag: ValidateFunction;
}

const compiled = new WeakMap<DriverModule, DriverChecks>();

/** Undefined, with a problem at `driver:`, when the driver's own schema is wrong. */
export function checksOf(
  session: Session,
  link: Ref,
  driver: DriverModule,
): DriverChecks | undefined {
  const known = compiled.get(driver);
  if (known) return known;
  try {
    const checks = {
      link: driverCheckOf(withDriver('link', driver)),
      device: driverCheckOf(withDriver('device', driver)),
      tag: driverCheckOf(withDriver('tag', driver)),
    };
    compiled.set(driver, checks);
    return checks;
  } catch (thrown) {
    const { message } = asGatewayError(thrown);
    session.problems.error(
      link.child('driver'),
      `the schema of the driver is wrong: ${message}`,
      'this is a defect of the driver, not of the configuration',
    );
    return undefined;
  }
}

/** Places what a driver found; what the schema has said of the same key is not said again. */
export function report(
  session: Session,
  secrets: Secrets,
  found: readonly Problem[],
  place: (path: Path) => Ref,
): void {
  for (const { path, message, hint } of found) {
    const ref = place(path);
    if (session.problems.hasErrorAt(ref)) continue;
    if (secrets.isShownIn(`${message}\n${hint ?? ''}`))
      session.problems.error(ref, 'the driver refuses this value', 'a secret in it is not shown');
    else session.problems.error(ref, message, hint);
  }
}
