import { limits } from '../limits.js';
import { written } from './format.js';
import { parameterShape, profileShape } from './keys-link.js';
import { where } from './include.js';
import { placeholders } from './secrets.js';
import type { Session } from './session.js';
import { didYouMean } from './suggest.js';
import {
  eachScalar,
  mapScalars,
  Ref,
  type Entry,
  type MapNode,
  type Place,
  type ScalarNode,
} from './tree.js';
import { check, checkOf } from './validate.js';
import { parseQuantity } from '../contract/index.js';

interface Parameter {
  readonly at: Place;
  readonly fallback: ScalarNode | undefined;
  readonly unit: string | undefined;
  readonly description: string | undefined;
}

interface Profile {
  readonly path: string;
  readonly parameters: ReadonlyMap<string, Parameter>;
  /** Keys of the device, `tags` among them. */
  readonly device: MapNode;
}

export interface Expanded {
  readonly ref: Ref;
  /** False when the profile or a parameter is missing: then nothing more can be said of the device. */
  readonly complete: boolean;
}

/** Longest text of a parameter: it may stand in many places of many devices. */
const longestParameter = 1_000;

/** Tags of device types, each file read once. */
export class Profiles {
  readonly #session: Session;
  readonly #read = new Map<string, Promise<Profile | undefined>>();
  /** Tags made out of profiles so far: few lines can ask for more than fit into memory. */
  #tags = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  /** The device with its profile filled in; what the device says itself comes first. */
  async expand(device: Ref, name: string, driver: string | undefined): Promise<Expanded> {
    const ref = device.child('profile');
    const { problems } = this.#session;
    if (!ref.node) {
      if (device.has('parameters'))
        problems.errorAtKey(device.child('parameters'), 'parameters without a profile');
      return { ref: device, complete: true };
    }
    if (ref.text === undefined || device.node?.kind !== 'map')
      return { ref: device, complete: false };
    const path = await this.#find(ref, ref.text, driver);
    if (path === undefined) return { ref: device, complete: false };
    let reading = this.#read.get(path);
    if (!reading) {
      reading = readProfile(this.#session, path, ref);
      this.#read.set(path, reading);
    }
    const profile = await reading;
    if (!profile) return { ref: device, complete: false };
    const tags = profile.device.entries.get('tags')?.value;
    this.#tags += tags?.kind === 'map' ? tags.entries.size : 0;
    if (this.#tags > limits.tags) {
      problems.error(ref, `the profiles make more tags than a gateway takes, ${limits.tags}`);
      return { ref: device, complete: false };
    }
    const values = parameterValues(this.#session, device, profile);
    const filled = mapScalars(profile.device, (scalar) => fill(scalar, values.given)) as MapNode;
    const merged = merge(filled, device.node);
    return { ref: device.with(merged, { name, profile: path }), complete: values.complete };
  }

  /** A plain name is a profile that comes with the driver; everything else is a file. */
  async #find(ref: Ref, text: string, driver: string | undefined): Promise<string | undefined> {
    const { host, problems } = this.#session;
    if (!/^[a-z0-9][a-z0-9-]*$/.test(text)) return host.resolve(ref.at.file.path, text);
    if (driver === undefined) return undefined;
    const known = await host.profilesOf(driver);
    const path = known.get(text);
    if (path === undefined)
      problems.error(
        ref,
        `no profile "${text}" comes with the driver ${driver}`,
        didYouMean(text, [...known.keys()], 'it has') ?? `for a file write ${text}.yaml`,
      );
    return path;
  }
}

async function readProfile(
  session: Session,
  path: string,
  from: Ref,
): Promise<Profile | undefined> {
  const { problems } = session;
  const before = problems.errors;
  const node = await session.tree(path, from);
  if (problems.errors > before) return undefined;
  if (node?.kind !== 'map') {
    problems.error(from, `the profile ${path} must be a map with tags`);
    return undefined;
  }
  const root = new Ref(node, [], node.at);
  // Keys of the device depend on the driver, and are checked with each device.
  const meta = new Map(
    [...node.entries].filter(([key]) => Object.hasOwn(profileShape.properties, key)),
  );
  check(root.with({ ...node, entries: meta }), checkOf(profileShape), problems);
  const parameters = readParameters(session, root.child('parameters'));
  const own = new Map(
    [...node.entries].filter(
      ([key]) => key === 'tags' || !Object.hasOwn(profileShape.properties, key),
    ),
  );
  for (const key of ['profile', 'parameters'])
    if (own.has(key)) problems.errorAtKey(root.child(key), `a profile has no key "${key}"`);
  const device: MapNode = { ...node, entries: own };
  checkPlaceholders(session, new Ref(device, [], node.at), parameters);
  return problems.errors > before ? undefined : { path, parameters, device };
}

function readParameters(session: Session, ref: Ref): Map<string, Parameter> {
  const parameters = new Map<string, Parameter>();
  for (const [name, value] of ref.children()) {
    if (value.node?.kind === 'map') {
      check(value, checkOf(parameterShape), session.problems);
      const fallback = value.child('default').node;
      parameters.set(name, {
        at: value.keyAt,
        fallback: fallback?.kind === 'scalar' ? fallback : undefined,
        unit: value.child('unit').text,
        description: value.child('description').text,
      });
    } else if (value.node?.kind === 'scalar') {
      const fallback = value.node.value === null ? undefined : value.node;
      parameters.set(name, {
        at: value.keyAt,
        fallback,
        unit: undefined,
        description: undefined,
      });
    }
  }
  return parameters;
}

const parameterName = /^parameters\.(.*)$/;

function checkPlaceholders(
  { problems }: Session,
  device: Ref,
  parameters: ReadonlyMap<string, Parameter>,
): void {
  if (!device.node) return;
  eachScalar(device.node, ({ value }, path) => {
    if (typeof value !== 'string') return;
    for (const inside of placeholders(value)) {
      const name = parameterName.exec(inside)?.[1];
      if (name === undefined && inside.startsWith('secret:')) continue;
      if (name !== undefined && parameters.has(name)) continue;
      const known = [...parameters.keys()];
      if (name === undefined)
        problems.error(
          device.descend(path),
          `unknown placeholder "\${${inside}}"`,
          'write ${parameters.NAME}',
        );
      else
        problems.error(
          device.descend(path),
          `the profile has no parameter "${name}"`,
          didYouMean(name, known, 'it has') ?? 'declare it under parameters:',
        );
    }
  });
}

function parameterValues(
  { problems }: Session,
  device: Ref,
  profile: Profile,
): { given: ReadonlyMap<string, ScalarNode>; complete: boolean } {
  const list = device.child('parameters');
  const given = new Map<string, ScalarNode>();
  const before = problems.errors;
  const { isForeign } = profile.device.at.file;
  for (const [name, value] of list.children()) {
    const parameter = profile.parameters.get(name);
    if (!parameter) {
      const known = isForeign ? [] : [...profile.parameters.keys()];
      problems.errorAtKey(
        value,
        `the profile has no parameter "${name}"`,
        didYouMean(name, known, 'it has'),
      );
    } else if ((value.text?.length ?? 0) > longestParameter)
      problems.error(value, `longer than ${longestParameter} characters`);
    else if (value.node?.kind === 'scalar' && value.node.value !== null) {
      checkUnit(problems, value, parameter.unit);
      given.set(name, value.node);
    } else problems.error(value, 'must be a text, a number, or true or false');
  }
  for (const [name, { at, fallback, description }] of profile.parameters) {
    if (given.has(name) || list.has(name)) continue;
    const declared = `it is declared ${where(at)}`;
    if (fallback) given.set(name, fallback);
    else if (isForeign)
      problems.errorAtKey(list, 'a parameter of the profile is missing', declared);
    else
      problems.errorAtKey(list.child(name), `missing parameter "${name}"`, description ?? declared);
  }
  return { given, complete: problems.errors === before };
}

function checkUnit(problems: Session['problems'], value: Ref, unit: string | undefined): void {
  if (unit === undefined || typeof value.value === 'number') return;
  const quantity = parseQuantity(value.text ?? '');
  if (!quantity || (quantity.unit !== undefined && quantity.unit !== unit))
    problems.error(value, `must be a quantity in ${unit}, not ${written(value.node, value.value)}`);
}

/** A whole-text placeholder takes the value as it is, number or text; others are put into the text. */
function fill(scalar: ScalarNode, given: ReadonlyMap<string, ScalarNode>): ScalarNode {
  const { value } = scalar;
  if (typeof value !== 'string' || !value.includes('${parameters.')) return scalar;
  const whole = given.get(/^\$\{parameters\.([^}]*)\}$/.exec(value)?.[1] ?? '');
  if (whole) return { ...scalar, value: whole.value, source: whole.source };
  const filled = value.replace(/\$\{parameters\.([^}]*)\}/g, (text, name: string) => {
    const parameter = given.get(name);
    if (!parameter) return text;
    return typeof parameter.value === 'string' ? parameter.value : parameter.source;
  });
  return { ...scalar, value: filled };
}

/** The device's keys over those of the profile; tags key by key. */
function merge(profile: MapNode, device: MapNode): MapNode {
  const entries = overlay(profile, device);
  const [theirs, own] = [profile.entries.get('tags'), device.entries.get('tags')];
  if (theirs?.value.kind === 'map' && own?.value.kind === 'map') {
    const tags = new Map(theirs.value.entries);
    for (const [name, tag] of own.value.entries) {
      const base = tags.get(name)?.value;
      const both = base?.kind === 'map' && tag.value.kind === 'map';
      tags.set(
        name,
        both ? { key: tag.key, value: { ...tag.value, entries: overlay(base, tag.value) } } : tag,
      );
    }
    entries.set('tags', { key: own.key, value: { ...own.value, entries: tags } });
  }
  return { ...device, entries };
}

function overlay(below: MapNode, above: MapNode): Map<string, Entry> {
  return new Map([...below.entries, ...above.entries]);
}
