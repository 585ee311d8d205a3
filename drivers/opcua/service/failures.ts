import { asGatewayError, GatewayError, type ErrorCode } from '../../../gateway/contract/index.js';

/** What the library's messages mean, first match counts: it has no error codes of its own. */
const meanings: readonly (readonly [RegExp, ErrorCode, string])[] = [
  [
    /hadError ?true|ended by server|disconnected by third party|ECONNRESET/,
    'link-closed',
    'the server broke the connection off',
  ],
  // Nothing says by whom: the library itself cuts one on which it cannot go on.
  [/Connection Break/, 'link-closed', 'the connection broke'],
  [
    /BadIdentityToken|BadUserAccessDenied|BadUserSignature|BadNoValidLicense/,
    'auth-failed',
    'the server refuses the user',
  ],
  [
    /BadCertificate|Certificate verification failed|certificate/i,
    'certificate-refused',
    'a certificate was refused',
  ],
  [
    /BadSecurityChecksFailed|BadSecurityPolicyRejected|BadSecurityModeRejected/,
    'certificate-refused',
    'the server refuses us: does it trust our certificate?',
  ],
  [
    /BadTooManyOperations|BadEncodingLimitsExceeded|BadRequestTooLarge|BadResponseTooLarge/,
    'device-refused',
    'the server does not take so much at once',
  ],
  [/BadTooMany(Sessions|Subscriptions|MonitoredItems)/, 'device-busy', 'the server is full'],
  [
    /BadSession|BadNoSubscription|BadSubscriptionIdInvalid/,
    'link-closed',
    'the session is no more',
  ],
  [/ECONNREFUSED/, 'link-refused', 'nobody listens there'],
  [
    /ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT/,
    'link-unreachable',
    'the server cannot be reached',
  ],
  [
    /BadTcpEndpointUrlInvalid|BadServerUriInvalid/,
    'link-refused',
    'the server does not know this URL',
  ],
  [
    /BadServiceUnsupported|BadNotSupported|BadNotImplemented|BadHistoryOperationUnsupported/,
    'device-refused',
    'the server does not offer this',
  ],
  [/timed out|\btimeout\b|BadTimeout|BadRequestTimeout/i, 'request-timeout', 'no answer in time'],
  [
    /BadDecodingError|BadEncodingError|BadTcpMessage|BadUnexpectedError|premature/,
    'bad-frame',
    'the answer cannot be read',
  ],
  // What the library says of an answer that is none to this request.
  [/^internal error$/i, 'bad-frame', 'the answer is that of another service'],
];

/** An error of the library with a code of ours. */
export function failureOf(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const [, code, meaning] = meanings.find(([pattern]) => pattern.test(text)) ?? [];
  return new GatewayError(
    code ?? 'link-closed',
    meaning === undefined ? firstLine(text) : `${meaning} (${firstLine(text)})`,
    {},
    thrown,
  );
}

/** By these a server says that it knows the session, the subscription or the channel no more. */
const ends =
  /^Bad(Session(IdInvalid|Closed|NotActivated)|SecureChannel|SecurityChecksFailed|Tcp|Connection(Closed|Rejected)|ServerHalted|Shutdown|NoSubscription$|SubscriptionIdInvalid)/;

/**
 * Why a service failed within a session. Where the server has answered, the connection is well, whatever it answered:
 * only that the session is no more is about more than this request.
 */
export function faultOf(thrown: unknown): GatewayError {
  const code = faultCodeOf(thrown);
  if (code === undefined) return failureOf(thrown);
  if (ends.test(code))
    return new GatewayError('link-closed', `the session is no more (${code})`, {}, thrown);
  const said = failureOf(thrown);
  if (isAnswer(said)) return said;
  return new GatewayError('device-refused', `the server refuses it (${code})`, {}, thrown);
}

/** The server has answered, only not as it was asked: the connection is well. */
export function isAnswer({ kind }: GatewayError): boolean {
  return kind === 'device' || kind === 'protocol';
}

/** What a service within a session gave, or what the server answered in its place. Rejects where it did not answer. */
export async function orAnswer<T>(call: Promise<T>): Promise<T | GatewayError> {
  try {
    return await call;
  } catch (thrown) {
    const why = asGatewayError(thrown);
    if (!isAnswer(why)) throw why;
    return why;
  }
}

/** The name of the status that the server answered the whole request with; undefined: it did not answer. */
function faultCodeOf(thrown: unknown): string | undefined {
  interface Fault {
    readonly response?: {
      readonly responseHeader?: { readonly serviceResult?: { name?: string } };
    };
  }
  return (thrown as Fault | undefined)?.response?.responseHeader?.serviceResult?.name;
}

/** Every rejection of a service within a session is a GatewayError. */
export async function guarded<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (thrown) {
    throw faultOf(thrown);
  }
}

/** The library wraps what happened into sentences; `Err = (…)` is what did. */
function firstLine(text: string): string {
  const inner = /Err = \((?:Error: )?([^\n]+?)\)\s*$/m.exec(text)?.[1] ?? text;
  const line = inner.trim().split('\n')[0] ?? '';
  return line.length > 200 ? `${line.slice(0, 197)}...` : line;
}
