import type { KeySchema, SchemeKind, TagType } from '../contract/index.js';
import { driverContract, GatewayError } from '../contract/index.js';

/** Functions of a module that it may leave out. */
export type Optional =
  | 'alternatives'
  | 'weaknesses'
  | 'subscribed'
  | 'parseEvents'
  | 'parseExpansion'
  | 'learnsUnits'
  | 'unwritable'
  | 'isWriteOnly'
  | 'conflicts'
  | 'writeTimeout'
  | 'lineTime'
  | 'describe';
const optional: readonly Optional[] = [
  'alternatives',
  'weaknesses',
  'subscribed',
  'parseEvents',
  'parseExpansion',
  'learnsUnits',
  'unwritable',
  'isWriteOnly',
  'conflicts',
  'writeTimeout',
  'lineTime',
  'describe',
];
const required = ['parseLink', 'parseTag', 'limits', 'plan', 'create'] as const;

/** What a driver's module is, as plain data: all of it but its functions. */
export interface DriverFacts {
  readonly name: string;
  readonly schema: Readonly<Record<'link' | 'device' | 'tag', KeySchema>>;
  readonly defaultType: TagType | undefined;
  readonly schemes: Readonly<Record<string, SchemeKind>>;
  readonly has: readonly Optional[];
  readonly isolated: { readonly entry: string; readonly heapMiB: number } | undefined;
}

/** Looks at what a package exports. Throws what is wrong with it: a module is somebody else's, whatever its type says. */
export function factsOf(exported: unknown): DriverFacts {
  const module = recordOf(recordOf(exported)?.['driver']);
  if (!module) throw wrong('its module exports no "driver"');
  const { name, contract, schema, schemes, isolated } = module;
  if (contract !== driverContract)
    throw wrong(
      `its module has contract ${String(contract)}, this gateway has ${String(driverContract)}`,
    );
  if (typeof name !== 'string' || name === '') throw wrong('its module has no name');
  for (const need of required)
    if (typeof module[need] !== 'function') throw wrong(`its module has no ${need}`);
  const shapes = recordOf(schema);
  for (const level of ['link', 'device', 'tag'])
    if (!recordOf(recordOf(shapes?.[level])?.['properties']))
      throw wrong(`its module has no schema for the keys of a ${level}`);
  if (!recordOf(schemes)) throw wrong('its module serves no schemes of endpoints');
  for (const [scheme, kind] of Object.entries(schemes as object))
    if (!isKind(kind)) throw wrong(`its module does not say what ${scheme}: is`);
  const thread = recordOf(isolated);
  const heapMiB = Number(thread?.['heapMiB']);
  if (thread && !(heapMiB > 0)) throw wrong('its module does not say how much memory it needs');
  return {
    name,
    schema: schema as DriverFacts['schema'],
    defaultType: module['defaultType'] as TagType | undefined,
    schemes: schemes as DriverFacts['schemes'],
    has: optional.filter((one) => typeof module[one] === 'function'),
    isolated: thread && { entry: String(thread['entry']), heapMiB },
  };
}

function isKind(kind: unknown): kind is SchemeKind {
  const { serial, port } = recordOf(kind) ?? {};
  const isPort = Number.isInteger(kind ?? NaN) || Number.isInteger(port);
  return isPort || (typeof serial === 'string' && /^[78][NEO][12]$/.test(serial));
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)
    : undefined;
}

function wrong(what: string): GatewayError {
  return new GatewayError('driver-unknown', what);
}
