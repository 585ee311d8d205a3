import { errorCodes, type ErrorCode, type ErrorKind } from './codes.js';

export type ErrorFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** The only error class of the gateway. `kind` decides the reaction, `code` is stable and documented. */
export class GatewayError extends Error {
  override readonly name: string = 'GatewayError';
  readonly code: ErrorCode;
  readonly fields: ErrorFields;

  constructor(code: ErrorCode, message: string, fields: ErrorFields = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.fields = fields;
  }

  get kind(): ErrorKind {
    return errorCodes[this.code][0];
  }

  /** Advice for the reader: from `fields.hint` if it is more specific than the advice of the code. */
  get advice(): string {
    const { hint } = this.fields;
    return typeof hint === 'string' ? hint : errorCodes[this.code][1];
  }
}

/**
 * Converts anything thrown to a GatewayError; any other exception is a bug. A GatewayError of another copy of this
 * package, which a driver may include, counts as well.
 */
export function asGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  if (thrown instanceof Error && thrown.name === 'GatewayError' && 'code' in thrown) {
    const { code } = thrown;
    if (typeof code === 'string' && Object.hasOwn(errorCodes, code))
      return new GatewayError(code as ErrorCode, thrown.message, {}, thrown);
  }
  return new GatewayError('internal', textOf(thrown), {}, thrown);
}

/** An error on its way to another thread or process, which keeps neither its class nor its kind. */
export interface PlainError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly fields: ErrorFields;
}
/** Anything thrown, as plain data. */
export function plainErrorOf(thrown: unknown): PlainError {
  const { code, message, fields } = asGatewayError(thrown);
  return { code, message, fields };
}
/** The error that plain data came from. */
export function errorOf({ code, message, fields }: PlainError): GatewayError {
  return new GatewayError(code, message, fields);
}

/** The same, as a failure of a driver unless it says otherwise; `what` failed, such as `read of the driver scale`. */
export function asDriverFailure(thrown: unknown, what: string): GatewayError {
  const error = asGatewayError(thrown);
  if (error.code !== 'internal') return error;
  return new GatewayError('driver-failed', `${what}: ${error.message}`, error.fields, thrown);
}

/** Calls a handler of a driver: an exception or rejection affects only its link. */
export function callHandler(handler: () => unknown, onTrouble: (why: GatewayError) => void): void {
  const failed = (thrown: unknown): void =>
    onTrouble(asDriverFailure(thrown, 'a handler of the driver'));
  try {
    const result = handler();
    // An asynchronous handler fits the type, and nobody else hears how it ends.
    if (result instanceof Promise) result.catch(failed);
  } catch (thrown) {
    failed(thrown);
  }
}

/** An object without a prototype cannot be made a text. */
function textOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? thrown.message : String(thrown);
  } catch {
    return 'something that is no error was thrown';
  }
}

/** Asserts a promise of our own code: stop rather than continue with wrong data. */
export function invariant(holds: boolean, what: string): asserts holds {
  if (!holds) throw new GatewayError('internal', `invariant broken: ${what}`);
}
