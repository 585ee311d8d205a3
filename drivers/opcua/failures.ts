import { GatewayError, type ErrorCode } from '../../gateway/contract/index.js';

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
  [/timed? ?out|BadTimeout|BadRequestTimeout/i, 'request-timeout', 'no answer in time'],
  [
    /BadDecodingError|BadEncodingError|BadTcpMessage|BadUnexpectedError|premature/,
    'bad-frame',
    'the answer cannot be read',
  ],
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

/** Every rejection of a call of the library is a GatewayError. */
export async function guarded<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (thrown) {
    throw failureOf(thrown);
  }
}

/** The library wraps what happened into sentences; `Err = (…)` is what did. */
function firstLine(text: string): string {
  const inner = /Err = \((?:Error: )?([^\n]+?)\)\s*$/m.exec(text)?.[1] ?? text;
  const line = inner.trim().split('\n')[0] ?? '';
  return line.length > 200 ? `${line.slice(0, 197)}...` : line;
}
