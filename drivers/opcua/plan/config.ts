import {
  ms,
  type DriverLimits,
  type DurationMs,
  type Endpoint,
  type KeySchema,
  type Parsed,
  type Problem,
  type Source,
} from '../../../gateway/contract/index.js';
import { durationKey, integerKey, KeyReader } from '../../lib/keys.js';

/** Security policies by the last part of their URI; `best` = the strongest that the server offers. */
export const policies = [
  'Aes256_Sha256_RsaPss',
  'Aes128_Sha256_RsaOaep',
  'Basic256Sha256',
  'Basic256',
  'Basic128Rsa15',
  'None',
] as const;
export type Policy = (typeof policies)[number];
/** Those that nobody should use any more. */
export const weakPolicies: readonly Policy[] = ['Basic256', 'Basic128Rsa15', 'None'];

/** Who the gateway is to the server. */
export type Identity =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'user'; readonly name: string; readonly password: string }
  | { readonly kind: 'certificate'; readonly certificate: string; readonly key: string };

export interface OpcuaConfig {
  /** URLs of one server, or of redundant ones, in the order in which they are tried. */
  readonly urls: readonly string[];
  readonly policy: Policy | 'best';
  readonly mode: 'SignAndEncrypt' | 'Sign';
  readonly identity: Identity;
  /** How often the server tells of changes, unless the tag says otherwise. */
  readonly publishing: DurationMs;
  /** How often the server says that nothing has changed. */
  readonly keepAlive: DurationMs;
  readonly sessionTimeout: DurationMs;
  readonly connectTimeout: DurationMs;
  readonly requestTimeout: DurationMs;
  readonly inFlight: number;
  /** Nodes that are read in scans are registered with the server first. */
  readonly registerNodes: boolean;
  /** After an interruption, the server is asked for what it remembers of it. */
  readonly backfill: boolean;
  /** Units and spans that the configuration leaves out are taken from the server. */
  readonly learnUnits: boolean;
}

const text = (
  description: string,
  examples: readonly string[],
): Readonly<Record<string, unknown>> => ({
  type: 'string',
  description,
  examples,
});

export const linkSchema: KeySchema = {
  properties: {
    security: {
      type: 'object',
      description: 'How the connection is protected, and who the gateway is to the server.',
      default: { policy: 'best', mode: 'SignAndEncrypt' },
      additionalProperties: false,
      examples: [{ policy: 'best', user: 'gateway', password: '${secret:dcs-password}' }],
      properties: {
        policy: {
          type: 'string',
          enum: ['best', ...policies],
          description: 'Security policy; best = the strongest that the server offers, never None.',
          default: 'best',
        },
        mode: {
          type: 'string',
          enum: ['SignAndEncrypt', 'Sign'],
          description: 'Sign leaves the values readable on the wire.',
          default: 'SignAndEncrypt',
        },
        allowWeak: {
          type: 'boolean',
          description: 'Must be true for a policy that is deprecated, or None.',
          default: false,
        },
        user: text('User name. Default: anonymous.', ['gateway']),
        password: text('Password of the user. Default: empty.', ['${secret:dcs-password}']),
        certificate: text('Certificate of the user, PEM. Default: none.', ['${secret:user-cert}']),
        key: text('Private key of that certificate, PEM. Default: none.', ['${secret:user-key}']),
      },
    },
    redundant: {
      type: 'array',
      items: { type: 'string' },
      description:
        'Endpoints of redundant servers with the same data, tried in turn when one is lost.',
      default: [],
      examples: [['opc.tcp://10.0.0.10:4840']],
    },
    publishing: durationKey(
      'How often the server tells of changes, unless the tag says so.',
      '500ms',
    ),
    keepAlive: durationKey(
      'How often the server says that nothing has changed. Silence for three times as long is a fault of the link.',
      '3s',
    ),
    sessionTimeout: durationKey(
      'How long the server keeps the session when the link is lost.',
      '60s',
    ),
    connectTimeout: durationKey('Longest wait for connection and session.', '20s'),
    timeout: durationKey('Longest wait for an answer.', '5s'),
    inFlight: integerKey('Requests at the same time, at most.', { min: 1, max: 16 }, 4),
    registerNodes: {
      type: 'boolean',
      description: 'Register nodes that are scanned: some servers then answer faster.',
      default: false,
    },
    backfill: {
      type: 'boolean',
      description:
        'After an interruption, ask the server for the history of it, where it keeps one.',
      default: true,
    },
    learnUnits: {
      type: 'boolean',
      description:
        'Take units and spans that the configuration leaves out from the server (EngineeringUnits, EURange).',
      default: false,
    },
  },
};

const intervalBounds = { min: 20, max: 3_600_000 };
const waitBounds = { min: 100, max: 600_000 };

/** Reads the link's keys. A weak policy needs a second key beside it: nobody gets one by accident. */
export function parseLink(link: Source, endpoint: Endpoint | undefined): Parsed<OpcuaConfig> {
  const keys = new KeyReader(link);
  const security = new KeyReader((link['security'] ?? {}) as Source, ['security']);
  const policy = security.choice<Policy | 'best'>('policy', ['best', ...policies], 'best');
  const allowWeak = security.flag('allowWeak', false);
  if (policy !== 'best' && weakPolicies.includes(policy) && !allowWeak)
    security.problem(
      'policy',
      `${policy} protects nothing any more`,
      'use policy: best, or say allowWeak: true beside it',
    );
  const mode = security.choice('mode', ['SignAndEncrypt', 'Sign'] as const, 'SignAndEncrypt');
  const identity = readIdentity(security);
  const redundant = readRedundant(keys);
  keys.problems.push(...security.problems);
  return keys.finish({
    urls: [endpoint?.text ?? '', ...redundant],
    policy,
    mode,
    identity,
    publishing: keys.duration('publishing', intervalBounds, ms(500)),
    keepAlive: keys.duration('keepAlive', { min: 500, max: 600_000 }, ms(3_000)),
    sessionTimeout: keys.duration('sessionTimeout', { min: 10_000, max: 3_600_000 }, ms(60_000)),
    connectTimeout: keys.duration('connectTimeout', waitBounds, ms(20_000)),
    requestTimeout: keys.duration('timeout', waitBounds, ms(5_000)),
    inFlight: keys.integer('inFlight', { min: 1, max: 16 }, 4),
    registerNodes: keys.flag('registerNodes', false),
    backfill: keys.flag('backfill', true),
    learnUnits: keys.flag('learnUnits', false),
  });
}

function readIdentity(keys: KeyReader): Identity {
  const [name, password, certificate, key] = ['user', 'password', 'certificate', 'key'].map((one) =>
    keys.text(one),
  );
  if (name !== undefined && certificate !== undefined)
    keys.problem(
      'certificate',
      'a user has a password or a certificate, not both',
      'leave one out',
    );
  if (name === undefined && password !== undefined)
    keys.problem('password', 'a password without a user', 'add user: NAME');
  if ((certificate === undefined) !== (key === undefined))
    keys.problem('key', 'certificate and key go together', 'give both');
  if (name !== undefined) return { kind: 'user', name, password: password ?? '' };
  if (certificate !== undefined && key !== undefined)
    return { kind: 'certificate', certificate, key };
  return { kind: 'anonymous' };
}

function readRedundant(keys: KeyReader): readonly string[] {
  const list = keys.raw('redundant') ?? [];
  const urls = Array.isArray(list) ? list.filter((url) => typeof url === 'string') : [];
  if (!Array.isArray(list) || urls.some((url) => !/^opc\.tcp:\/\/[^\s/]+/.test(url)))
    keys.problem(
      'redundant',
      'not endpoints of servers',
      'write them like opc.tcp://10.0.0.10:4840',
    );
  return urls;
}

/** See `DriverModule.weaknesses`. */
export function weaknesses({ policy, mode, identity }: OpcuaConfig): readonly Problem[] {
  const found: Problem[] = [];
  if (policy !== 'best' && weakPolicies.includes(policy))
    found.push({
      path: ['security', 'policy'],
      message:
        policy === 'None'
          ? 'everybody on the network can read and change what is sent'
          : `${policy} is broken: what is sent can be read and changed`,
      hint: 'use policy: best as soon as the server can',
    });
  else if (mode === 'Sign')
    found.push({
      path: ['security', 'mode'],
      message: 'everybody on the network can read what is sent',
      hint: 'use mode: SignAndEncrypt',
    });
  if (identity.kind === 'user' && identity.password === '')
    found.push({ path: ['security', 'user'], message: 'the user has no password' });
  return found;
}

export function limits(config: OpcuaConfig): DriverLimits {
  return {
    inFlight: config.inFlight,
    connectTimeout: config.connectTimeout,
    requestTimeout: config.requestTimeout,
    requestGap: ms(0),
    // Answers carry the handle of their request.
    afterTimeout: 'continue',
  };
}
