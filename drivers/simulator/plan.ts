import type { ReadGroup, TagBinding } from '../../gateway/contract/index.js';
import type { SimulatorAddress, SimulatorConfig } from './config.js';

type Binding = TagBinding<SimulatorAddress>;

/** Tags of one read; bounds the time that one read takes. */
export const maxTags = 500;

/** One read per device and {@link maxTags} tags, in the order of the tag image. */
export function plan(
  _config: SimulatorConfig,
  tags: readonly Binding[],
  refused: readonly Binding[],
): readonly ReadGroup<SimulatorAddress>[] {
  const skip = new Set(refused.map((tag) => tag.tag));
  const devices = new Map<string, Binding[]>();
  for (const tag of tags) {
    if (skip.has(tag.tag)) continue;
    const list = devices.get(tag.device);
    if (list) list.push(tag);
    else devices.set(tag.device, [tag]);
  }
  const groups: ReadGroup<SimulatorAddress>[] = [];
  for (const [device, list] of devices) {
    list.sort((a, b) => a.tag - b.tag);
    for (let from = 0; from < list.length; from += maxTags) {
      const part = list.slice(from, from + maxTags);
      groups.push({ label: `${device} ${from}..${from + part.length - 1}`, device, tags: part });
    }
  }
  return groups;
}
