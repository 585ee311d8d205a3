import type { EventTerms, KeySchema, Parsed, Source } from '../../../gateway/contract/index.js';
import { integerKey, KeyReader } from '../../lib/keys.js';
import { longestSilence, readNode, type NodeRef } from './address.js';
import type { OpcuaConfig } from './config.js';

/** Which events of a server belong to a device. */
export interface EventSource {
  readonly node: NodeRef;
  /** Least severity that is told, 1..1000. */
  readonly severity: number;
}

/** The object whose events are those of the whole server. */
export const wholeServer: NodeRef = { kind: 'id', uri: undefined, ns: 0, id: 'i=2253' };

export const eventsSchema: KeySchema['properties'] = {
  events: {
    type: 'object',
    description: 'Events and alarms of the server that belong to this device. Default: none.',
    additionalProperties: false,
    examples: [{ from: 'nsu=urn:maker:line;s=Line1', severity: 200 }],
    properties: {
      from: {
        type: 'string',
        description: 'Node whose events, and those of what is below it, are told.',
        default: 'i=2253',
        examples: ['nsu=urn:maker:line;s=Line1'],
      },
      severity: integerKey('Least severity that is told.', { min: 1, max: 1_000 }, 1),
      acknowledge: {
        type: 'boolean',
        description: 'May its alarms be acknowledged from here?',
        default: false,
      },
    },
  },
};

/** See `DriverModule.parseEvents`. */
export function parseEvents(
  config: OpcuaConfig,
  device: Source,
): Parsed<EventTerms<EventSource> | undefined> {
  const given = device['events'];
  if (given === undefined) return { ok: true, value: undefined };
  const keys = new KeyReader(given as Source, ['events']);
  const node = keys.has('from') ? readNode(keys, 'from') : wholeServer;
  return keys.finish({
    from: { node, severity: keys.integer('severity', { min: 1, max: 1_000 }, 1) },
    alive: longestSilence(config, config.publishing),
    acknowledge: keys.flag('acknowledge', false),
  });
}
