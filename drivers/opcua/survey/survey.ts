import {
  Quality,
  type DeviceSurvey,
  type FoundTag,
  type SurveyDevice,
  type TagBinding,
  type SurveyedTag,
} from '../../../gateway/contract/index.js';
import type { OpcuaAddress } from '../plan/address.js';
import { Attribute, itemOf, type UaSession, type UaValue } from '../service/client.js';
import { analogsOf, tagsOf, type Analog } from './describe.js';
import type { Folder } from '../plan/expansion.js';
import type { Nodes } from '../nodes/nodes.js';
import { nowhere } from '../nodes/refusals.js';
import { isBad } from '../service/status.js';
import { walk } from './tree.js';
import { blankReading, readValue } from '../values/values.js';

/** Bits of an access level. */
const readable = 1;
const writable = 2;
/** Nodes that are looked at for one tag of a folder, at most: folders within folders count too. */
const nodesForOne = 4;

type Tag = TagBinding<OpcuaAddress>;

/** What the server says of the tags of one device, and which other ones it has. */
export async function surveyDevice(
  session: UaSession,
  nodes: Nodes,
  { name, tags, expansion }: SurveyDevice<OpcuaAddress>,
): Promise<DeviceSurvey> {
  const facts = await factsOf(session, nodes, tags);
  const found: FoundTag[] = [];
  const remarks: string[] = [];
  for (const folder of (expansion ?? []) as readonly Folder[]) {
    const more = await tagsIn(session, nodes, folder);
    const known = new Set(found.map((tag) => tag.identity));
    const fresh = more.tags.filter((tag) => !known.has(tag.identity));
    found.push(...fresh);
    remarks.push(...more.remarks);
    const taken = more.tags.length - fresh.length;
    if (taken > 0) remarks.push(`left out: ${String(taken)} that are there already: see suffix`);
  }
  return { name, facts, found, remarks };
}

async function tagsIn(
  session: UaSession,
  nodes: Nodes,
  { node, depth, most, filter, suffix, keys }: Folder,
): Promise<{ readonly tags: readonly FoundTag[]; readonly remarks: readonly string[] }> {
  const [from] = await nodes.find([node]);
  if (from === undefined) return { tags: [], remarks: ['the server has no such folder'] };
  const refused: string[] = [];
  const all = await walk(session, from, {
    depth,
    most: most * nodesForOne,
    onRefused: (path, why) => refused.push(`not looked into: ${path} (${why})`),
  });
  const wanted = all.filter(({ path }) => path.toLowerCase().includes(filter.toLowerCase()));
  const { tags, remarks: leftOut } = await tagsOf(
    session,
    wanted,
    ({ names }) => `${names.join('_')}${suffix}`,
  );
  const remarks = [...refused, ...leftOut];
  const isCut = tags.length > most || all.length >= most * nodesForOne;
  return {
    tags: tags.slice(0, most).map((tag) => withKeys(tag, suffix, keys)),
    remarks: isCut ? [...remarks, `more than ${String(most)} tags: see most`] : remarks,
  };
}

/**
 * Type, unit and span are those of the value: what stands beside it has others. A tag is what it shows of its node; under
 * another suffix it was asked for twice.
 */
function withKeys(
  { name, identity, keys: found }: FoundTag,
  suffix: string,
  keys: Folder['keys'],
): FoundTag {
  const { aspect = 'value', range, field } = keys;
  const { address, description } = found;
  const beside = { address, ...(description === undefined ? {} : { description }) };
  return {
    name,
    identity: JSON.stringify([identity, aspect, range, field, suffix]),
    keys: { ...(aspect === 'value' ? found : beside), ...keys },
  };
}

async function factsOf(
  session: UaSession,
  nodes: Nodes,
  tags: readonly Tag[],
): Promise<SurveyedTag[]> {
  const ids = await nodes.find(tags.map(({ address: { method, node } }) => method?.node ?? node));
  const known = [...ids.keys()].filter((at) => ids[at] !== undefined);
  const idOf = (at: number): string => ids[at] ?? '';
  const levels = await session.read(
    known.map((at) => ({
      nodeId: idOf(at),
      attributeId: tags[at]?.address.method ? Attribute.userExecutable : Attribute.userAccessLevel,
    })),
  );
  const values = await session.read(known.map((at) => itemOf(idOf(at), addressOf(tags, at))));
  const analogs = await analogsOf(session, known.map(idOf));
  const facts: SurveyedTag[] = tags.map(() => nothingKnown);
  known.forEach((at, i) => {
    facts[at] = factOf(addressOf(tags, at), levels[i], values[i], analogs[i]);
  });
  return facts;
}

function addressOf(tags: readonly Tag[], at: number): OpcuaAddress {
  return (tags[at] as Tag).address;
}

const nothingKnown: SurveyedTag = {
  problem: nowhere,
  writable: undefined,
  unit: undefined,
  span: undefined,
};

function factOf(
  address: OpcuaAddress,
  level: UaValue | undefined,
  value: UaValue | undefined,
  analog: Analog | undefined,
): SurveyedTag {
  if (!level || isBad(level.statusCode.value))
    return { ...nothingKnown, problem: level?.statusCode.name ?? 'no answer' };
  if (address.method) {
    const mayCall = level.value.value === true;
    return { ...nothingKnown, problem: undefined, writable: mayCall };
  }
  const bits = Number(level.value.value);
  const { aspect, field, range } = address;
  const isWhole = aspect === 'value' && field.length === 0 && range === undefined;
  return {
    problem: (bits & readable) === 0 ? 'it may not be read by us' : misfitOf(address, value),
    writable: (bits & writable) !== 0,
    // Of a whole value only: that of a part may be another.
    unit: isWhole ? analog?.unit : undefined,
    span: isWhole ? analog?.span : undefined,
  };
}

/** Why the value that is there now cannot be the tag's; one that is bad at present may well be. */
function misfitOf(address: OpcuaAddress, value: UaValue | undefined): string | undefined {
  if (!value) return 'no answer';
  const reading = blankReading();
  readValue(value, address, reading);
  if (reading.quality === Quality.decode) return `its value is no ${address.type}`;
  return reading.quality === Quality.configuration ? value.statusCode.name : undefined;
}
