import { driverContract, type DriverModule } from '../../gateway/contract/index.js';
import {
  deviceSchema,
  limits,
  linkSchema,
  parseLink,
  parseTag,
  tagSchema,
  type SimulatorAddress,
  type SimulatorConfig,
} from './config.js';
import { SimulatorDriver } from './driver.js';
import { plan } from './plan.js';

export type { SimulatorAddress, SimulatorConfig } from './config.js';

/** The simulator: devices without a plant, for demos, examples and tests of rules. */
export const simulator: DriverModule<SimulatorConfig, SimulatorAddress> = {
  name: 'simulator',
  contract: driverContract,
  schema: { link: linkSchema, device: deviceSchema, tag: tagSchema },
  schemes: { sim: 0 },
  parseLink,
  parseTag,
  limits,
  plan,
  create: (config, context) => new SimulatorDriver(config, context),
};
