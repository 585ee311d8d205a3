import { freeName, type FoundTag } from '../contract/index.js';

/** Whose name is whose: by name, what the tag is (`FoundTag.identity`). Only grows. */
export type Names = Readonly<Record<string, string>>;

/** Tags under their names for good, and all names that were ever given. */
export interface Named {
  readonly tags: readonly (readonly [name: string, keys: FoundTag['keys']])[];
  readonly names: Names;
}

/**
 * A name stays with what it was given to, for ever: rules, deadbands and consumers mean that, wherever it stands in the
 * device's tree today. What is new gets a name that none ever had, also not one that is gone.
 */
export function named(found: readonly FoundTag[], before: Names): Named {
  const names = new Map(Object.entries(before));
  const byIdentity = new Map(Object.entries(before).map(([name, identity]) => [identity, name]));
  const tags = found.map(({ name: wanted, identity, keys }) => {
    const name = byIdentity.get(identity) ?? freeName(wanted, (one) => names.has(one));
    names.set(name, identity);
    byIdentity.set(identity, name);
    return [name, keys] as const;
  });
  return { tags, names: Object.fromEntries(names) };
}

/** Names of a file that does not say whose they are: of the tags with the same address and aspect. */
export function namesByKeys(
  tags: Readonly<Record<string, FoundTag['keys']>>,
  found: readonly FoundTag[],
): Names {
  const partsOf = (keys: FoundTag['keys']): string =>
    JSON.stringify([keys['address'], keys['aspect'], keys['range'], keys['field']]);
  const identities = new Map(found.map(({ identity, keys }) => [partsOf(keys), identity]));
  return Object.fromEntries(
    // One that is gone is its own: nothing else gets its name.
    Object.entries(tags).map(([name, keys]) => {
      const parts = partsOf(keys);
      return [name, identities.get(parts) ?? `gone ${parts}`];
    }),
  );
}
