/**
 * The driver of a device that pushes values and alarms, for the conformance suite: one line of text for each message.
 *
 *     R NAME …   = VALUE …              read; a tag that it refuses has the value ?
 *     S NAME     = VALUE | = ?          subscribe; samples that it kept come before the answer
 *     L          = KEY … | = ?          listen; the active conditions come before the answer
 *     K KEY      = ok | = ?             acknowledge
 *                ! NAME VALUE [AGE]     pushed
 *                * KEY on|off ID        a condition changed
 *                ~                      sign of life
 */
import { ms, type DriverModule, type Parsed } from '../../../gateway/contract/index.js';
import { KeyReader } from '../../../drivers/lib/index.js';
import { Annunciator } from './driver.js';

export interface AnnunciatorConfig {
  /** Does the device give a sign of life? */
  readonly isAlive: boolean;
}

export interface AnnunciatorAddress {
  readonly name: string;
  readonly push: 'no' | 'value' | 'event';
}

export const annunciator: DriverModule<AnnunciatorConfig, AnnunciatorAddress> = {
  name: 'annunciator',
  contract: 1,
  schema: {
    link: {
      properties: { alive: { type: 'boolean', description: 'Signs of life.', default: true } },
    },
    device: { properties: { alarms: { type: 'boolean', description: 'Alarms.', default: false } } },
    tag: {
      properties: {
        address: { type: 'string', description: 'Name at the device.' },
        push: { enum: ['no', 'value', 'event'], description: 'Who begins.', default: 'no' },
      },
      required: ['address'],
    },
  },
  schemes: { tcp: 4_002 },
  parseLink: (link) => {
    const keys = new KeyReader(link);
    return keys.finish({ isAlive: keys.flag('alive', true) });
  },
  parseTag: (_config, device, tag): Parsed<AnnunciatorAddress> => {
    const keys = new KeyReader(tag);
    const name = keys.text('address') ?? '';
    if (!/^[a-z]{1,16}$/.test(name)) keys.problem('address', 'not a name', 'use small letters');
    const push = keys.choice('push', ['no', 'value', 'event'], 'no');
    const ofDevice = new KeyReader(device, ['device']);
    ofDevice.flag('alarms', false);
    keys.problems.push(...ofDevice.problems);
    return keys.finish({ name, push });
  },
  parseEvents: ({ isAlive }, device) => ({
    ok: true,
    value:
      device['alarms'] === true
        ? { from: {}, alive: isAlive ? ms(5_000) : 'never', acknowledge: true }
        : undefined,
  }),
  subscribed: ({ isAlive }, { push }) =>
    push === 'no'
      ? undefined
      : { interval: ms(0), alive: isAlive ? ms(5_000) : 'never', event: push === 'event' },
  limits: () => ({
    inFlight: 1,
    connectTimeout: ms(2_000),
    requestTimeout: ms(500),
    requestGap: ms(0),
    afterTimeout: 'reconnect',
  }),
  plan: (_config, tags) => {
    const sorted = [...tags].sort((a, b) => (a.address.name < b.address.name ? -1 : 1));
    const devices = [...new Set(sorted.map(({ device }) => device))];
    return devices.flatMap((device) => {
      const own = sorted.filter((tag) => tag.device === device);
      return Array.from({ length: Math.ceil(own.length / 2) }, (_, i) => ({
        label: `${device} ${String(i)}`,
        device,
        tags: own.slice(2 * i, 2 * i + 2),
      }));
    });
  },
  create: (_config, context) => new Annunciator(context),
};
