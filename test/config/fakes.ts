import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import {
  GatewayError,
  ms,
  type DriverModule,
  type Parsed,
  type Problem,
} from '../../gateway/contract/index.js';
import { formatProblem } from '../../gateway/config/format.js';
import { loadConfig } from '../../gateway/config/load.js';
import type { Config, ConfigHost, LoadedConfig } from '../../gateway/config/model.js';

const limits = {
  inFlight: 1,
  connectTimeout: ms(1),
  requestTimeout: ms(1),
  requestGap: ms(0),
  afterTimeout: 'reconnect',
} as const;

/** A driver with keys on every level; addresses are `a:NUMBER`. */
export const fake: DriverModule = {
  name: 'fake',
  contract: 1,
  schema: {
    link: {
      properties: {
        password: { type: 'string', description: 'Password.', default: '' },
        retries: { type: 'integer', minimum: 0, maximum: 9, description: 'Tries.', default: 1 },
      },
    },
    device: {
      properties: { unit: { type: 'integer', minimum: 0, maximum: 255, description: 'Unit.' } },
      required: ['unit'],
    },
    tag: {
      properties: {
        address: { type: ['string', 'integer'], description: 'Address.' },
        order: { type: 'string', enum: ['AB', 'BA'], description: 'Order.', default: 'AB' },
      },
      required: ['address'],
    },
  },
  schemes: { tcp: 502, sim: 0 },
  // Like a careless driver, it repeats what it was given.
  parseLink: (link): Parsed<unknown> =>
    typeof link['password'] === 'string' && link['password'].includes('!')
      ? problems({ path: ['password'], message: `bad password ${link['password'].slice(0, 9)}...` })
      : { ok: true, value: { ...link } },
  parseTag: (_, device, tag): Parsed<unknown> => {
    const found: Problem[] = [];
    if (device['unit'] === 13) found.push({ path: ['device', 'unit'], message: 'unlucky unit' });
    if (device['unit'] === undefined) found.push({ path: ['device', 'unit'], message: 'no unit' });
    const address = String(tag['address']);
    if (!/^(a:)?\d+$/.test(address))
      found.push({ path: ['address'], message: `not an address: ${address}`, hint: 'use a:7' });
    return found.length > 0 ? problems(...found) : { ok: true, value: { address, type: tag.type } };
  },
  limits: () => limits,
  plan: () => [],
  create: () => {
    throw new GatewayError('internal', 'no such thing in these tests');
  },
};

function problems(...found: Problem[]): Parsed<unknown> {
  return { ok: false, problems: found };
}

/** As the simulator: a driver with a key `value` of its own. */
export const waves: DriverModule = {
  ...fake,
  name: 'waves',
  schema: {
    link: { properties: {} },
    device: { properties: {} },
    tag: { properties: { value: { type: ['number', 'boolean'], description: 'Start.' } } },
  },
  parseLink: () => ({ ok: true, value: {} }),
  parseTag: (_config, _device, tag) => ({ ok: true, value: tag['value'] }),
};

export interface Memory {
  readonly files: Readonly<Record<string, string>>;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly drivers?: readonly DriverModule[];
  /** Everything that was hashed. */
  readonly hashed?: string[];
}

/** Files in memory, below `/`. */
export function hostOf(memory: Memory): ConfigHost & { readonly reads: string[] } {
  const { files, secrets = {}, drivers = [fake, waves], hashed } = memory;
  const reads: string[] = [];
  return {
    reads,
    readText: (path) => {
      reads.push(path);
      const text = Object.hasOwn(files, path) ? files[path] : undefined;
      return text === undefined
        ? Promise.reject(
            new GatewayError('config-unreadable', `${path}: there is no such file`, {
              hint: 'check path and permissions',
            }),
          )
        : Promise.resolve(text);
    },
    readIfThere: (path) => Promise.resolve(Object.hasOwn(files, path) ? files[path] : undefined),
    glob: (pattern) => {
      if (!pattern.includes('*')) return Promise.resolve([pattern]);
      const [before = '', after = ''] = pattern.split('*');
      const fits = (path: string): boolean => path.startsWith(before) && path.endsWith(after);
      return Promise.resolve(Object.keys(files).filter(fits).sort());
    },
    isOwn: (file, path) => {
      const folder = posix.dirname(file);
      return Promise.resolve(path.startsWith(folder === '/' ? folder : `${folder}/`));
    },
    resolve: (file, path) => posix.resolve(posix.dirname(file), path),
    secret: (name) => Promise.resolve(Object.hasOwn(secrets, name) ? secrets[name] : undefined),
    driver: (name) => Promise.resolve(drivers.find((driver) => driver.name === name)),
    driverNames: drivers.map(({ name }) => name),
    profilesOf: (driver) => Promise.resolve(new Map([['meter', `/builtin/${driver}/meter.yaml`]])),
    hash: (text) => {
      hashed?.push(text);
      return createHash('sha256').update(text).digest('hex');
    },
  };
}

export function load(plant: string, more: Partial<Memory> = {}): Promise<LoadedConfig> {
  return loadConfig('/p.yaml', hostOf({ ...more, files: { '/p.yaml': plant, ...more.files } }));
}

/** The configuration; fails with its problems when there are any. */
export async function good(
  plant: string,
  more: Partial<Memory> = {},
): Promise<{ config: Config; warnings: string[] }> {
  const loaded = await load(plant, more);
  if (!loaded.ok)
    throw new GatewayError('config-invalid', loaded.problems.map(formatProblem).join('\n'));
  return { config: loaded.config, warnings: loaded.warnings.map(formatProblem) };
}

/** The problems as people see them; none when it is good. */
export async function bad(plant: string, more: Partial<Memory> = {}): Promise<string[]> {
  const loaded = await load(plant, more);
  return loaded.ok ? [] : loaded.problems.filter((p) => p.severity === 'error').map(formatProblem);
}

/** A small plant that is good, with every section. */
export const plant = `millrace: 1
gateway: { id: ps01, site: works/north }
links:
  bus:
    driver: fake
    endpoint: tcp://10.0.0.5
    scanClasses: { fast: 500ms, slow: 10s }
    devices:
      FT101:
        unit: 7
        primary: flow
        tags:
          flow: { address: a:100, type: float32, unit: m3/h, span: [0, 60], scan: fast, deadband: 0.5 % }
          run: { address: a:1, type: bool }
          speed: { address: 40121, type: uint16, scale: 0.1, unit: m/min, scan: slow }
          rated: { value: 32 A }
writes:
  FT101.run: { allow: [rules, operator] }
  FT101.speed: { allow: [operator], range: [0, 80], rate: 5 m/min per s, expect: true }
rules: [rules/*.yaml]
sinks:
  cloud:
    type: mqtt
    url: mqtts://broker.example:8883
`;
export const ruleFile = `# rules
- alarm: A1
  when: FT101 < 5
- interlock: I1
  cause: FT101 < 5 for 5s
`;
export const files: Readonly<Record<string, string>> = { '/rules/a.yaml': ruleFile };
