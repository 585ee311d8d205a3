import { driverContract, GatewayError, type DriverModule } from '../../gateway/contract/index.js';
import { parseTag, subscribed, tagSchema, type OpcuaAddress } from './plan/address.js';
import { limits, linkSchema, parseLink, weaknesses, type OpcuaConfig } from './plan/config.js';
import { eventsSchema, parseEvents } from './plan/events.js';
import { expansionSchema, parseExpansion } from './plan/expansion.js';
import { plan } from './plan/plan.js';

export type { OpcuaAddress } from './plan/address.js';
export type { OpcuaConfig } from './plan/config.js';

/** OPC UA over its binary protocol. What is heavy about it is loaded in a thread of its own. */
export const opcua: DriverModule<OpcuaConfig, OpcuaAddress> = {
  name: 'opcua',
  contract: driverContract,
  schema: {
    link: linkSchema,
    device: { properties: { ...eventsSchema, ...expansionSchema } },
    tag: tagSchema,
  },
  schemes: { 'opc.tcp': { port: 4840, path: true } },
  // Takes every number and bool.
  defaultType: 'float64',
  parseLink,
  parseTag,
  limits,
  alternatives: ({ urls }) => urls.length,
  weaknesses,
  plan,
  subscribed,
  parseEvents,
  parseExpansion,
  learnsUnits: ({ learnUnits }) => learnUnits,
  unwritable: (_config, { address }) =>
    address.aspect !== 'value'
      ? 'only the value of a node can be written'
      : address.field.length > 0
        ? 'a field of a structure cannot be written alone'
        : address.range?.includes(':')
          ? 'several elements cannot be written at once'
          : undefined,
  create: () => {
    throw new GatewayError('internal', 'this driver runs in a thread of its own');
  },
  isolated: { entry: new URL('./entry.js', import.meta.url), heapMiB: 256 },
};
