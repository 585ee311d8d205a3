import { stringify } from 'yaml';
import { Attribute, BuiltIn } from '../../drivers/opcua/client.js';
import type { Child } from '../../drivers/opcua/library.js';
import { isBad } from '../../drivers/opcua/status.js';
import type { TagType } from '../../gateway/contract/index.js';
import type { BrowseOptions } from '../commands/opcua.js';
import { Exit } from '../exit.js';
import { CliError, print, printJson } from '../output.js';
import { idsOf, withClient, type UaClient } from './client.js';

const objectsFolder = 'i=85';
/** Below the server's own object lies only its diagnosis. */
const serverObject = 'i=2253';

interface Found extends Child {
  readonly path: string;
  readonly depth: number;
}

/** `millrace opcua browse` */
export async function browseCommand(
  options: BrowseOptions,
  url: string,
  node: string | undefined,
): Promise<void> {
  const depth = countOf(options.depth, '--depth');
  const most = countOf(options.most, '--most');
  await withClient(options, url, async (client) => {
    const [from = objectsFolder] = node === undefined ? [] : await idsOf(client, [node]);
    const all = await tree(client, from, depth, most);
    const wanted = all.filter(
      ({ path, kind }) =>
        options.filter === undefined ||
        (kind === 'variable' && path.toLowerCase().includes(options.filter.toLowerCase())),
    );
    if (options.yaml) print(await deviceBlock(client, wanted));
    else if (options.json)
      printJson(wanted.map(({ nodeId, path, kind }) => ({ path, nodeId, kind })));
    else for (const one of wanted) print(lineOf(one, options.filter !== undefined));
    if (all.length >= most)
      note(`only the first ${String(most)} nodes; see --most, --depth and NODE`);
  });
}

function countOf(text: string, option: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  throw new CliError(`${option} is no number: ${text}`, '', Exit.usage);
}

/** Progress and remarks go to where they do not disturb what is piped. */
function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Level by level, each node once, however many ways lead to it. */
async function tree(client: UaClient, from: string, depth: number, most: number): Promise<Found[]> {
  const found: Found[] = [];
  const seen = new Set([from, serverObject, `ns=0;${serverObject}`]);
  const visit = async (nodeId: string, path: string, level: number): Promise<void> => {
    if (level >= depth || found.length >= most) return;
    for (const child of await client.session.browse(nodeId, most - found.length)) {
      if (seen.has(child.nodeId) || found.length >= most) continue;
      seen.add(child.nodeId);
      const own = `${path}/${child.ns === 0 ? '' : `${String(child.ns)}:`}${child.name}`;
      found.push({ ...child, path: own, depth: level });
      if (process.stderr.isTTY && found.length % 50 === 0)
        process.stderr.write(`\r${String(found.length)} nodes …`);
      await visit(child.nodeId, own, level + 1);
    }
  };
  await visit(from, '', 0);
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  return found;
}

function lineOf({ nodeId, name, kind, depth, path }: Found, flat: boolean): string {
  const mark = kind === 'variable' ? '' : kind === 'method' ? '()' : '/';
  return flat ? `${path}  ${nodeId}` : `${'  '.repeat(depth)}${name}${mark}  ${nodeId}`;
}

const tagTypes: Readonly<Record<number, TagType>> = {
  [BuiltIn.boolean]: 'bool',
  [BuiltIn.sByte]: 'int8',
  [BuiltIn.byte]: 'uint8',
  [BuiltIn.int16]: 'int16',
  [BuiltIn.uint16]: 'uint16',
  [BuiltIn.int32]: 'int32',
  [BuiltIn.uint32]: 'uint32',
  [BuiltIn.int64]: 'int64',
  [BuiltIn.uint64]: 'uint64',
  [BuiltIn.float]: 'float32',
  [BuiltIn.double]: 'float64',
  [BuiltIn.string]: 'string',
  [BuiltIn.dateTime]: 'float64',
  [BuiltIn.localizedText]: 'string',
};

/** The variables as tags of one device; those of a type that no tag has are left out, and named. */
async function deviceBlock(client: UaClient, found: readonly Found[]): Promise<string> {
  const variables = found.filter(({ kind, name }) => kind === 'variable' && !isProperty(name));
  const values = await client.session.read(
    variables.map(({ nodeId }) => ({ nodeId, attributeId: Attribute.value })),
  );
  const uris = await client.session.namespaces();
  const tags: Record<string, object> = {};
  for (const [at, variable] of variables.entries()) {
    const value = values[at];
    const type = tagTypes[value?.value.dataType ?? 0];
    const isScalar = value !== undefined && isOne(value.value);
    if (!value || isBad(value.statusCode.value) || type === undefined || !isScalar) {
      note(`left out: ${variable.path} (${value?.statusCode.name ?? 'unread'})`);
      continue;
    }
    tags[nameFor(variable, tags)] = {
      address: withUri(variable.nodeId, uris),
      type,
      ...(await unitAndSpan(client, variable.nodeId)),
    };
  }
  return stringify({ devices: { DEVICE: { tags } } }, { lineWidth: 0 });
}

const properties = [
  'EngineeringUnits',
  'EURange',
  'InstrumentRange',
  'ValuePrecision',
  'Definition',
];
function isProperty(name: string): boolean {
  return properties.includes(name);
}

/** One value, and not an array; a 64-bit integer is a pair of numbers. */
function isOne({
  dataType,
  value,
}: {
  readonly dataType: number;
  readonly value: unknown;
}): boolean {
  if (value instanceof Uint8Array) return dataType === BuiltIn.byteString;
  if (ArrayBuffer.isView(value)) return false;
  if (!Array.isArray(value)) return true;
  const isPair = dataType === BuiltIn.int64 || dataType === BuiltIn.uint64;
  return isPair && value.length === 2 && typeof value[0] === 'number';
}

/** A name that a tag may have and that none has yet. */
function nameFor({ name }: Found, taken: Readonly<Record<string, object>>): string {
  const plain = name.replace(/[^A-Za-z0-9_]+/g, '_').replace(/^(?=\d)/, '_') || 'tag';
  let unique = plain;
  for (let n = 2; Object.hasOwn(taken, unique); n++) unique = `${plain}_${String(n)}`;
  return unique;
}

function withUri(nodeId: string, uris: readonly string[]): string {
  const match = /^ns=(\d+);(.*)$/s.exec(nodeId);
  const uri = match && uris[Number(match[1])];
  return match && uri !== undefined && match[1] !== '0' ? `nsu=${uri};${match[2] ?? ''}` : nodeId;
}

/** What the server says of an analog value: its unit and its range. */
async function unitAndSpan(
  { session }: UaClient,
  nodeId: string,
): Promise<{ unit?: string; span?: [number, number] }> {
  const children = await session.browse(nodeId, 20).catch(() => []);
  const property = (name: string): string | undefined =>
    children.find((child) => child.name === name)?.nodeId;
  const ids = [property('EngineeringUnits'), property('EURange')];
  const known = ids.flatMap((id) =>
    id === undefined ? [] : [{ nodeId: id, attributeId: Attribute.value }],
  );
  if (known.length === 0) return {};
  const result: { unit?: string; span?: [number, number] } = {};
  for (const { value } of await session.read(known)) {
    const held = value.value as {
      displayName?: { text?: string | null };
      low?: number;
      high?: number;
    } | null;
    const text = held?.displayName?.text;
    if (typeof text === 'string' && text !== '') result.unit = text;
    if (typeof held?.low === 'number' && typeof held.high === 'number' && held.low < held.high)
      result.span = [held.low, held.high];
  }
  return result;
}
