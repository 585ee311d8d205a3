import {
  ms,
  nearest,
  parseDuration,
  shown,
  type DriverModule,
  type TagBinding,
} from '../contract/index.js';
import type { DeviceResult } from './devices.js';
import { answerOf, type Asking } from './drivers.js';
import type { TagConfig, WritePermit, WriteSource, LinkConfig } from './model.js';
import type { Session } from './session.js';
import { readSpan } from './tags.js';
import type { Ref } from './tree.js';
import { parseRate } from './units.js';

const sources: readonly WriteSource[] = ['rules', 'operator', 'cloud'];
/** The device is given so long to obey, whatever its period. */
const leastVerifyMs = 3_000;

/** All tags of the configuration by name, and by device where a device has a primary tag. */
class Tags {
  readonly #tags = new Map<string, TagConfig>();
  readonly #known = new Set<string>();
  readonly #incomplete: readonly string[];

  constructor(devices: readonly DeviceResult[]) {
    for (const { config, names } of devices) {
      for (const name of names) this.#known.add(name);
      for (const tag of config.tags) {
        this.#tags.set(tag.name, tag);
        if (tag.local === config.primary) this.#tags.set(config.name, tag);
      }
      if (config.primary !== undefined) this.#known.add(config.name);
    }
    this.#incomplete = devices.filter((d) => !d.complete).map((d) => `${d.config.name}.`);
  }

  /** A problem only if the name is unknown; a tag that is known but wrong was reported already. */
  find(session: Session, ref: Ref, name: string, atKey: boolean): TagConfig | undefined {
    const tag = this.#tags.get(name);
    if (tag || this.#known.has(name)) return tag;
    if (this.#incomplete.some((device) => `${name}.`.startsWith(device))) return undefined;
    const near = nearest(name, this.#known);
    const message = `no tag named "${name}"`;
    const hint = near === undefined ? 'tags are named DEVICE.tag' : `did you mean "${near}"?`;
    if (atKey) session.problems.errorAtKey(ref, message, hint);
    else session.problems.error(ref, message, hint);
    return undefined;
  }
}

/** What may be written, by full tag name. */
export function readWrites(
  asking: Asking,
  writes: Ref,
  devices: readonly DeviceResult[],
  links: readonly LinkConfig[],
): ReadonlyMap<string, WritePermit> {
  const { session } = asking;
  const tags = new Tags(devices);
  const owners = ownersOf(links);
  const permits = new Map<string, WritePermit>();
  for (const [name, ref] of writes.children()) {
    const tag = tags.find(session, ref, name, true);
    if (!tag || ref.node?.kind !== 'map') continue;
    if (permits.has(tag.name))
      session.problems.errorAtKey(
        ref,
        `${tag.name} stands here already`,
        'a device name stands for its primary tag',
      );
    // All that a write needs to know is asked for beforehand.
    const never = askOwner(asking, ref, owners.get(tag.name), (driver, config, binding) => {
      driver.writeTimeout?.(config, binding);
      return driver.unwritable?.(config, binding);
    });
    if (never !== undefined)
      session.problems.errorAtKey(ref, `${tag.name} can never be written: ${never}`);
    const isUnread = (name: string): boolean =>
      askOwner(asking, ref, owners.get(name), (driver, config, { address }) =>
        driver.isWriteOnly?.(config, address),
      ) === true;
    permits.set(tag.name, readPermit(session, ref, tag, tags, isUnread));
  }
  return permits;
}

/** Where a tag is read and written. */
interface Owner {
  readonly link: LinkConfig;
  readonly binding: TagBinding<unknown>;
}

function ownersOf(links: readonly LinkConfig[]): ReadonlyMap<string, Owner> {
  return new Map(
    links.flatMap((link) =>
      link.bindings.map((binding) => [binding.name, { link, binding }] as const),
    ),
  );
}

/** What the driver of a tag says of it; undefined where there is none, or where it fails, which was reported. */
function askOwner<T>(
  asking: Asking,
  ref: Ref,
  owner: Owner | undefined,
  ask: (driver: DriverModule, config: unknown, binding: TagBinding<unknown>) => T,
): T | undefined {
  if (!owner) return undefined;
  const { driver, config } = owner.link;
  return answerOf(asking, driver, 'tag', ref, () => ask(driver, config, owner.binding))?.value;
}

function readPermit(
  session: Session,
  ref: Ref,
  tag: TagConfig,
  tags: Tags,
  isUnread: (tag: string) => boolean,
): WritePermit {
  const { problems } = session;
  const isNumeric = tag.type !== 'bool' && tag.type !== 'string';
  if (tag.constant !== undefined)
    problems.errorAtKey(ref, `${tag.name} is a constant and cannot be written`);
  for (const key of ['range', 'rate'])
    if (!isNumeric && ref.has(key))
      problems.errorAtKey(ref.child(key), `a ${tag.type} has no ${key}`, 'leave it out');
  if (isNumeric && tag.constant === undefined && !ref.has('range'))
    problems.warn(ref, 'no range: any value of the type may be written', 'add range: [LOW, HIGH]');
  const typed = readVerify(session, ref.child('verify'), tag, tags);
  const verify = typed && isUnread(typed.by) ? undefined : typed;
  if (typed && !verify && ref.has('verify'))
    problems.error(
      ref.child('verify'),
      `${typed.by} is writeOnly: nobody reads it`,
      'leave verify out, or verify by another tag',
    );
  const isOwn = isUnread(tag.name);
  const unread = isOwn ? `${tag.name} is writeOnly` : 'verify: none says that nobody reads it';
  for (const key of ['rate', 'expect'])
    if (ref.has(key) && (isOwn || (key === 'rate' && !verify)))
      problems.errorAtKey(
        ref.child(key),
        `a rate and an expected value need a present value, and ${unread}`,
        'leave one of the two out',
      );
  const allowed = ref
    .child('allow')
    .items()
    .map((item) => item.text);
  return {
    tag: tag.name,
    allow: new Set(sources.filter((source) => allowed.includes(source))),
    range: readSpan(problems, ref.child('range')),
    ratePerSecond: isNumeric ? readRate(session, ref.child('rate'), tag) : undefined,
    verify,
    expect: ref.child('expect').value === true,
  };
}

function readRate(session: Session, ref: Ref, tag: TagConfig): number | undefined {
  const { problems } = session;
  const { number, text } = ref;
  if (number !== undefined) {
    if (number <= 0) problems.error(ref, 'must be more than 0', 'leave it out for any rate');
    return number;
  }
  if (text === undefined) return undefined;
  const rate = parseRate(text);
  if (!rate) {
    const like = `5 ${tag.unit ?? 'm/min'} per s`;
    problems.error(ref, `must be a rate, not ${shown(text)}`, `write it like ${like}, or 5`);
    return undefined;
  }
  if (rate.unit !== tag.unit && rate.unit !== undefined)
    problems.error(
      ref,
      `the rate is in ${rate.unit}, but ${tag.name} is in ${tag.unit ?? 'no unit'}`,
      tag.unit === undefined ? 'give the tag a unit:' : `write it in ${tag.unit}`,
    );
  return rate.value;
}

function readVerify(session: Session, ref: Ref, tag: TagConfig, tags: Tags): WritePermit['verify'] {
  if (ref.text === 'none') return undefined;
  const { problems } = session;
  const typed = ref.child('by');
  let by = tag;
  if (typed.text !== undefined) {
    const found = tags.find(session, typed, typed.text, false);
    if (found?.constant !== undefined)
      problems.error(typed, `${found.name} is a constant and shows nothing`);
    else if (found && kindOf(found) !== kindOf(tag))
      problems.error(typed, `${found.name} is a ${found.type}, but ${tag.name} is a ${tag.type}`);
    by = found ?? tag;
  }
  const within = parseDuration(ref.child('within').text ?? '');
  if (within === 0) problems.error(ref.child('within'), 'must be longer than 0');
  return { by: by.name, within: within ?? ms(Math.max(3 * by.period, leastVerifyMs)) };
}

function kindOf({ type }: TagConfig): 'bool' | 'string' | 'number' {
  return type === 'bool' || type === 'string' ? type : 'number';
}
