/** The profiles that come with the driver: they load, and they give the values of the manuals. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { formatProblem } from '../../../gateway/config/format.js';
import { loadConfig } from '../../../gateway/config/load.js';
import type { LinkConfig, TagConfig } from '../../../gateway/config/model.js';
import { Batch, isGood, mono, type TagBinding } from '../../../gateway/contract/index.js';
import { parseUnit } from '../../../rules/text/units.js';
import { hostOf } from '../../../test/config/fakes.js';
import { Pending, valueAt } from '../../../test/conformance/rig.js';
import { World } from '../../../test/conformance/world.js';
import { FakeModbus } from './fake.js';
import { modbus, type ModbusAddress, type ModbusConfig } from '../index.js';
import { tables } from '../frames/tables.js';

/** This file runs from `dist/drivers/modbus/test`. */
const folder = join(import.meta.dirname, '..', '..', '..', '..', 'drivers', 'modbus', 'profiles');
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => file.slice(0, -'.yaml'.length))
  .sort();
const texts: ReadonlyMap<string, string> = new Map(
  names.map((name) => [name, readFileSync(join(folder, `${name}.yaml`), 'utf8')]),
);

/** Parameters that a profile asks for. */
const asked: Readonly<Record<string, string>> = { 'eurotherm-3200': 'resolution: 0.1' };

interface Loaded {
  readonly link: LinkConfig;
  readonly tags: readonly TagConfig[];
  readonly bindings: readonly TagBinding<ModbusAddress>[];
  readonly warnings: readonly string[];
}

/** A plant with one device of that profile, named as a profile that comes with the driver. */
async function loaded(name: string, parameters: string = asked[name] ?? ''): Promise<Loaded> {
  const plant = `millrace: 1
gateway: { id: g }
links:
  bus:
    driver: modbus
    endpoint: tcp://10.0.0.5
    devices:
      D: { unit: 7, profile: ${name}${parameters ? `, parameters: { ${parameters} }` : ''} }
`;
  const files = { '/p.yaml': plant, [`/${name}.yaml`]: texts.get(name) ?? '' };
  const host = {
    ...hostOf({ files, drivers: [modbus] }),
    profilesOf: () => Promise.resolve(new Map(names.map((known) => [known, `/${known}.yaml`]))),
  };
  const result = await loadConfig('/p.yaml', host);
  if (!result.ok) throw new TypeError(result.problems.map(formatProblem).join('\n'));
  const link = result.config.links[0];
  if (!link) throw new TypeError('no link');
  return {
    link,
    tags: link.devices[0]?.tags ?? [],
    bindings: link.bindings as readonly TagBinding<ModbusAddress>[],
    warnings: result.warnings.map(formatProblem),
  };
}

/** Tags that are numbers without a unit: power factors, and what a program of a PLC defines. */
const plain: Readonly<Record<string, RegExp>> = {
  'eastron-sdm630': /^pf(_l\d)?$/,
  'carlo-gavazzi-em24-e1': /^pf(_l\d)?$/,
  'siemens-s7-1200': /^(real|setpoint)_\d$/,
};

function hasMeaning(name: string, tag: TagConfig): boolean {
  if (tag.unit !== undefined) return parseUnit(tag.unit) !== undefined;
  if (tag.type === 'bool' || tag.type === 'string' || tag.enumeration) return true;
  // Words of bits, numbers of errors, counters.
  if (tag.type.includes('int') && tag.scale === 1) return true;
  return plain[name]?.test(tag.local) ?? false;
}

void t.test('every profile loads and says where its facts come from', async (t) => {
  t.ok(names.length >= 7, `${names.length} profiles`);
  for (const name of names) {
    t.match(name, /^[a-z0-9][a-z0-9-]*$/, 'a name that a device can give');
    const source = parse(texts.get(name) ?? '') as Readonly<Record<string, unknown>>;
    t.equal(source['profile'], 1, name);
    t.match(source['description'], /\w{3}/, `${name} has a description`);
    t.match(source['source'], /manual|guide|protocol|instructions/i, `${name} names its document`);
    t.match(source['source'], /page|table|section|chapter/, `${name} says where in it`);
    t.notOk('unit' in source, `${name} leaves the unit id to the device`);
    const { tags, warnings } = await loaded(name);
    t.strictSame(warnings, [], name);
    t.ok(tags.length > 0, name);
    t.notMatch(texts.get(name), /\bscan:/, `${name} leaves the scan classes to the plant`);
    for (const tag of tags) {
      const what = `${name}: ${tag.local}`;
      t.match(tag.description, /\S/, `${what} has a description`);
      t.ok(hasMeaning(name, tag), `${what} has a known unit or needs none`);
      if (tag.unit !== undefined) t.match(tag.unit, /^[\x20-\x7e]+$/, what);
    }
  }
});

void t.test('no two tags of a profile are the same bits', async (t) => {
  for (const name of names) {
    const seen = new Map<string, string>();
    for (const { name: tag, address } of (await loaded(name)).bindings) {
      const { table, start, bit, field, type } = address;
      const key = JSON.stringify([table, start, bit, field, type === 'bool' ? '' : 'word']);
      t.equal(seen.get(key), undefined, `${name}: ${tag}`);
      seen.set(key, tag);
    }
  }
});

/** What the device holds: `hr:100` and the registers from there on. */
type Held = Readonly<Record<string, readonly number[]>>;

interface Device {
  /** Engineering values of the good tags. */
  readonly values: ReadonlyMap<string, number | string>;
  readonly bad: readonly string[];
  readonly fake: FakeModbus;
}

/** Reads every tag from a device that holds these registers, and zeros elsewhere. */
async function read(name: string, held: Held, parameters?: string): Promise<Device> {
  const { link, tags, bindings } = await loaded(name, parameters);
  const config = link.config as ModbusConfig;
  const fake = new FakeModbus({ units: [7], value: () => 0 });
  for (const [place, content] of Object.entries(held)) {
    const [prefix, number = ''] = place.split(':');
    const table = tables.find((known) => known === prefix) ?? 'hr';
    for (const [i, value] of content.entries()) fake.set(7, table, Number(number) + i, value);
  }
  const world = new World(link.endpoint, (stream) => fake.serve(stream), 1);
  const driver = modbus.create(config, world.context);
  const { signal } = new AbortController();
  void driver.connect(signal);
  await world.settle();
  const values = new Map<string, number | string>();
  const bad: string[] = [];
  for (const group of modbus.plan(config, bindings, [])) {
    const batch = new Batch(group.tags.length);
    batch.mustDecode = true;
    batch.begin(mono(10));
    const pending = new Pending(driver.read(group, batch, signal));
    await world.settle();
    if (pending.value !== 'done') throw new TypeError(`${name}: ${String(pending.error)}`);
    for (const [i, { name: full, type }] of group.tags.entries()) {
      const tag = tags.find((known) => known.name === full);
      if (!tag) throw new TypeError(full);
      const raw = valueAt(batch, i, type);
      // The tags refuse what is no number, whatever the driver.
      if (!isGood(batch.qualities[i] ?? 0xff) || Number.isNaN(raw)) bad.push(tag.local);
      else
        values.set(tag.local, typeof raw === 'string' ? raw : Number(raw) * tag.scale + tag.offset);
    }
  }
  await driver.close();
  return { values, bad, fake };
}

interface Golden {
  readonly profile: string;
  readonly parameters?: string;
  readonly held: Held;
  readonly expected: Readonly<Record<string, number | string>>;
  readonly bad?: readonly string[];
}

/** By hand, from the examples of the manuals where they give one. */
const goldens: readonly Golden[] = [
  {
    profile: 'eastron-sdm630',
    held: {
      'ir:0': [0x4366, 0x3333],
      'ir:52': [0x44fa, 0],
      'ir:62': [0xbf80, 0],
      'ir:70': [0x4248, 0],
      'ir:72': [0x461c, 0x4000],
      'ir:346': [0x42f6, 0xe979],
    },
    expected: {
      voltage_l1: 230.2,
      power: 2_000,
      pf: -1,
      frequency: 50,
      energy_import: 10_000,
      import_l1: 123.456,
      export_l3: 0,
    },
  },
  {
    profile: 'carlo-gavazzi-em24-e1',
    held: {
      // 230.1 V, 70 A, -1234.5 W: low word first.
      'ir:0': [0x08fd, 0],
      'ir:12': [0x1170, 0x0001],
      'ir:40': [0xcfc7, 0xffff],
      // PF -0.9, L1-L3-L2, 50.0 Hz, 500.0 kWh.
      'ir:49': [0xfc7c, 0xffff, 500, 5_000, 0],
      'ir:78': [6_000, 0],
      'hr:4098': [4],
      'hr:20480': [0x4259, 0x3234, 0x3630, 0x3033, 0x3230, 0x3031, 0x3100],
      'hr:41216': [3],
    },
    expected: {
      voltage_l1: 230.1,
      current_l1: 70,
      power: -1_234.5,
      pf: -0.9,
      phase_sequence: -1,
      frequency: 50,
      energy_import: 500,
      energy_export: 600,
      system: 4,
      serial: 'BY24600320011',
      selector: 3,
    },
  },
  {
    profile: 'schneider-iem3000',
    held: {
      'hr:3027': [0xffc0, 0],
      'hr:3059': [0x4048, 0xf5c3],
      'hr:3203': [0, 0, 0x0012, 0xd687],
      'hr:3219': [0xffff, 0xffff, 0xffff, 0xfc18],
    },
    expected: { power: 3.14, energy_import: 1_234.567, reactive_import: -1 },
    bad: ['voltage_l1'],
  },
  {
    profile: 'danfoss-fc51',
    held: {
      'hr:49999': [0x047c],
      'hr:50009': [0x4000],
      'hr:50199': [0x0f07],
      'hr:50209': [0xe000],
      'hr:16129': [500],
      'hr:16139': [738],
      'hr:16339': [41],
      'hr:16899': [0x0001, 0x0002],
    },
    expected: {
      control_word: 1_148,
      reference: 100,
      main_actual: -50,
      control_ready: 1,
      drive_ready: 1,
      enabled: 1,
      tripped: 0,
      on_reference: 1,
      bus_control: 1,
      in_range: 1,
      running: 1,
      thermal_warning: 0,
      frequency: 50,
      current: 7.38,
      heatsink: 41,
      alarm_word: 65_538,
    },
  },
  {
    profile: 'abb-acs580',
    held: { 'hr:0': [0x047f, 20_000, 0, 0x0337, 10_000] },
    expected: {
      control_word: 1_151,
      reference: 100,
      ready_to_switch_on: 1,
      ready_to_run: 1,
      enabled: 1,
      tripped: 0,
      off2_inactive: 1,
      off3_inactive: 1,
      inhibited: 0,
      warning: 0,
      at_setpoint: 1,
      remote: 1,
      actual: 50,
    },
  },
  {
    profile: 'abb-acs580',
    parameters: 'refScale: 0.075, refUnit: rpm',
    held: { 'hr:3': [0x0008, 0xb1e0] },
    expected: { tripped: 1, actual: -1_500 },
  },
  {
    profile: 'siemens-s7-1200',
    parameters: 'block: 2',
    held: {
      'di:3': [1],
      'co:9': [1],
      'ir:32': [13_824, 0x7fff],
      'hr:200': [0x0102, 0x1234, 77],
      'hr:204': [0xfffe],
      'hr:212': [0xffff, 0xfffe],
      'hr:220': [0x42f6, 0xe979],
      'hr:246': [0xc248, 0],
    },
    expected: {
      i0_3: 1,
      i0_4: 0,
      q1_1: 1,
      ai0: 5,
      dbx0_0: 1,
      dbx0_1: 0,
      dbx1_0: 0,
      dbx1_1: 1,
      command: 0x1234,
      heartbeat: 77,
      int_0: -2,
      dint_0: -2,
      real_0: 123.456,
      setpoint_3: -50,
    },
    bad: ['ai1'],
  },
  {
    profile: 'siemens-s7-1200',
    held: { 'hr:2': [5], 'hr:20': [0x4248, 0] },
    expected: { heartbeat: 5, real_0: 50 },
  },
  {
    profile: 'eurotherm-3200',
    held: { 'hr:1': [2_315, 2_500, 0, 0xffce, 2_400], 'hr:75': [0x0021], 'hr:273': [1] },
    expected: {
      pv: 231.5,
      target_sp: 250,
      output: -5,
      working_sp: 240,
      alarm_1: 1,
      alarm_2: 0,
      sensor_break: 1,
      auto_manual: 1,
    },
  },
  {
    profile: 'delta-dtb',
    held: { 'hr:4096': [0x01f4, 0xffce], 'hr:4114': [1_000], 'di:2051': [1], 'di:2068': [1] },
    expected: { pv: 50, sv: -5, output_1: 100, alarm_1: 1, alarm_2: 0, running: 1 },
  },
  ...[0x8002, 0x8003, 0x8004, 0x8006, 0x8007].map((code) => ({
    profile: 'delta-dtb',
    held: { 'hr:4096': [code, 640] },
    expected: { sv: 64 },
    bad: ['pv'],
  })),
  {
    profile: 'siemens-mag6000',
    held: {
      'hr:3002': [0x40c3, 0x5293],
      'hr:3014': [0x40c8, 0x1cd6, 0xe631, 0xf8a1],
      'hr:3200': [0x0041, 0xffff],
      'hr:2025': [0x3ca3, 0xd70a],
      'co:10': [1],
    },
    expected: {
      flow: 6.10383 * 3_600,
      total_1: 12_345.679,
      running: 1,
      error: 0,
      total_1_held: 1,
      first_error: 0xffff,
      cut_off: 2,
      hold_total_1: 1,
      hold_total_2: 0,
    },
  },
  {
    profile: 'vaisala-gmp252',
    held: {
      'hr:0': [0xd47a, 0x43e8],
      'hr:257': [1_200],
      'hr:520': [0x5000, 0x447d],
      'hr:2048': [6, 256],
    },
    expected: {
      co2: 465.65997,
      co2_coarse: 12_000,
      pressure_compensation: 1_013.25,
      critical: 0,
      error: 1,
      warning: 1,
      unreliable: 0,
      not_ready: 1,
    },
  },
  {
    profile: 'vaisala-gmw90',
    held: { 'hr:256': [607, 4_512, 0xff38, 0x8000], 'hr:512': [0x0102], 'hr:1028': [1_013] },
    expected: {
      co2: 607,
      humidity: 45.12,
      temperature: -2,
      critical: 0,
      error: 1,
      co2_error: 1,
      pressure: 1_013,
    },
    bad: ['dew_point'],
  },
];

void t.test('registers become the values of the manual', async (t) => {
  for (const { profile, parameters, held, expected, bad = [] } of goldens) {
    const device = await read(profile, held, parameters);
    t.strictSame(device.bad, bad, `${profile}: what has no value`);
    for (const [tag, value] of Object.entries(expected)) {
      const got = device.values.get(tag);
      const what = `${profile}: ${tag} is ${value}, read as ${got}`;
      if (typeof value === 'string' || typeof got !== 'number') t.equal(got, value, what);
      else t.ok(Math.abs(got - value) <= 1e-6 * Math.max(1, Math.abs(value)), what);
    }
  }
  const tested = new Set(goldens.map(({ profile }) => profile));
  t.strictSame([...tested].sort(), names, 'every profile has its values');
});

void t.test('no request is longer than the device takes', async (t) => {
  const most: Readonly<Record<string, [registers: number, bits: number]>> = {
    'eastron-sdm630': [80, 0],
    'delta-dtb': [8, 16],
    // A parameter has ten registers of its own, and is read alone.
    'danfoss-fc51': [2, 0],
  };
  for (const [name, [registers, bits]] of Object.entries(most))
    for (const { table, count } of (await read(name, {})).fake.requests)
      t.ok(count <= (table === 'di' || table === 'co' ? bits : registers), `${name}: ${count}`);
});
