import type {
  Config,
  DeviceConfig,
  LinkConfig,
  MqttSinkConfig,
  TagConfig,
} from '../../gateway/config/model.js';
import { type DriverModule, type TagBinding, ms } from '../../gateway/contract/index.js';
import { parseEndpoint } from '../../gateway/contract/index.js';
import { knownOf } from '../../gateway/config/links.js';
import { must } from './must.js';

/** A tag with everything at its default. */
export function tag(
  device: string,
  local: string,
  link: string,
  extra: Partial<TagConfig> = {},
): TagConfig {
  const period = extra.period ?? ms(1_000);
  return {
    name: `${device}.${local}`,
    local,
    device,
    link,
    type: 'uint16',
    unit: undefined,
    description: undefined,
    scale: 1,
    offset: 0,
    span: undefined,
    enumeration: undefined,
    scanClass: 'default',
    period,
    deadband: 0,
    maxSilence: undefined,
    stale: ms(period * 3),
    subscribed: undefined,
    constant: undefined,
    ...extra,
  };
}

/** A link of a driver; `addresses` gives each tag's driver keys by full name. */
export function link(
  name: string,
  driver: DriverModule,
  endpoint: string,
  devices: readonly DeviceConfig[],
  keys: {
    link?: Record<string, unknown>;
    device: (device: string) => Record<string, unknown>;
    tag: (tag: TagConfig) => Record<string, unknown>;
  },
): LinkConfig {
  const at = parseEndpoint(endpoint, driver.schemes);
  must(at.ok, 'endpoint');
  const parsed = driver.parseLink(keys.link ?? {}, at.value);
  must(parsed.ok, 'link keys');
  const bindings: TagBinding<unknown>[] = [];
  for (const device of devices) {
    for (const t of device.tags) {
      if (t.constant !== undefined) continue;
      const address = driver.parseTag(parsed.value, keys.device(device.name), {
        ...keys.tag(t),
        type: t.type,
      });
      must(address.ok, `address of ${t.name}`);
      bindings.push({
        tag: bindings.length,
        name: t.name,
        device: device.name,
        type: t.type,
        address: address.value,
      });
    }
  }
  return {
    name,
    driver,
    driverRef: { name: driver.name, inProcess: false },
    endpoint: at.value,
    config: parsed.value,
    ...knownOf({ driver, config: parsed.value, bindings }),
    devices,
    bindings,
    hash: JSON.stringify([name, endpoint, keys.link, devices]),
  };
}

/** A sink with everything at its default. */
export function sink(name: string, extra: Partial<MqttSinkConfig> = {}): MqttSinkConfig {
  const config = {
    name,
    type: 'mqtt' as const,
    urls: ['mqtt://127.0.0.1:1'],
    version: '5' as const,
    clientId: `millrace-g1-${name}`,
    username: undefined,
    password: undefined,
    tls: undefined,
    root: 'edge/g1',
    payload: 'frame' as const,
    historyPerSecond: undefined,
    historyOrder: 'live-first' as const,
    keepAlive: ms(30_000),
    commands: { allow: new Set<string>() },
    ...extra,
  };
  return { ...config, hash: JSON.stringify(config) };
}

/** A whole configuration around links. */
export function config(extra: Partial<Config> & Pick<Config, 'links'>): Config {
  const { rules = [] } = extra;
  const writes: Config['writes'] = extra.writes ?? new Map();
  return {
    gateway: { id: 'g1', site: undefined, language: 'en', firstStart: 'normal' },
    writes,
    rules,
    rulesHash: JSON.stringify(rules),
    writesHash: JSON.stringify(
      [...writes.values()].map((one) => ({ ...one, allow: [...one.allow] })),
    ),
    roles: new Map(),
    journal: {
      path: ':memory:',
      sizeBytes: 64 * 1024 * 1024,
      age: ms(30 * 86_400_000),
      freeDisk: 0,
      historyKeep: undefined,
      window: ms(1_000),
    },
    sinks: [sink('cloud')],
    state: 'state',
    control: '/nowhere',
    sockets: [],
    files: [],
    revision: 'r1',
    ...extra,
  };
}
