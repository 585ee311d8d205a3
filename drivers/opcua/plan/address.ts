import {
  type DurationMs,
  type KeySchema,
  ms,
  type Parsed,
  type Source,
  type Subscribed,
  type TagType,
  type Value,
  shown,
} from '../../../gateway/contract/index.js';
import { integerKey, KeyReader } from '../../lib/keys.js';
import type { OpcuaConfig } from './config.js';

/** Which node: by its id with the URI of its namespace, or by a path from the Objects folder. */
export type NodeRef =
  | {
      readonly kind: 'id';
      readonly uri: string | undefined;
      readonly ns: number;
      readonly id: string;
    }
  | { readonly kind: 'path'; readonly steps: readonly PathStep[] };

/** One browse name of a path. */
export interface PathStep {
  readonly uri: string | undefined;
  readonly ns: number;
  readonly name: string;
}

/** What counts as a change, in the order of the standard. */
export const triggers = ['status', 'value', 'timestamp'] as const;

/** Which changes the server tells of. */
export interface ServerFilter {
  readonly trigger: (typeof triggers)[number];
  readonly deadband: { readonly kind: 'absolute' | 'percent'; readonly value: number } | undefined;
}

/** What of that which a server says of a node is the tag: the value, or what stands beside it. */
const aspects = ['value', 'status', 'sourceTime', 'serverTime'] as const;
export type Aspect = (typeof aspects)[number];

export interface OpcuaAddress {
  readonly node: NodeRef;
  readonly type: TagType;
  readonly aspect: Aspect;
  /** Part of an array, in the notation of the standard: `3`, `0:4`, `1,2`. */
  readonly range: string | undefined;
  /** Names of the fields that lead into a structure. */
  readonly field: readonly string[];
  /** Undefined: it is read in a scan, or is a method. */
  readonly subscription: SubscriptionAddress | undefined;
  /** The tag stands for a method: writing it calls the method, and its value is what was given last. */
  readonly method: MethodAddress | undefined;
}

export interface MethodAddress {
  readonly node: NodeRef;
  /** Undefined: the written value alone, or nothing where the method takes nothing. */
  readonly arguments: readonly MethodArgument[] | undefined;
}

export type MethodArgument =
  /** What is written. */
  { readonly kind: 'value' } | { readonly kind: 'constant'; readonly constant: Value };

export interface SubscriptionAddress {
  readonly publishing: DurationMs;
  /** How often the server looks at the value; 0 = as it comes. */
  readonly sampling: DurationMs;
  readonly queue: number;
  readonly discardOldest: boolean;
  readonly filter: ServerFilter;
}

/** Keep-alives that may be missing before the link is in doubt. */
const missedKeepAlives = 3;

export const tagSchema: KeySchema = {
  properties: {
    address: {
      type: 'string',
      description:
        'Node id with the URI of its namespace (nsu=URI;s=NAME), or a path from the Objects folder (/2:Line/2:Speed).',
      examples: ['nsu=urn:maker:line;s=Line1.Speed'],
    },
    range: {
      type: 'string',
      description:
        'Part of an array: one element, such as 3 or 1,2; or several for a text, such as 0:9. Default: the whole value.',
      examples: ['3'],
    },
    field: {
      type: 'string',
      description:
        'Field of a structure, with dots for fields within fields. Default: the whole value.',
      examples: ['limits.high'],
    },
    aspect: {
      type: 'string',
      enum: [...aspects],
      description:
        "What the tag shows of the node: its value; or beside it the server's own status code, or one of its two times.",
      default: 'value',
    },
    scan: {
      type: 'string',
      description:
        'Scan class: the tag is read once a period instead of being subscribed. Default: subscribed.',
      examples: ['slow'],
    },
    publishing: {
      type: 'string',
      description: 'How often the server tells of changes. Default: publishing of the link.',
      examples: ['500ms'],
    },
    sampling: {
      type: 'string',
      description: 'How often the server looks at the value. Default: as often as it publishes.',
      examples: ['250ms'],
    },
    queue: integerKey(
      'Samples that the server keeps between two publishings. Default: enough for its sampling, and 10 more.',
      { min: 1, max: 10_000 },
    ),
    discard: {
      type: 'string',
      enum: ['oldest', 'newest'],
      description: 'What the server drops when its queue is full.',
      default: 'oldest',
    },
    trigger: {
      type: 'string',
      enum: [...triggers],
      description:
        'What counts as a change: the status; or the value too; or its source time too. Default: value, or what the aspect needs.',
    },
    serverDeadband: {
      type: ['number', 'string'],
      description:
        'Smallest change that the server tells of: a number, or a percentage of the range of the node.',
      default: 0,
      examples: ['1 %'],
    },
    method: {
      type: 'string',
      description:
        'Method of the object that address names: writing the tag calls it, and its value is what was given last. Default: none.',
      examples: ['nsu=urn:maker:line;s=Line1.Start'],
    },
    arguments: {
      type: 'array',
      description:
        'Arguments of the method, $value standing for what is written. Default: $value alone, or none.',
      items: { type: ['string', 'number', 'boolean'] },
      examples: [['$value', 5]],
    },
  },
  required: ['address'],
};

const intervalBounds = { min: 20, max: 3_600_000 };

/** Reads a tag. */
export function parseTag(
  config: OpcuaConfig,
  _device: Source,
  tag: Source & { readonly type: TagType },
): Parsed<OpcuaAddress> {
  const keys = new KeyReader(tag);
  const node = readNode(keys, 'address');
  if (keys.has('method')) return keys.finish(readMethod(keys, node, tag.type));
  const aspect = readAspect(keys, tag.type);
  const range = readRange(keys, tag.type);
  const field = keys.text('field') ?? '';
  const scanned = keys.has('scan');
  refuse(keys, scanned ? onlySubscribed : [], 'a tag that is scanned', 'leave out scan, or this');
  refuse(keys, ['arguments'], 'a tag without a method', 'add method: NODE');
  return keys.finish({
    node,
    type: tag.type,
    aspect,
    range,
    field: field === '' ? [] : field.split('.'),
    subscription: scanned ? undefined : readSubscription(keys, config, aspect),
    method: undefined,
  });
}

const onlySubscribed = ['publishing', 'sampling', 'queue', 'discard', 'trigger', 'serverDeadband'];

function refuse(keys: KeyReader, names: readonly string[], what: string, hint: string): void {
  for (const key of names) if (keys.has(key)) keys.problem(key, `${what} has no ${key}`, hint);
}

function readMethod(keys: KeyReader, object: NodeRef, type: TagType): OpcuaAddress {
  refuse(
    keys,
    ['range', 'field', 'aspect', 'scan', ...onlySubscribed],
    'a tag that stands for a method',
    'leave it out',
  );
  return {
    node: object,
    type,
    aspect: 'value',
    range: undefined,
    field: [],
    subscription: undefined,
    method: { node: readNode(keys, 'method'), arguments: readArguments(keys) },
  };
}

function readArguments(keys: KeyReader): MethodAddress['arguments'] {
  const list = keys.raw('arguments');
  if (!Array.isArray(list)) return undefined;
  return list.map((one: Value) =>
    one === '$value' ? { kind: 'value' } : { kind: 'constant', constant: one },
  );
}

/** Types that hold a status code, or a time, whole. */
const wideTypes: ReadonlySet<TagType> = new Set(['string', 'uint32', 'int64', 'uint64', 'float64']);

function readAspect(keys: KeyReader, type: TagType): Aspect {
  const aspect = keys.choice('aspect', aspects, 'value');
  if (aspect === 'value') return aspect;
  refuse(keys, ['field', 'serverDeadband'], `aspect: ${aspect}`, 'leave it out');
  const isTime = aspect !== 'status';
  if (!wideTypes.has(type) || (isTime && type === 'uint32'))
    keys.problem(
      'aspect',
      isTime ? `a time does not fit ${type}` : `a status code does not fit ${type}`,
      isTime
        ? 'use type: string, or int64 for Unix milliseconds'
        : 'use type: string for its name, or uint32 for the code',
    );
  return aspect;
}

/** What is to be told when: a time changes with each sample, a status seldom. */
const usualTriggers: Readonly<Record<Aspect, ServerFilter['trigger']>> = {
  value: 'value',
  status: 'status',
  sourceTime: 'timestamp',
  serverTime: 'timestamp',
};

function readSubscription(
  keys: KeyReader,
  config: OpcuaConfig,
  aspect: Aspect,
): SubscriptionAddress {
  const publishing = keys.duration('publishing', intervalBounds, config.publishing);
  const sampling = keys.duration('sampling', { min: 0, max: 3_600_000 }, publishing);
  const usual = sampling > 0 ? Math.ceil(publishing / sampling) + 10 : 100;
  return {
    publishing,
    sampling,
    queue: keys.integer('queue', { min: 1, max: 10_000 }, Math.min(usual, 10_000)),
    discardOldest: keys.choice('discard', ['oldest', 'newest'] as const, 'oldest') === 'oldest',
    filter: {
      trigger: keys.choice('trigger', triggers, usualTriggers[aspect]),
      deadband: readDeadband(keys),
    },
  };
}

function readDeadband(keys: KeyReader): ServerFilter['deadband'] {
  const value = keys.raw('serverDeadband') ?? 0;
  if (typeof value === 'number' && value >= 0)
    return value === 0 ? undefined : { kind: 'absolute', value };
  const percent = typeof value === 'string' ? /^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(value) : null;
  if (percent) return { kind: 'percent', value: Number(percent[1]) };
  keys.problem('serverDeadband', `not a deadband: ${shown(value)}`, 'write it like 0.5 or 1 %');
  return undefined;
}

function readRange(keys: KeyReader, type: TagType): string | undefined {
  const text = keys.text('range');
  if (text === undefined) return undefined;
  if (!text.split(',').every(isRange))
    keys.problem('range', `not a part of an array: ${shown(text)}`, 'write it like 3, 1,2 or 0:9');
  else if (text.includes(':') && type !== 'string')
    keys.problem(
      'range',
      `several elements do not fit one ${type}`,
      'give each a tag of its own, or use type: string',
    );
  return text;
}

/** Of one dimension: `3`, or `0:9`, whose end must lie behind its begin. */
function isRange(text: string): boolean {
  const [, from, to] = /^(\d{1,9})(?::(\d{1,9}))?$/.exec(text) ?? [];
  return from !== undefined && (to === undefined || Number(to) > Number(from));
}

const idForm = /^(?:nsu=(?<uri>[^;]+);|ns=(?<ns>\d{1,5});)?(?<id>[isgb]=.+)$/s;
const stepForm = /^(?:nsu=(?<uri>[^;]+);|(?<ns>\d{1,5}):)?(?<name>.+)$/s;
const examples = 'write it like nsu=urn:maker:line;s=Line1.Speed, or /2:Line/2:Speed';

/** A node as typed. Blanks at its end are of its name; what cannot have any is taken without. */
export function readNode(keys: KeyReader, key: string): NodeRef {
  const text = keys.text(key)?.trimStart() ?? '';
  const node = text.startsWith('/') ? pathOf(text) : idOf(text);
  if (node) return node;
  keys.problem(key, `not a node: ${shown(text)}`, examples);
  return { kind: 'path', steps: [] };
}

function pathOf(text: string): NodeRef | undefined {
  const steps = splitPath(text).map((step) => {
    const { uri, ns, name = '' } = stepForm.exec(step)?.groups ?? {};
    return { uri: plainUri(uri), ns: Number(ns ?? 0), name };
  });
  const isWhole = steps.every(({ ns, name }) => name !== '' && ns <= lastIndex);
  return isWhole && steps.length > 0 ? { kind: 'path', steps } : undefined;
}

function idOf(text: string): NodeRef | undefined {
  const { uri, ns, id: typed } = idForm.exec(text)?.groups ?? {};
  const id = typed?.startsWith('s=') ? typed : typed?.trimEnd();
  if (id === undefined || !isId(id) || Number(ns ?? 0) > lastIndex) return undefined;
  return { kind: 'id', uri: plainUri(uri), ns: Number(ns ?? 0), id };
}

/** Of a namespace: 16 bits. */
const lastIndex = 0xffff;

/** A URI as it stands in a node id: there, a semicolon ends it (OPC 10000-6, 5.1.12). */
export function escapedUri(uri: string): string {
  return uri.replaceAll('%', '%25').replaceAll(';', '%3B');
}

/** The reverse. Other escapes are of the URI itself. */
function plainUri(uri: string | undefined): string | undefined {
  return uri?.replace(/%3B/gi, ';').replaceAll('%25', '%');
}

/** Cuts at slashes; `&/` is a slash within a name, as in the standard's own notation. */
function splitPath(text: string): string[] {
  return text
    .slice(1)
    .split(/(?<!&)\//)
    .map((step) => step.replace(/&(.)/g, '$1'));
}

function isId(id: string): boolean {
  const body = id.slice(2);
  switch (id[0]) {
    case 'i':
      return /^\d{1,10}$/.test(body) && Number(body) <= 0xffff_ffff;
    case 'g':
      return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(body);
    case 'b':
      return /^[A-Za-z0-9+/]+={0,2}$/.test(body);
    default:
      return body !== '';
  }
}

/** See `DriverModule.subscribed`. */
export function subscribed(
  config: OpcuaConfig,
  { subscription, method }: OpcuaAddress,
): Subscribed | undefined {
  // The driver tells of what was given to a method.
  const publishing = method ? config.publishing : subscription?.publishing;
  return publishing && { interval: publishing, alive: longestSilence(config, publishing) };
}

/**
 * How long a subscription that is well may say nothing.
 * @param beat how often it says something: as asked for, or as the server revised it
 */
export function longestSilence(
  config: OpcuaConfig,
  publishing: DurationMs,
  beat: number = Math.max(config.keepAlive, publishing),
): DurationMs {
  return ms(beat * missedKeepAlives + config.requestTimeout);
}
