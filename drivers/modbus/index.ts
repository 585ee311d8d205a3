import { driverContract, type DriverModule } from '../../gateway/contract/index.js';
import { parseTag, type ModbusAddress } from './plan/address.js';
import {
  deviceSchema,
  limits,
  linkSchema,
  parseLink,
  tagSchema,
  type ModbusConfig,
} from './plan/config.js';
import { ModbusDriver } from './driver.js';
import { apartOf, lineTime, plan, writeTimeout } from './plan/plan.js';
import { describe } from './describe.js';
import { schemes } from './wire/transport.js';
import { unwritable } from './session/write.js';

export type { ModbusAddress } from './plan/address.js';
export type { ModbusConfig } from './plan/config.js';

/** The Modbus driver: TCP, TLS, UDP, RTU and ASCII. `README.md` has every key. */
export const modbus: DriverModule<ModbusConfig, ModbusAddress> = {
  name: 'modbus',
  contract: driverContract,
  schema: { link: linkSchema, device: deviceSchema, tag: tagSchema },
  schemes,
  parseLink,
  parseTag,
  limits,
  plan,
  writeTimeout,
  unwritable: (_config, tag) => unwritable(tag),
  isWriteOnly: (_config, { writeOnly }) => writeOnly,
  conflicts: (_config, tags) => apartOf(tags),
  lineTime,
  describe,
  create: (config, context) => new ModbusDriver(config, context),
};
