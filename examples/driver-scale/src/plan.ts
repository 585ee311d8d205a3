import { groupBy, type ReadGroup, type TagBinding } from 'millrace/contract';
import type { ScaleAddress } from './address.js';

type Binding = TagBinding<ScaleAddress>;

/** Which request answers a tag: `stable` comes with either weight, and is read with the net one. */
export function requestFor({ value }: ScaleAddress): 'net' | 'gross' {
  return value === 'gross' ? 'gross' : 'net';
}

/** One request a device and weight. Pushed tags are planned only to be read back, which a barcode never is. */
export function plan(tags: readonly Binding[]): readonly ReadGroup<ScaleAddress>[] {
  const sorted = tags
    .filter(({ address }) => address.value !== 'barcode')
    .sort((a, b) => a.tag - b.tag);
  const groups = groupBy(sorted, (tag) => `${tag.device} ${requestFor(tag.address)}`);
  return [...groups].map(([label, own]) => ({ label, device: own[0]?.device ?? '', tags: own }));
}
