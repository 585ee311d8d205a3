import type { Config, LinkConfig, TagConfig } from '../../gateway/config/model.js';
import type { Input } from './world.js';

/** What is changed of a gateway, or of its controller, before it starts. */
export interface Tampering {
  readonly config?: (config: Config) => Config;
  readonly put?: (input: Input) => Input;
}

function eachTag(change: (tag: TagConfig) => TagConfig): (config: Config) => Config {
  return (config) => ({
    ...config,
    links: config.links.map((link) => ({
      ...link,
      devices: link.devices.map((device) => ({ ...device, tags: device.tags.map(change) })),
    })),
  });
}
function eachBinding(
  change: (binding: LinkConfig['bindings'][number], link: LinkConfig) => unknown,
): (config: Config) => Config {
  return (config) => ({
    ...config,
    links: config.links.map((link) => ({
      ...link,
      bindings: link.bindings.map((one) => ({ ...one, address: change(one, link) })),
    })),
  });
}

function withoutBands(tag: TagConfig): TagConfig {
  const bare: Record<string, unknown> = { ...tag };
  delete bare['bands'];
  return bare as unknown as TagConfig;
}

/** Mistakes on the way between a register and a rule, each of which a run must notice. */
export const plantedInGateway: Readonly<Record<string, Tampering>> = {
  'the span is lost on the way': {
    config: eachTag(withoutBands),
  },
  'the signal has no failure': {
    config: eachTag((tag) =>
      tag.bands ? { ...tag, bands: { ...tag.bands, failure: [-Infinity, Infinity] } } : tag,
    ),
  },
  'a scale is off by one part in a hundred': {
    config: eachTag((tag) => ({ ...tag, scale: tag.scale * 1.01 })),
  },
  'two outputs are swapped': {
    config: eachBinding(({ name, address }, { bindings }) => {
      const other = { 'PLC.OUT1': 'PLC.OUT2', 'PLC.OUT2': 'PLC.OUT1' }[name];
      return bindings.find((one) => one.name === other)?.address ?? address;
    }),
  },
  'what was bad before is kept for good': {
    put: (input) => (input.band === 'bad' ? { ...input, band: 'good' } : input),
  },
};
