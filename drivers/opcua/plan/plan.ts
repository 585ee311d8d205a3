import type { ReadGroup, TagBinding } from '../../../gateway/contract/index.js';
import type { OpcuaAddress } from './address.js';
import type { OpcuaConfig } from './config.js';

/** Tags in one read: what most servers take. */
const mostTags = 200;

/** Tags of a device, in their order, up to so many at once. The server answers for each of them. */
export function plan(
  _config: OpcuaConfig,
  tags: readonly TagBinding<OpcuaAddress>[],
): readonly ReadGroup<OpcuaAddress>[] {
  const byDevice = new Map<string, TagBinding<OpcuaAddress>[]>();
  for (const tag of tags) byDevice.set(tag.device, [...(byDevice.get(tag.device) ?? []), tag]);
  return [...byDevice].flatMap(([device, own]) => {
    const ordered = own.sort((a, b) => a.tag - b.tag);
    const groups: ReadGroup<OpcuaAddress>[] = [];
    for (let at = 0; at < ordered.length; at += mostTags) {
      const some = ordered.slice(at, at + mostTags);
      groups.push({
        label: `${device} ${String(at)}..${String(at + some.length - 1)}`,
        device,
        tags: some,
      });
    }
    return groups;
  });
}
