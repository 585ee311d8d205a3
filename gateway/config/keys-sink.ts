import { choice, closed, duration, formed, hidden, text, words } from './fields.js';
import { tlsField } from './keys-tls.js';
import type { Field, Shape } from './fields.js';
import { patterns } from './units.js';

/** What a sink may be told to do, by `commands: { allow: […] }`. */
export const commandVerbs = ['read', 'write', 'alarm.ack', 'reset', 'why'] as const;

const tls = tlsField({
  serverName: text(
    'Name that the certificate of the broker is made out to. Default: the host of the URL.',
    { examples: ['broker.example'] },
  ),
});

const history: Field = closed({
  description: 'How stored data follow after an outage.',
  properties: {
    rate: {
      ...formed(
        'a number a second like 50/s',
        patterns.perTime,
        'Messages with history, at most. Default: as many as the broker takes while live data are on time.',
      ),
      examples: ['50/s'],
    },
    order: choice(
      'Live data at once and history beside them, or everything in its order.',
      ['live-first', 'in-order'],
      'live-first',
    ),
  },
});

const commands: Field = closed({
  description: 'What may be asked from afar. Default: nothing.',
  properties: {
    allow: words('Commands that are carried out.', commandVerbs, {
      default: [],
      examples: [['read', 'alarm.ack']],
    }),
    keys: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      description: 'Public keys of those who may sign commands. Not checked in this version.',
      default: [],
      examples: [['keys/operator.pub']],
    },
  },
});

export const sinkShape: Shape = {
  description: 'One consumer that data are sent to.',
  properties: {
    type: choice('Kind of the consumer.', ['mqtt']),
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
    root: text('Begin of all topics; {gateway.id}, {gateway.site} and {sink} are filled in.', {
      default: 'edge/{gateway.id}',
      examples: ['acme/{gateway.site}/{gateway.id}'],
    }),
    payload: choice(
      'Compact frames, one message a value, or rows that a database can take.',
      ['frame', 'values', 'rows'],
      'frame',
    ),
    history,
    keepAlive: duration('Longest silence towards the broker.', '30s', '30s'),
    commands,
  },
  required: ['type', 'url'],
};
