import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ByteStream, DriverModule, Value } from '../../gateway/contract/index.js';
import { FakeModbus, tellTale } from '../../drivers/modbus/test/fake.js';
import type { Framing } from '../../drivers/modbus/wire/framing.js';
import { modbus, type ModbusAddress, type ModbusConfig } from '../../drivers/modbus/index.js';
import { mbap } from '../../drivers/modbus/wire/mbap.js';
import { create as createOpcua } from '../../drivers/opcua/entry.js';
import { opcua, type OpcuaAddress, type OpcuaConfig } from '../../drivers/opcua/index.js';
import { transportOf } from '../../drivers/modbus/wire/transport.js';
import {
  simulator,
  type SimulatorAddress,
  type SimulatorConfig,
} from '../../drivers/simulator/index.js';
import type { ConformanceOptions, FakeDevice, TagSource, Vector } from './types.js';

/** The repository: this file runs from `dist/test/conformance`. */
export const repository: string = join(import.meta.dirname, '..', '..', '..');

/** Modbus as the suite wants it; values are computed here anew, not with the driver's decoder. */
export class ModbusDevice implements FakeDevice<ModbusAddress> {
  readonly fake: FakeModbus;
  #generation = 0;
  #refused: readonly ModbusAddress[] = [];
  #refuseWrites = false;

  constructor(framing: Framing = mbap) {
    this.fake = new FakeModbus({
      framing,
      units: [7],
      value: (unit, table, address) => {
        // Printable text, as a string tag lies there.
        if (table === 'hr' && address >= 300 && address < 310)
          return ((0x41 + ((address + this.#generation) % 26)) << 8) | (0x61 + (address % 26));
        const base = tellTale(unit, table, address);
        if (table === 'co' || table === 'di') return base ^ (this.#generation & 1);
        return (base + this.#generation * 977) & 0xffff;
      },
      refuse: (request) => {
        if (request.write) return this.#refuseWrites ? 2 : 0;
        const end = request.start + request.count;
        const hit = this.#refused.some(
          (tag) =>
            tag.table === request.table && tag.start < end && request.start < tag.start + tag.count,
        );
        return hit ? 2 : 0;
      },
    });
  }

  serve(stream: ByteStream): void {
    this.fake.serve(stream);
  }
  change(a?: ModbusAddress): void {
    if (!a) {
      this.#generation++;
      this.fake.clear();
      return;
    }
    const last = a.start + a.count - 1;
    const flip = 1 << (a.bit ?? 0);
    this.fake.set(a.unit, a.table, last, this.fake.get(a.unit, a.table, last) ^ flip);
  }
  refuse(addresses: readonly ModbusAddress[]): void {
    this.#refused = addresses;
  }
  refuseWrites(on: boolean): void {
    this.#refuseWrites = on;
  }
  get reads(): number {
    return this.fake.reads;
  }
  get writes(): number {
    return this.fake.writes;
  }

  value(a: ModbusAddress): Value {
    const cell = (i: number): number => this.fake.get(a.unit, a.table, a.start + i);
    if (a.table === 'co' || a.table === 'di') return cell(0);
    const words = Array.from({ length: a.count }, (_, i) => cell(i));
    if (a.type !== 'string') {
      if (a.count === 4 && a.swapHalves) words.unshift(...words.splice(2));
      if (a.swapWords)
        for (let i = 0; i + 1 < a.count; i += 2)
          words.splice(i, 2, words[i + 1] ?? 0, words[i] ?? 0);
    }
    const bytes = words.flatMap((word) =>
      a.swapBytes ? [word & 0xff, word >> 8] : [word >> 8, word & 0xff],
    );
    const view = new DataView(Uint8Array.from(bytes).buffer);
    switch (a.type) {
      case 'bool':
        return (view.getUint16(0) >> (a.bit ?? 0)) & 1;
      case 'int8':
        return view.getInt8(1);
      case 'uint8':
        return view.getUint8(1);
      case 'int16':
        return view.getInt16(0);
      case 'uint16':
        return view.getUint16(0);
      case 'int32':
        return view.getInt32(0);
      case 'uint32':
        return view.getUint32(0);
      case 'float32':
        return view.getFloat32(0);
      case 'float64':
        return view.getFloat64(0);
      case 'int64':
        return view.getBigInt64(0);
      case 'uint64':
        return view.getBigUint64(0);
      case 'string':
        return Buffer.from(bytes.slice(0, a.length)).toString('latin1').replace(/\0.*$/, '');
    }
  }
}

const orders = { ABCD: [0, 1, 2, 3], CDAB: [2, 3, 0, 1], BADC: [1, 0, 3, 2], DCBA: [3, 2, 1, 0] };
/** The 8-byte orders by the same rule: words swapped as a whole, bytes swapped in each. */
const longOrders = {
  ABCD: [0, 1, 2, 3, 4, 5, 6, 7],
  CDAB: [6, 7, 4, 5, 2, 3, 0, 1],
  BADC: [1, 0, 3, 2, 5, 4, 7, 6],
  DCBA: [7, 6, 5, 4, 3, 2, 1, 0],
};

/** Each type's edges, most significant byte first, as written down in IEEE 754 and two's complement. */
const edges: readonly (readonly [type: TagSource['type'], hex: string, value: Value])[] = [
  ['int16', '8000', -32_768],
  ['int16', '7fff', 32_767],
  ['int16', 'ffff', -1],
  ['uint16', '0000', 0],
  ['uint16', 'ffff', 65_535],
  ['uint16', '0102', 258],
  ['int32', '80000000', -2_147_483_648],
  ['int32', '7fffffff', 2_147_483_647],
  ['int32', '01020304', 16_909_060],
  ['uint32', 'ffffffff', 4_294_967_295],
  ['uint32', '80000001', 2_147_483_649],
  ['int64', '8000000000000000', -(2n ** 63n)],
  ['int64', '7fffffffffffffff', 2n ** 63n - 1n],
  ['int64', '0102030405060708', 72_623_859_790_382_856n],
  ['uint64', '8000000000000000', 2n ** 63n],
  ['uint64', 'ffffffffffffffff', 2n ** 64n - 1n],
  ['uint64', '0020000000000001', 2n ** 53n + 1n],
  ['float32', '80000000', -0],
  ['float32', '7fc00000', NaN],
  ['float32', '7f800000', Infinity],
  ['float32', '7f7fffff', 3.4028234663852886e38],
  ['float32', '00000001', 1.401298464324817e-45],
  ['float32', '42f6e979', 123.45600128173828],
  ['float64', '8000000000000000', -0],
  ['float64', '7ff8000000000000', NaN],
  ['float64', 'fff0000000000000', -Infinity],
  ['float64', '7fefffffffffffff', Number.MAX_VALUE],
  ['float64', '0000000000000001', 5e-324],
  ['float64', '405edd2f1a9fbe77', 123.456],
];

function vector(
  order: keyof typeof orders,
  [type, hex, expected]: (typeof edges)[number],
): Vector<ModbusDevice> {
  const bytes = Buffer.from(hex, 'hex');
  const swapped = order === 'BADC' || order === 'DCBA';
  const sequence =
    bytes.length === 2
      ? swapped
        ? [1, 0]
        : [0, 1]
      : (bytes.length === 4 ? orders : longOrders)[order];
  const wire = sequence.map((from) => bytes[from] ?? 0);
  return {
    title: `${type} ${hex} as ${order}`,
    tag: { type, address: 'hr:40', byteOrder: order },
    expected,
    load: ({ fake }) => {
      for (let i = 0; i < wire.length; i += 2)
        fake.set(7, 'hr', 40 + i / 2, ((wire[i] ?? 0) << 8) | (wire[i + 1] ?? 0));
    },
  };
}

function text(
  title: string,
  length: number,
  words: number[],
  expected: string,
): Vector<ModbusDevice> {
  return {
    title: `string: ${title}`,
    tag: { type: 'string', address: 'hr:40', length },
    expected,
    load: ({ fake }) => {
      for (const [i, word] of words.entries()) fake.set(7, 'hr', 40 + i, word);
    },
  };
}

export const modbusVectors: readonly Vector<ModbusDevice>[] = [
  ...(Object.keys(orders) as (keyof typeof orders)[]).flatMap((order) =>
    edges.map((edge) => vector(order, edge)),
  ),
  text('up to NUL', 6, [0x4162, 0x6300, 0x4444], 'Abc'),
  text('odd length', 3, [0x4162, 0x6364], 'Abc'),
  text('trailing blanks', 4, [0x4120, 0x2020], 'A'),
  text('UTF-8', 4, [0xe6b3, 0xb500], '泵'),
  ...[0, 3, 15].map((bit): Vector<ModbusDevice> => ({
    title: `bit ${bit}`,
    tag: { type: 'bool', address: `hr:40.${bit}` },
    expected: 1,
    load: ({ fake }) => fake.set(7, 'hr', 40, 1 << bit),
  })),
];

const compiled = (driver: string): string =>
  join(import.meta.dirname, '..', '..', 'drivers', driver);
const readme = (driver: string): string =>
  readFileSync(join(repository, 'drivers', driver, 'README.md'), 'utf8');

/** The Modbus driver, or a copy of it, before the suite. */
export function modbusOptions(
  module: DriverModule<ModbusConfig, ModbusAddress> = modbus,
  endpoint = 'tcp://10.0.0.5',
): ConformanceOptions<ModbusConfig, ModbusAddress, ModbusDevice> {
  const { framing } = transportOf(endpoint.split(':')[0] ?? '');
  return {
    module,
    endpoint,
    link: { timeout: '500ms', ...(framing.hasIds ? { inFlight: 4 } : {}) },
    device: { unit: 7, byteOrder: 'CDAB' },
    tags: {
      flow: { type: 'float32', address: 'hr:100' },
      total: { type: 'uint64', address: 'hr:102' },
      healthy: { type: 'bool', address: 'hr:110.3' },
      setpoint: { type: 'uint16', address: 40121 },
      level: { type: 'int16', address: 'hr:130', byteOrder: 'ABCD' },
      name: { type: 'string', address: 'hr:300', length: 12 },
      other: { type: 'int16', address: 'ir:5' },
      pump: { type: 'bool', address: 'co:3' },
      valve: { type: 'bool', address: 'co:12' },
      door: { type: 'bool', address: '10008' },
    },
    broken: {
      link: { source: { inFlight: 99, timeout: 'soon', maxRegisters: 126 }, problems: 3 },
      tag: {
        device: { unit: 300, byteOrder: 'ADCB' },
        source: { type: 'float32', address: 'hr:65535.17', byteOrder: 'upside-down' },
        problems: 5,
      },
    },
    write: { tag: 'setpoint', value: 4_711, misfit: 65_536 },
    fake: () => new ModbusDevice(framing),
    vectors: modbusVectors,
    source: compiled('modbus'),
    readme: readme('modbus'),
  };
}

const ownSockets = 'its library opens the connection: there are no bytes of ours to break';

/** OPC UA before the suite: what can be said without a server. */
export function opcuaOptions(): ConformanceOptions<OpcuaConfig, OpcuaAddress> {
  const online = [
    'R-05',
    'R-06',
    'R-07',
    'R-08',
    'R-09',
    'R-10',
    'R-11',
    'R-12',
    'R-13',
    'R-14',
    'R-15',
  ];
  online.push('R-16', 'R-17', 'R-18', 'R-19', 'R-22', 'R-23', 'R-24');
  return {
    module: {
      ...opcua,
      create: (config, context) =>
        createOpcua(config, {
          ...context,
          folder: '/nowhere',
          hostname: 'gateway',
          today: () => new Date(0),
        }),
    },
    endpoint: 'opc.tcp://10.0.0.9:4840/line',
    link: { security: { user: 'gateway', password: 'x' }, redundant: ['opc.tcp://10.0.0.10'] },
    device: {
      events: { from: 'nsu=urn:maker:line;s=Line1', severity: 200, acknowledge: true },
      expand: [{ folder: '/2:Line1', filter: 'Speed', keys: { scan: 'slow' } }],
    },
    tags: {
      speed: { type: 'float64', address: 'nsu=urn:maker:line;s=Line1.Speed', sampling: '250ms' },
      total: { type: 'uint64', address: 'ns=2;i=4711', scan: 'slow' },
      name: { type: 'string', address: '/2:Line1/2:Name' },
      second: { type: 'int32', address: 'i=2256', range: '1', field: 'a.b' },
    },
    broken: {
      link: {
        source: { security: { policy: 'None', user: 'x', certificate: 'y' }, keepAlive: 'soon' },
        problems: 4,
      },
      tag: {
        device: {},
        source: { type: 'float64', address: 'ns=2;x=1', range: '1:', scan: 'slow', queue: 5 },
        problems: 3,
      },
    },
    source: compiled('opcua'),
    readme: readme('opcua'),
    exempt: {
      ...Object.fromEntries(online.map((id) => [id, ownSockets])),
      'R-20': 'its own tests subscribe at a server',
      'R-26': 'its own tests listen to a server',
    },
  };
}

const noWire = 'there is no wire: values are made in the process';

/** The simulator before the suite. */
export function simulatorOptions(): ConformanceOptions<SimulatorConfig, SimulatorAddress> {
  const wireRules = ['R-07', 'R-08', 'R-09', 'R-10', 'R-11', 'R-12', 'R-14', 'R-15', 'R-16'];
  return {
    module: simulator,
    endpoint: 'sim://',
    link: {},
    device: { faults: [{ from: '10s', to: '20s', kind: 'timeout' }] },
    tags: {
      level: { type: 'float32', wave: 'sine', min: 0, max: 5, period: '60s' },
      count: { type: 'uint32', wave: 'counter', period: '1s' },
      running: { type: 'bool', wave: 'square', period: '10s' },
      setpoint: { type: 'int16', value: 20 },
      name: { type: 'string', value: 'pump' },
    },
    broken: {
      tag: {
        device: { faults: [{ from: '5s', to: '1s', kind: 'timeout' }, { kind: 'fire' }] },
        source: { type: 'string', wave: 'sine', min: 5, max: 1, period: 'long' },
        problems: 5,
      },
    },
    write: { tag: 'setpoint', value: 21, misfit: 40_000 },
    source: compiled('simulator'),
    readme: readme('simulator'),
    exempt: {
      ...Object.fromEntries([...wireRules, 'R-23', 'R-24'].map((id) => [id, noWire])),
      'R-06': 'there is no encoding',
    },
  };
}
