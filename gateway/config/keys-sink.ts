import { choice, closed, duration, formed, hidden, text, words } from './fields.js';
import { tlsField } from './keys-tls.js';
import type { Field, Shape } from './fields.js';
import { patterns } from './units.js';

/** What a sink may be told to do, by `commands: { allow: […] }`. */
export const commandVerbs = ['read', 'write', 'alarm.ack', 'reset', 'why'] as const;

const tls = tlsField({
  serverName: text('Name in the certificate of the broker. Default: the host of the URL.', {
    examples: ['broker.example'],
  }),
});

const history: Field = closed({
  description: 'How stored data are sent after an outage.',
  properties: {
    rate: {
      ...formed(
        'a number a second like 50/s',
        patterns.perTime,
        'Maximum rate of history messages. Default: as fast as the broker takes them while live data are on time.',
      ),
      examples: ['50/s'],
    },
    order: choice(
      'Live data at once with history in parallel, or everything in order.',
      ['live-first', 'in-order'],
      'live-first',
    ),
  },
});

const commands: Field = closed({
  description: 'Commands that the sink may request. Default: none.',
  properties: {
    allow: words('Commands that are carried out.', commandVerbs, {
      default: [],
      examples: [['read', 'alarm.ack']],
    }),
    keys: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      description: 'Public keys of people who may sign commands. Not checked in this version.',
      default: [],
      examples: [['keys/operator.pub']],
    },
  },
});

export const sinkShape: Shape = {
  description: 'One sink that data are sent to.',
  properties: {
    type: choice('Type of sink.', ['mqtt']),
    url: {
      type: ['string', 'array'],
      items: { type: 'string' },
      minItems: 1,
      title: 'a URL like mqtts://broker.example:8883, or a list of them',
      description: 'Brokers, tried in turn; mqtts, wss, and without encryption mqtt, ws.',
      examples: ['mqtts://broker.example:8883'],
    },
    // Without quotes a 5 is a number.
    version: {
      ...choice('MQTT version.', ['5', '3.1.1'], '5'),
      type: ['string', 'number'],
      enum: ['5', '3.1.1', 5],
    },
    clientId: text(
      'Client identifier; "" leaves it to the broker. Default: millrace-GATEWAY-SINK.',
      { minLength: 0, examples: ['pump-station-1'] },
    ),
    username: text('User at the broker. Default: none.', { examples: ['ps01'] }),
    password: hidden('Password at the broker. Default: none.', {
      examples: ['${secret:cloud-password}'],
    }),
    tls,
    root: text('Beginning of all topics; {gateway.id}, {gateway.site} and {sink} are filled in.', {
      default: 'edge/{gateway.id}',
      examples: ['acme/{gateway.site}/{gateway.id}'],
    }),
    payload: choice(
      'Compact frames, one object of values per message, or rows for a database.',
      ['frame', 'values', 'rows'],
      'frame',
    ),
    history,
    keepAlive: duration('Maximum silence towards the broker.', '30s', '30s'),
    commands,
  },
  required: ['type', 'url'],
};
