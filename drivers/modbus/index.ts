import { driverContract, type DriverModule } from '../../gateway/contract/index.js';
import { parseTag, type ModbusAddress } from './address.js';
import {
  deviceSchema,
  limits,
  linkSchema,
  parseLink,
  tagSchema,
  type ModbusConfig,
} from './config.js';
import { ModbusDriver } from './driver.js';
import { plan } from './plan.js';

export type { ModbusAddress } from './address.js';
export type { ModbusConfig } from './config.js';

/** The Modbus driver: Modbus TCP. `README.md` has every key. */
export const modbus: DriverModule<ModbusConfig, ModbusAddress> = {
  name: 'modbus',
  contract: driverContract,
  schema: { link: linkSchema, device: deviceSchema, tag: tagSchema },
  schemes: { tcp: 502 },
  parseLink,
  parseTag,
  limits,
  plan,
  create: (config, context) => new ModbusDriver(config, context),
};
