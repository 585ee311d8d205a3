import {
  MessageSecurityMode,
  OPCUAClient,
  SecurityPolicy,
  setDebugLogger,
  setErrorLogger,
  setWarningLogger,
  UserTokenType,
  type EndpointDescription,
  type UserTokenPolicy,
  type OPCUAClientOptions,
  type UserIdentityInfo,
} from 'node-opcua-client';
import {
  GatewayError,
  wall,
  type DriverContext,
  type Log,
  type WallMs,
} from '../../../gateway/contract/index.js';
import { abortError } from '../../lib/abort.js';
import type { UaConnection } from '../service/client.js';
import type { Identity, OpcuaConfig } from '../plan/config.js';
import {
  chooseOffer,
  inClear,
  isDowngraded,
  isInClear,
  modeOf,
  policyOf,
  provesItself,
  type Offer,
} from '../security/endpoints.js';
import { failureOf } from '../service/failures.js';
import { LibrarySession, type RawSession } from './session.js';
import { describeCertificate, remedyOf, statusOf, type Pki } from '../security/pki.js';
import type { RequestSizes } from './sizes.js';

/** Largest message and its pieces: a hostile server must not fill the memory of the thread. */
const transportSettings = { maxMessageSize: 16 * 1024 * 1024, maxChunkCount: 1_024 };
/** By the number that stands in an endpoint. */
const securityModes = [
  MessageSecurityMode.Invalid,
  MessageSecurityMode.None,
  MessageSecurityMode.Sign,
  MessageSecurityMode.SignAndEncrypt,
];
/** Reconnecting is the host's work, and done once for all drivers. */
const connectionStrategy = { maxRetry: 0, initialDelay: 10, maxDelay: 20, randomisationFactor: 0 };

/** The library prints what it also throws; a command line and a test want only the latter. */
export function quiet(): void {
  for (const set of [setDebugLogger, setWarningLogger, setErrorLogger]) set(() => undefined);
}

/** Words of ours within a session time-out, at least. */
const sessionBeats = 3;

/** A connection whose session can be browsed too. */
export interface LibraryConnection extends UaConnection {
  readonly session: LibrarySession;
}

export interface Target {
  readonly url: string;
  readonly config: OpcuaConfig;
  readonly pki: Pki;
  readonly log: Log;
  readonly today: Date;
  /** See `DriverContext.expires`. */
  readonly expires: DriverContext['expires'];
  /** A session of an earlier connection to this URL. */
  readonly earlier: LibrarySession | undefined;
  /** How much this server takes in one request, as far as it is known. */
  readonly sizes: RequestSizes;
}

/**
 * Connects: asks the server for its endpoints, takes the best one that is allowed, checks its certificate,
 * and takes up the earlier session again, or makes one. Rejections are GatewayErrors.
 */
export async function connect(target: Target, signal: AbortSignal): Promise<LibraryConnection> {
  const clients: OPCUAClient[] = [];
  const giveUp = (): void => {
    for (const client of clients) void drop(client);
  };
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await establish(target, clients, signal);
  } catch (thrown) {
    giveUp();
    throw signal.aborted ? abortError(signal) : failureOf(thrown);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

async function establish(
  target: Target,
  clients: OPCUAClient[],
  signal: AbortSignal,
): Promise<LibraryConnection> {
  const { url, config, pki } = target;
  const offered = await discover(url, config, pki, clients);
  const chosen = chooseOffer(offered, config);
  if (provesItself(chosen, config)) await checkServer(chosen, pki, target.today);
  const client = OPCUAClient.create(optionsOf(config, pki, chosen));
  clients.push(client);
  keepPassword(client, config);
  let lost: (why: Error) => void = () => undefined;
  client.on('close', (error?: Error | null) =>
    lost(error ?? new GatewayError('link-closed', 'the connection was closed')),
  );
  await client.connect(url);
  mayBeIdle(client);
  if (signal.aborted) throw abortError(signal);
  const { session, resumed } = await sessionOf(target, client);
  if (isDowngraded(chosen, session.raw.serverEndpoints.map(offerOf), config))
    throw new GatewayError(
      'certificate-refused',
      'somebody on the way took out the better endpoints',
    );
  await session.learnLimits();
  tellExpiry(target, chosen);
  target.log.info('OPC UA session', {
    policy: policyOf(chosen),
    mode: modeOf(chosen),
    resumed,
    timeout: session.raw.timeout,
  });
  let closed = false;
  return {
    session,
    resumed,
    onLost: (handler) => {
      lost = (why) => {
        if (!closed) handler(failureOf(why));
      };
    },
    close: async (withSession) => {
      closed = true;
      if (withSession) await session.raw.close(true).catch(() => undefined);
      await drop(client);
    },
  };
}

/**
 * From the handshake on, the library cuts a connection on which nothing came for as long. That nothing comes means
 * nothing: what is asked has its time-out, and what is subscribed its keep-alives.
 */
function mayBeIdle(client: OPCUAClient): void {
  interface WithSocket {
    readonly _secureChannel?: {
      getTransport: () =>
        { readonly _socket?: { setTimeout: (ms: number) => void } | null } | undefined;
    } | null;
  }
  (client as unknown as WithSocket)._secureChannel?.getTransport()?._socket?.setTimeout(0);
}

/** When a certificate ends, the connection ends, too. */
function tellExpiry({ pki, expires }: Target, { certificate, securityMode }: Offer): void {
  if (securityMode === securityModes.indexOf(MessageSecurityMode.None)) return;
  const until = (der: Uint8Array): WallMs => wall(describeCertificate(der).notAfter.getTime());
  expires('certificate of the gateway', until(pki.own()));
  if (certificate) expires('certificate of the server', until(certificate));
}

/** What the server offers, asked for over a channel of its own without security. */
export async function discover(
  url: string,
  config: Pick<OpcuaConfig, 'requestTimeout'>,
  pki: Pki,
  clients: OPCUAClient[] = [],
): Promise<readonly (Offer & { readonly described: EndpointDescription })[]> {
  const client = OPCUAClient.create({
    ...commonOptions(config, pki),
    securityMode: MessageSecurityMode.None,
    securityPolicy: SecurityPolicy.None,
  });
  clients.push(client);
  try {
    await client.connect(url);
    return (await client.getEndpoints()).map(offerOf);
  } finally {
    await drop(client);
  }
}

function offerOf(
  described: EndpointDescription,
): Offer & { readonly described: EndpointDescription } {
  const kinds: Readonly<Record<number, number>> = {
    [UserTokenType.Anonymous]: 0,
    [UserTokenType.UserName]: 1,
    [UserTokenType.Certificate]: 2,
  };
  return {
    described,
    securityPolicyUri: described.securityPolicyUri,
    securityMode: described.securityMode,
    certificate: described.serverCertificate,
    identities: (described.userIdentityTokens ?? []).map(({ tokenType }) => kinds[tokenType] ?? -1),
    sealsPassword: (described.userIdentityTokens ?? []).every(isSealed),
  };
}

/** Is a password encrypted by a policy of its own, whatever the channel is? The library takes any that is offered. */
function isSealed({ tokenType, securityPolicyUri }: UserTokenPolicy): boolean {
  const policy = securityPolicyUri?.split('#').at(-1) ?? '';
  return tokenType !== UserTokenType.UserName || (policy !== '' && policy !== 'None');
}

/**
 * The library asks for the endpoints a second time, over a channel that anybody may change what goes over it, and sends
 * the password as it is told there: not in clear, whatever is said.
 */
function keepPassword(client: OPCUAClient, config: OpcuaConfig): void {
  type MakeToken = (
    context: { readonly endpoint: EndpointDescription },
    identity: unknown,
    callback: (error: Error | null, data?: unknown) => void,
  ) => void;
  const maker = client as unknown as { createUserIdentityToken: MakeToken };
  const make = maker.createUserIdentityToken.bind(client);
  maker.createUserIdentityToken = (context, identity, callback) => {
    const offer = offerOf(context.endpoint);
    if (isInClear(offer, config)) callback(inClear());
    else make(context, identity, callback);
  };
}

async function checkServer({ certificate }: Offer, pki: Pki, today: Date): Promise<void> {
  if (!certificate || certificate.length === 0)
    throw new GatewayError('certificate-refused', 'the server shows no certificate');
  const status = await statusOf(pki, certificate, today);
  if (status === 'Good') return;
  const { thumbprint, subject } = describeCertificate(certificate);
  throw new GatewayError(
    'certificate-refused',
    `the certificate of the server is not trusted (${status}): ${subject}, thumbprint ${thumbprint}; ${remedyOf(status, certificate)}`,
    { thumbprint },
  );
}

function commonOptions(config: Pick<OpcuaConfig, 'requestTimeout'>, pki: Pki): OPCUAClientOptions {
  return {
    applicationName: 'Millrace',
    applicationUri: pki.applicationUri,
    clientName: 'Millrace',
    clientCertificateManager: pki.manager,
    certificateFile: pki.certificate,
    privateKeyFile: pki.key,
    connectionStrategy,
    endpointMustExist: false,
    keepPendingSessionsOnDisconnect: true,
    transportSettings,
    // Of the handshake; see `mayBeIdle`.
    transportTimeout: config.requestTimeout,
    defaultTransactionTimeout: config.requestTimeout,
  };
}

function optionsOf(config: OpcuaConfig, pki: Pki, chosen: Offer): OPCUAClientOptions {
  return {
    ...commonOptions(config, pki),
    securityMode: securityModes[chosen.securityMode] ?? MessageSecurityMode.Invalid,
    securityPolicy: chosen.securityPolicyUri ?? SecurityPolicy.None,
    ...(chosen.certificate ? { serverCertificate: Buffer.from(chosen.certificate) } : {}),
    requestedSessionTimeout: config.sessionTimeout,
  };
}

/** The earlier session, if the server still has it: with its subscriptions, and no second one beside it. */
async function sessionOf(
  { earlier, url, config, log, today, sizes }: Target,
  client: OPCUAClient,
): Promise<{ session: LibrarySession; resumed: boolean }> {
  if (earlier) {
    try {
      await client.reactivateSession(earlier.raw);
      return { session: earlier, resumed: true };
    } catch (thrown) {
      log.info('the earlier session is no more', { why: failureOf(thrown).message });
    }
  }
  const raw = (await client.createSession(identityOf(config.identity))) as RawSession;
  // Publish requests keep a session alive, and reads; a link that is read once an hour has neither. By the server's own
  // terms: it may keep a session for less than was asked.
  const keptFor = Math.min(raw.timeout, config.sessionTimeout);
  raw.startKeepAliveManager(Math.floor(keptFor / sessionBeats));
  return { session: new LibrarySession(url, raw, today, sizes), resumed: false };
}

function identityOf(identity: Identity): UserIdentityInfo {
  switch (identity.kind) {
    case 'anonymous':
      return { type: UserTokenType.Anonymous };
    case 'user':
      return { type: UserTokenType.UserName, userName: identity.name, password: identity.password };
    case 'certificate':
      return {
        type: UserTokenType.Certificate,
        certificateData: derOf(identity.certificate),
        privateKey: identity.key,
      };
  }
}

function derOf(pem: string): Buffer {
  const body = /-----BEGIN CERTIFICATE-----([\s\S]+?)-----END CERTIFICATE-----/.exec(pem)?.[1];
  return Buffer.from(body ?? '', 'base64');
}

/** Closes a client whatever state it is in; its session, if any, stays with the server. */
async function drop(client: OPCUAClient): Promise<void> {
  try {
    await client.disconnect();
  } catch {
    // It was gone already.
  }
}
