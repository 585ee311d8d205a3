import { ms, type DriverModule } from 'millrace/contract';
import { parseTag, tagSchema, type ScaleAddress } from './address.js';
import { linkSchema, parseLink, type ScaleConfig } from './config.js';
import { ScaleDriver } from './driver.js';
import { plan } from './plan.js';

export type { ScaleAddress } from './address.js';
export type { ScaleConfig } from './config.js';

/** The gateway looks for this name. */
export const driver: DriverModule<ScaleConfig, ScaleAddress> = {
  name: 'scale',
  contract: 1,
  schema: { link: linkSchema, device: { properties: {} }, tag: tagSchema },
  schemes: { tcp: 4305, serial: { serial: '8N1' } },
  parseLink,
  parseTag,
  limits: ({ timeout }) => ({
    inFlight: 1,
    connectTimeout: ms(4_000),
    requestTimeout: timeout,
    requestGap: ms(0),
    // Answers have no number: one that comes late could be taken for the next.
    afterTimeout: 'reconnect',
  }),
  plan: (_config, tags) => plan(tags),
  // A reader is silent until somebody scans, and the same code again is another parcel.
  subscribed: (_config, { value }) =>
    value === 'barcode' ? { interval: ms(0), alive: 'never', event: true } : undefined,
  unwritable: () => 'a scale is only read',
  create: (config, context) => new ScaleDriver(config, context),
};
