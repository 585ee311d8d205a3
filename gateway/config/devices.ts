import {
  tagTypes,
  type EventTerms,
  type Source,
  type TagBinding,
  type TagType,
} from '../contract/index.js';
import { report } from './drivers.js';
import type { Shape } from './fields.js';
import { constantShape, deviceShape, isConstant, tagShape } from './keys-link.js';
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
}

/** While the driver is unknown, so is whether it tells the type by itself. */
const anyTag: Shape = { ...tagShape, required: [] };

/** A device with its tags; `first` is the position of its first tag among those of the link. */
export function resolveDevice(
  context: LinkContext,
  { name, ref, complete }: DeviceDraft,
  first: number,
): DeviceResult {
  const { checks, driver, session, link } = context;
  const tagRefs = ref.child('tags').children();
  const names = tagRefs.map(([local]) => `${name}.${local}`);
  const tags: TagConfig[] = [];
  const bindings: TagBinding<unknown>[] = [];
  const typedPrimary = ref.child('primary').text;
  const empty = { name, link, tags, primary: typedPrimary, events: undefined };
  if (!complete || ref.node?.kind !== 'map')
    return { config: empty, bindings, names, complete: false };
  const fits = check(ref, checks?.device ?? looseCheckOf(deviceShape), session.problems);
  const source = driver && pick(context, ref, Object.keys(driver.schema.device.properties));
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
    const subscribed =
      parsed && context.parsed && driver.subscribed?.(context.parsed.config, address);
    const tag = readTag(context, name, local, tagRef, type, subscribed);
    tags.push(tag);
    const tagNumber = first + bindings.length;
    bindings.push({ tag: tagNumber, name: tag.name, device: name, type: tag.type, address });
  }
  checkPrimary(context, ref, fits);
  const events = source && parseEvents(context, ref, source);
  const config = { name, link, tags, primary: typedPrimary, events };
  return { config, bindings, names, complete };
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

function parseAddress(
  context: LinkContext,
  device: Ref,
  ref: Ref,
  source: Source,
  type: TagType,
): { readonly address: unknown } | undefined {
  const { driver, parsed, session, secrets } = context;
  if (!driver || !parsed) return undefined;
  const own = pick(context, ref, Object.keys(driver.schema.tag.properties));
  try {
    const result = driver.parseTag(parsed.config, source, { ...own, type });
    if (result.ok) return { address: result.value };
    report(session, secrets, result.problems, ([head, ...rest]) =>
      head === 'device'
        ? device.descend(rest)
        : ref.descend(head === undefined ? rest : [head, ...rest]),
    );
  } catch {
    // What a driver throws may hold what it was given: not shown.
    session.problems.errorAtKey(ref, `the driver ${driver.name} failed on this tag`);
  }
  return undefined;
}

function parseEvents(
  { driver, parsed, session, secrets }: LinkContext,
  device: Ref,
  source: Source,
): EventTerms | undefined {
  if (!driver?.parseEvents || !parsed) return undefined;
  try {
    const result = driver.parseEvents(parsed.config, source);
    if (result.ok) return result.value;
    report(session, secrets, result.problems, (path) => device.descend(path));
  } catch {
    // What a driver throws may hold what it was given: not shown.
    session.problems.errorAtKey(device, `the driver ${driver.name} failed on this device`);
  }
  return undefined;
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
