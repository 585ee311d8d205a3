import { GatewayError } from '../../../gateway/contract/index.js';
import { weakPolicies, type Identity, type OpcuaConfig, type Policy } from '../plan/config.js';

/** What a server offers at one of its endpoints, as far as it is chosen by. */
export interface Offer {
  /** URI; the policy is what stands after the `#`. */
  readonly securityPolicyUri: string | null;
  /** 1 None, 2 Sign, 3 SignAndEncrypt. */
  readonly securityMode: number;
  /** The kinds of identity that it takes: 0 anonymous, 1 user name, 2 certificate. */
  readonly identities: readonly number[];
  /** It takes a password encrypted, though its channel is not. */
  readonly sealsPassword: boolean;
  /** DER. */
  readonly certificate: Uint8Array | undefined;
}

const ranking: readonly Policy[] = [
  'Aes256_Sha256_RsaPss',
  'Aes128_Sha256_RsaOaep',
  'Basic256Sha256',
];
const modes = { None: 1, Sign: 2, SignAndEncrypt: 3 } as const;
const identityKinds: Readonly<Record<Identity['kind'], number>> = {
  anonymous: 0,
  user: 1,
  certificate: 2,
};

export function policyOf({ securityPolicyUri }: Offer): string {
  return securityPolicyUri?.split('#').at(-1) ?? '';
}

/**
 * The offer to take: the best policy that the configuration allows, for the identity it gives. Never a
 * weaker one than asked for; if there is none, an error that says what there is.
 */
export function chooseOffer(offers: readonly Offer[], config: OpcuaConfig): Offer {
  const wanted = config.policy === 'best' ? ranking : [config.policy];
  const mode = config.policy === 'None' ? modes.None : modes[config.mode];
  const secure = wanted.flatMap((policy) =>
    offers.filter((offer) => policyOf(offer) === policy && offer.securityMode === mode),
  );
  if (secure.length === 0) throw refusal(offers, config);
  const kind = identityKinds[config.identity.kind];
  const taking = secure.filter(({ identities }) => identities.includes(kind));
  const fitting = taking.find((offer) => !isInClear(offer, config));
  if (fitting) return fitting;
  if (taking.length > 0) throw inClear();
  throw new GatewayError(
    'auth-failed',
    `the server takes no ${nameOf(config.identity.kind)} there; it takes ${identitiesOf(secure)}`,
  );
}

export function inClear(): GatewayError {
  return new GatewayError(
    'auth-failed',
    'the server takes the password in clear there, for everybody on the network to read; use policy: best, or have the server ask for an encrypted one',
  );
}

/** Would a password be readable on the way? */
export function isInClear(offer: Offer, { identity }: OpcuaConfig): boolean {
  return identity.kind === 'user' && offer.securityMode === modes.None && !offer.sealsPassword;
}

/** Is the server to prove who it is: as the channel is secured by its certificate, or a password is? */
export function provesItself(offer: Offer, { identity }: OpcuaConfig): boolean {
  return offer.securityMode !== modes.None || identity.kind === 'user';
}

function refusal(offers: readonly Offer[], { policy, mode }: OpcuaConfig): GatewayError {
  const asked = policy === 'best' ? `a policy of today with ${mode}` : `${policy} with ${mode}`;
  const offered = offers.map((offer) => {
    const weak = weakPolicies.some((one) => one === policyOf(offer)) ? ' (weak)' : '';
    return `${policyOf(offer)} ${modeOf(offer)}${weak}`;
  });
  return new GatewayError(
    'auth-failed',
    `the server does not offer ${asked}, but ${[...new Set(offered)].join(', ') || 'nothing'}; ` +
      'name one of them in security: { policy, mode }',
  );
}

export function modeOf({ securityMode }: Offer): string {
  return ['Invalid', 'None', 'Sign', 'SignAndEncrypt'][securityMode] ?? String(securityMode);
}

function nameOf(kind: Identity['kind']): string {
  return kind === 'user'
    ? 'user name'
    : kind === 'certificate'
      ? 'user certificate'
      : 'anonymous user';
}

export function identitiesOf(offers: readonly Offer[]): string {
  const kinds = new Set(offers.flatMap(({ identities }) => identities));
  const names = (Object.keys(identityKinds) as Identity['kind'][])
    .filter((kind) => kinds.has(identityKinds[kind]))
    .map(nameOf);
  return names.join(', ') || 'nobody';
}

/**
 * A server says the same at the discovery and in the session, unless somebody between us took out the
 * better offers to have us use a weak one.
 */
export function isDowngraded(
  chosen: Offer,
  inSession: readonly Offer[],
  config: OpcuaConfig,
): boolean {
  if (config.policy !== 'best') return false;
  const rank = (offer: Offer): number => ranking.findIndex((policy) => policy === policyOf(offer));
  const kind = identityKinds[config.identity.kind];
  return inSession.some(
    (offer) =>
      rank(offer) >= 0 &&
      rank(offer) < rank(chosen) &&
      offer.securityMode === chosen.securityMode &&
      offer.identities.includes(kind),
  );
}
