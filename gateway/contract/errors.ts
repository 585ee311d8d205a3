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

  /** What the reader can do about it. */
  get advice(): string {
    return errorCodes[this.code][1];
  }
}

/** Anything thrown, as a GatewayError; what is not one already is a bug. */
export function asGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new GatewayError('internal', message, {}, thrown);
}

/** A broken promise of our own code: stop rather than go on with wrong data. */
export function invariant(holds: boolean, what: string): asserts holds {
  if (!holds) throw new GatewayError('internal', `invariant broken: ${what}`);
}
