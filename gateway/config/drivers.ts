import type { ValidateFunction } from 'ajv';
import {
  asGatewayError,
  type DriverModule,
  type GatewayError,
  type Parsed,
  type Problem,
} from '../contract/index.js';
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

/** With what a driver is asked. */
export interface Asking {
  readonly session: Session;
  readonly secrets: Secrets;
}

/**
 * What a driver makes of keys; undefined when it has problems with them, which are placed, or fails, which is
 * one too.
 * @param what what it is asked about, standing at `ref`
 * @param place where a problem with this path stands
 */
export function madeBy<T>(
  asking: Asking,
  driver: DriverModule,
  what: 'link' | 'device' | 'tag',
  ref: Ref,
  make: () => Parsed<T>,
  place: (path: Path) => Ref = (path) => ref.descend(path),
): { readonly value: T } | undefined {
  const result = answerOf(asking, driver, what, ref, make);
  if (!result) return undefined;
  if (result.value.ok) return { value: result.value.value };
  report(asking.session, asking.secrets, result.value.problems, place);
  return undefined;
}

/** What a driver answers; undefined when it fails, which is a problem at `ref`. */
export function answerOf<T>(
  asking: Asking,
  driver: DriverModule,
  what: 'link' | 'device' | 'tag',
  ref: Ref,
  ask: () => T,
): { readonly value: T } | undefined {
  try {
    return { value: ask() };
  } catch (thrown) {
    failed(asking, driver, what, ref, asGatewayError(thrown));
    return undefined;
  }
}

/** Drivers that are not there to be asked: said once, and not for each tag. */
const absent = new WeakMap<Session, Set<string>>();

function failed(
  { session, secrets }: Asking,
  { name }: DriverModule,
  what: string,
  ref: Ref,
  { code, message }: GatewayError,
): void {
  if (code === 'driver-died') {
    const said = absent.get(session) ?? new Set();
    absent.set(session, said);
    if (said.has(message)) return;
    said.add(message);
  }
  // What a driver throws may hold what it was given.
  const why = secrets.isShownIn(message) ? '' : `: ${message}`;
  session.problems.errorAtKey(
    ref,
    `the driver ${name} failed on this ${what}${why}`,
    'this is a defect of the driver, not of the configuration',
  );
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
