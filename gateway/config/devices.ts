import {
  tagTypes,
  type DriverModule,
  type Parsed,
  type Source,
  type Subscribed,
  type TagBinding,
  type TagType,
} from '../contract/index.js';
import { answerOf, madeBy } from './drivers.js';
import type { Shape } from './fields.js';
import { constantShape, deviceShape, isConstant, tagShape } from './keys-link.js';
import { withLearned, type LearnedDevice } from './learned.js';
import type { DeviceDraft, LinkContext } from './links.js';
import type { DeviceConfig, TagConfig } from './model.js';
import { didYouMean } from './suggest.js';
import { readConstant, readTag } from './tags.js';
import type { Ref } from './tree.js';
import { check, checkOf, looseCheckOf } from './validate.js';

export interface DeviceResult {
  readonly config: DeviceConfig;
  readonly bindings: readonly TagBinding<unknown>[];
  /** All names that were typed, also of tags that are wrong. */
  readonly names: readonly string[];
  /** False when a profile is missing: then a tag that is not here may well exist. */
  readonly complete: boolean;
  /** Where the device is to be asked for more tags; undefined = nowhere. */
  readonly expansion: unknown;
}

/** While the driver is unknown, so is whether it tells the type by itself. */
const anyTag: Shape = { ...tagShape, required: [] };

/**
 * A device with its tags.
 * @param first position of its first tag among those of the link
 * @param learned what it said of itself
 */
export function resolveDevice(
  context: LinkContext,
  { name, ref: own, complete }: DeviceDraft,
  first: number,
  learned: LearnedDevice | undefined,
): DeviceResult {
  const { checks, driver, session, link } = context;
  const isWhole = complete && own.node?.kind === 'map';
  const source = isWhole ? keysOf(context, own) : undefined;
  const expansion = ofDevice(context, own, source, (module, config, keys) =>
    module.parseExpansion?.(config, keys),
  );
  const ref = withLearned(own, learned, expansion);
  const tagRefs = ref.child('tags').children();
  const names = tagRefs.map(([local]) => `${name}.${local}`);
  const tags: TagConfig[] = [];
  const bindings: TagBinding<unknown>[] = [];
  const typedPrimary = ref.child('primary').text;
  const empty = { name, link, tags, primary: typedPrimary, events: undefined };
  if (!isWhole) return { config: empty, bindings, names, complete: false, expansion };
  const fits = check(ref, checks?.device ?? looseCheckOf(deviceShape), session.problems);
  for (const [local, tagRef] of tagRefs) {
    if (tagRef.node?.kind !== 'map') continue;
    if (isConstant(tagRef, driver)) {
      check(tagRef, checkOf(constantShape), session.problems);
      const tag = readConstant(context, name, local, tagRef);
      if (tag) tags.push(tag);
      continue;
    }
    check(tagRef, checks?.tag ?? looseCheckOf(anyTag), session.problems);
    const typed = tagTypes.find((known) => known === tagRef.child('type').value);
    const type = typed ?? (tagRef.has('type') ? undefined : driver?.defaultType);
    if (!type) continue;
    const parsed = source && parseAddress(context, ref, tagRef, source, type);
    const address: unknown = parsed?.address;
    const subscribed = parsed && subscribedOf(context, tagRef, address);
    const tag = readTag(context, name, local, tagRef, type, subscribed);
    tags.push(tag);
    const tagNumber = first + bindings.length;
    bindings.push({ tag: tagNumber, name: tag.name, device: name, type: tag.type, address });
  }
  checkPrimary(context, ref, fits);
  const events = ofDevice(context, ref, source, (module, config, keys) =>
    module.parseEvents?.(config, keys),
  );
  const config = { name, link, tags, primary: typedPrimary, events };
  return { config, bindings, names, complete, expansion };
}

/** How the device tells of a tag by itself, if it does. */
function subscribedOf(context: LinkContext, ref: Ref, address: unknown): Subscribed | undefined {
  const { driver, parsed } = context;
  if (!driver?.subscribed || !parsed) return undefined;
  return answerOf(context, driver, 'tag', ref, () => driver.subscribed?.(parsed.config, address))
    ?.value;
}

/** The keys of a device that are its driver's. */
function keysOf(context: LinkContext, ref: Ref): Source | undefined {
  const { driver } = context;
  return driver && pick(context, ref, Object.keys(driver.schema.device.properties));
}

/** Some keys of a map as plain values, secrets filled in. */
function pick({ secrets }: LinkContext, ref: Ref, keys: readonly string[]): Source {
  const source: Record<string, unknown> = {};
  for (const key of keys) {
    const { node } = ref.has(key) ? ref.child(key) : { node: undefined };
    if (node) source[key] = secrets.plain(node);
  }
  return source;
}

function ownKeys(context: LinkContext, driver: DriverModule, ref: Ref): Source {
  return pick(context, ref, Object.keys(driver.schema.tag.properties));
}

/** Where a key names another tag of the device, the keys of that one stand in its place. */
function withNamed(context: LinkContext, device: Ref, own: Source): Source {
  const { driver } = context;
  if (!driver) return own;
  const tags = device.child('tags');
  const { properties } = driver.schema.tag;
  const named = Object.entries(own).flatMap(([key, name]) => {
    const isName = properties[key]?.['format'] === 'tag' && typeof name === 'string';
    if (!isName || !tags.has(name)) return [];
    const tag = tags.child(name);
    const type = tag.child('type').text ?? driver.defaultType;
    return [[key, { ...ownKeys(context, driver, tag), ...(type !== undefined && { type }) }]];
  });
  return { ...own, ...(Object.fromEntries(named) as Source) };
}

function parseAddress(
  context: LinkContext,
  device: Ref,
  ref: Ref,
  source: Source,
  type: TagType,
): { readonly address: unknown } | undefined {
  const { driver, parsed } = context;
  if (!driver || !parsed) return undefined;
  const own = withNamed(context, device, ownKeys(context, driver, ref));
  const made = madeBy(
    context,
    driver,
    'tag',
    ref,
    () => driver.parseTag(parsed.config, source, { ...own, type }),
    ([head, ...rest]) =>
      head === 'device'
        ? device.descend(rest)
        : ref.descend(head === undefined ? rest : [head, ...rest]),
  );
  return made && { address: made.value };
}

/** What the driver makes of keys of a device, where it makes something of them. */
function ofDevice<T>(
  context: LinkContext,
  ref: Ref,
  source: Source | undefined,
  make: (
    driver: DriverModule,
    config: unknown,
    source: Source,
  ) => Parsed<T | undefined> | undefined,
): T | undefined {
  const { driver, parsed } = context;
  if (!driver || !parsed || !source) return undefined;
  const nothing: Parsed<undefined> = { ok: true, value: undefined };
  return madeBy(
    context,
    driver,
    'device',
    ref,
    () => make(driver, parsed.config, source) ?? nothing,
  )?.value;
}

function checkPrimary({ session }: LinkContext, ref: Ref, fits: boolean): void {
  const primary = ref.child('primary');
  const tags = ref.child('tags').children();
  const { text } = primary;
  if (!fits || text === undefined || tags.some(([local]) => local === text)) return;
  const names = tags.map(([local]) => local);
  session.problems.error(
    primary,
    `the device has no tag "${text}"`,
    didYouMean(text, names, 'its tags'),
  );
}
