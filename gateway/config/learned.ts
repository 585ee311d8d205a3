import {
  own,
  type DeviceSurvey,
  type DriverModule,
  type Endpoint,
  type SurveyDevice,
} from '../contract/index.js';
import { named, namesByKeys, type Names } from './learned-names.js';
import type { DriverRef } from './model.js';
import type { Entry, MapNode, Node, Place, Plain, Ref } from './tree.js';

/**
 * What the devices of a link have said of themselves: tags that the configuration asks for by folder, units and
 * spans that it leaves out. It lies in a file beside the journal, so that a configuration means the same
 * whether its devices can be reached or not.
 */
export interface Learned {
  readonly learned: 1;
  readonly devices: Readonly<Record<string, LearnedDevice>>;
}

export interface LearnedDevice {
  /** The expansion that the tags come from, as JSON; tags of another one do not count. */
  readonly from: string;
  readonly tags: Readonly<Record<string, Readonly<Record<string, Plain>>>>;
  /** What each name was ever given to, of whatever expansion; a file of an earlier version has none. */
  readonly names?: Names;
  /** Units and spans of tags of the configuration. */
  readonly facts: Readonly<Record<string, Readonly<Record<string, Plain>>>>;
}

/** A link that can be asked what its devices have. */
export interface SurveyPlan {
  readonly link: string;
  readonly driver: DriverModule;
  readonly driverRef: DriverRef;
  readonly endpoint: Endpoint;
  readonly config: unknown;
  readonly devices: readonly SurveyDevice[];
  /** Units and spans that the configuration leaves out are its devices'. */
  readonly learnsUnits: boolean;
  /** Something of it is part of the configuration. */
  readonly wanted: boolean;
  /** What was learned before; undefined = nothing that is still asked for. */
  readonly before: Learned | undefined;
  /** What lies there, also if it was learned for another expansion: whose name is whose. */
  readonly earlier: Learned | undefined;
  /** File of what was learned. */
  readonly path: string;
}

/** What stands in a file; undefined when it is none of ours, or damaged. */
export function parseLearned(text: string | undefined): Learned | undefined {
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as Partial<Learned> | null;
    return value?.learned === 1 && typeof value.devices === 'object'
      ? (value as Learned)
      : undefined;
  } catch {
    return undefined;
  }
}

export function fingerprintOf(expansion: unknown): string {
  return JSON.stringify(expansion ?? null);
}

/**
 * What is learned from a survey.
 * @param before what was known: tags that a device does not name any more stay, and are bad by themselves
 */
export function learnedOf(
  { devices, learnsUnits, earlier }: SurveyPlan,
  surveys: readonly DeviceSurvey[],
  before?: Learned,
): Learned {
  const learned = devices.map(({ name, expansion, tags }): [string, LearnedDevice] => {
    const survey = surveys.find((one) => one.name === name);
    const from = fingerprintOf(expansion);
    const known = own(before?.devices, name);
    const listed = survey?.found ?? [];
    const last = own(earlier?.devices, name);
    const given = named(listed, last?.names ?? namesByKeys(last?.tags ?? {}, listed));
    const found = given.tags;
    // A tag that was found is one of the configuration the next time: it says the same of it now and then.
    const said = [
      ...found,
      ...tags.map((tag, at) => [tag.name.slice(name.length + 1), survey?.facts[at] ?? {}] as const),
    ];
    const facts = learnsUnits ? said.flatMap(([local, keys]) => factsOf(local, keys)) : [];
    return [
      name,
      {
        from,
        tags: { ...(known?.from === from ? known.tags : {}), ...plainEntries(found) },
        names: given.names,
        facts: { ...(learnsUnits ? known?.facts : {}), ...plainEntries(facts) },
      },
    ];
  });
  return { learned: 1, devices: Object.fromEntries(learned) };
}

/** What is said of a tag by its name, if there is something. */
function factsOf(
  local: string,
  { unit, span }: { readonly unit?: unknown; readonly span?: unknown },
): [string, object][] {
  const facts = {
    ...(unit === undefined ? {} : { unit }),
    ...(span === undefined ? {} : { span }),
  };
  return Object.keys(facts).length > 0 ? [[local, facts]] : [];
}

function plainEntries(
  entries: readonly (readonly [string, object])[],
): Record<string, Record<string, Plain>> {
  return Object.fromEntries(entries) as Record<string, Record<string, Plain>>;
}

/** A device with what was learned of it; what the configuration says itself comes first. */
export function withLearned(ref: Ref, learned: LearnedDevice | undefined, expansion: unknown): Ref {
  const { node } = ref;
  if (!learned || node?.kind !== 'map') return ref;
  const typed = node.entries.get('tags');
  const typedTags = typed?.value.kind === 'map' ? typed.value.entries : new Map<string, Entry>();
  const at = ref.child('expand').at;
  const tags = new Map<string, Entry>();
  if (fingerprintOf(expansion) === learned.from && expansion !== undefined)
    for (const [name, keys] of Object.entries(learned.tags))
      tags.set(name, { key: at, value: nodeOf(keys, at) });
  for (const [name, entry] of typedTags)
    tags.set(name, { key: entry.key, value: withFacts(entry.value, own(learned.facts, name)) });
  const key = typed?.key ?? at;
  const value: MapNode = { kind: 'map', at: typed?.value.at ?? at, entries: tags };
  const entries = new Map([...node.entries, ['tags', { key, value }] as const]);
  return ref.with({ ...node, entries });
}

/** A unit of the device is that of its raw value: where we scale, it says nothing. */
function withFacts(tag: Node, facts: Readonly<Record<string, Plain>> | undefined): Node {
  if (!facts || tag.kind !== 'map' || tag.entries.has('scale') || tag.entries.has('offset'))
    return tag;
  const more = Object.entries(facts).filter(([key]) => !tag.entries.has(key));
  const added = more.map(([key, value]): [string, Entry] => [
    key,
    { key: tag.at, value: nodeOf(value, tag.at) },
  ]);
  return { ...tag, entries: new Map([...tag.entries, ...added]) };
}

/** A value that stands in no file of the engineer's, at the place that asks for it. */
function nodeOf(value: Plain, at: Place): Node {
  if (Array.isArray(value))
    return { kind: 'list', at, items: value.map((one: Plain) => nodeOf(one, at)) };
  if (typeof value === 'object' && value !== null)
    return {
      kind: 'map',
      at,
      entries: new Map(
        Object.entries(value).map(([key, inner]) => [key, { key: at, value: nodeOf(inner, at) }]),
      ),
    };
  return { kind: 'scalar', at, end: at.offset, style: 'plain', value, source: String(value) };
}
