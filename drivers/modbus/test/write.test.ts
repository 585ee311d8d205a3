/** Writes: which function codes, what is learned, and that a bit leaves its neighbours alone. */
import t from 'tap';
import type { Value, DeviceOutcome } from '../../../gateway/contract/index.js';
import { modbusOptions, ModbusDevice } from '../../../test/conformance/examples.js';
import { Rig } from '../../../test/conformance/rig.js';
import type { TagSource } from '../../../test/conformance/types.js';
import { FakeModbus } from './fake.js';
import type { ModbusAddress } from '../plan/address.js';
import type { ModbusConfig } from '../plan/config.js';

/** A device without some functions, which may change a register behind our back. */
class Plain extends ModbusDevice {
  override readonly fake: FakeModbus;
  /** Called before each request. */
  meanwhile: () => void = () => undefined;
  constructor(without: readonly number[], refuse: (fn: number) => number = () => 0) {
    super();
    this.fake = new FakeModbus({
      without,
      refuse: ({ fn }) => {
        this.meanwhile();
        return refuse(fn);
      },
    });
  }
}

type PlainRig = Rig<ModbusConfig, ModbusAddress, Plain>;

async function rigOf(
  without: readonly number[],
  tags: Record<string, TagSource>,
  refuse?: (fn: number) => number,
): Promise<PlainRig> {
  const fake = new Plain(without, refuse);
  return new Rig<ModbusConfig, ModbusAddress, Plain>(
    { ...modbusOptions(), vectors: [], fake: () => fake },
    { tags },
  ).connect();
}

/** Writes, lets everything arrive; the function codes that were used since the last call. */
async function write(
  rig: PlainRig,
  name: string,
  value: Value,
): Promise<[DeviceOutcome | undefined, number[]]> {
  const { requests } = rig.device.fake;
  const before = requests.length;
  const pending = rig.write(rig.tagNamed(name), value);
  await rig.world.settle();
  return [pending.value, requests.slice(before).map(({ fn }) => fn)];
}

const ok = { ok: true };

void t.test(
  'one register by FC 6, more by FC 16, and the other way where it must be',
  async (t) => {
    const tags: Record<string, TagSource> = {
      word: { type: 'uint16', address: 'hr:1' },
      pair: { type: 'float32', address: 'hr:2' },
      many: { type: 'uint16', address: 'hr:4', write: 'multiple' },
      single: { type: 'uint16', address: 'hr:5', write: 'single' },
      wide: { type: 'uint32', address: 'hr:6', write: 'single' },
      both: { type: 'uint32', address: 'hr:8', write: 'read-write' },
      coil: { type: 'bool', address: 'co:1' },
      coils: { type: 'bool', address: 'co:2', write: 'multiple' },
    };
    const rig = await rigOf([], tags);
    t.same(await write(rig, 'word', 5), [ok, [6]]);
    t.same(await write(rig, 'pair', 1.5), [ok, [16]]);
    t.same(await write(rig, 'many', 5), [ok, [16]]);
    t.same(await write(rig, 'single', 5), [ok, [6]]);
    t.match(await write(rig, 'wide', 5), [
      { ok: false, code: /takes 2 registers, and write: single writes one/ },
      [],
    ]);
    t.same(await write(rig, 'both', 70_000), [ok, [23]]);
    t.equal(rig.device.fake.get(7, 'hr', 8) + rig.device.fake.get(7, 'hr', 9), 1 + 4_464);
    t.same(await write(rig, 'coil', true), [ok, [5]]);
    t.same(await write(rig, 'coils', true), [ok, [15]]);

    const old = await rigOf([5, 6], tags);
    t.same(
      await write(old, 'word', 5),
      [ok, [6, 16]],
      'it does not know FC 6: exception 1, and FC 16',
    );
    t.same(await write(old, 'word', 6), [ok, [16]], 'learned');
    t.same(await write(old, 'coil', true), [ok, [5, 15]], 'coils are another matter');
    t.same(await write(old, 'coil', true), [ok, [15]]);
    const few = await rigOf([5, 15, 16], tags);
    await write(few, 'coil', true);
    t.same(await write(few, 'word', 5), [ok, [6]], 'what coils cannot says nothing of registers');
    t.match(await write(old, 'single', 5), [{ ok: false, code: /illegal function/ }, [6]]);
  },
);

void t.test(
  'FC 22 refused in any way, or never answered, and `write` that leaves it out',
  async (t) => {
    for (const code of [1, 2, 3, 4]) {
      const rig = await rigOf([], { bit: { type: 'bool', address: 'hr:1.3' } }, (fn) =>
        fn === 22 ? code : 0,
      );
      rig.device.fake.set(7, 'hr', 1, 0xf0f0);
      t.same(await write(rig, 'bit', true), [ok, [22, 3, 6, 3]], `exception ${code}`);
      t.same(await write(rig, 'bit', false), [ok, [3, 6, 3]], 'and remembered');
    }
    const silent = await rigOf([], { bit: { type: 'bool', address: 'hr:1.3' } });
    silent.world.wire.shape = (answer) => (answer[7] === 22 ? [] : [answer]);
    const first = silent.write(silent.tagNamed('bit'), true);
    await silent.world.settle();
    await silent.abort();
    t.match(first.error, { kind: 'timeout' });
    t.same(await write(silent, 'bit', true), [ok, [3, 6, 3]], 'not asked so again');
    const single = await rigOf([], { bit: { type: 'bool', address: 'hr:1.3', write: 'single' } });
    t.same(await write(single, 'bit', true), [ok, [3, 6, 3]]);
  },
);

void t.test('a bit by FC 22, or read, changed and read back where it is refused', async (t) => {
  const tags: Record<string, TagSource> = {
    bit: { type: 'bool', address: 'hr:1.3' },
    other: { type: 'bool', address: 'hr:1.4' },
    field: { type: 'uint16', address: 'hr:1.8-11' },
    byte: { type: 'int8', address: 'hr:2.high' },
    long: { type: 'uint32', address: 'hr:4.12-19', byteOrder: 'ABCD' },
    swapped: { type: 'bool', address: 'hr:6.0', byteOrder: 'DCBA' },
  };
  for (const without of [[], [22]]) {
    const rig = await rigOf(without, tags);
    const { fake } = rig.device;
    const masked = without.length === 0;
    const first = masked ? [22] : [22, 3, 6, 3];
    const later = masked ? [22] : [3, 6, 3];
    fake.set(7, 'hr', 1, 0xf0f0);
    t.same(await write(rig, 'bit', true), [ok, first]);
    t.equal(fake.get(7, 'hr', 1), 0xf0f8);
    t.same(await write(rig, 'other', false), [ok, later]);
    t.equal(fake.get(7, 'hr', 1), 0xf0e8, 'only that bit');
    t.same(await write(rig, 'field', 5), [ok, later]);
    t.equal(fake.get(7, 'hr', 1), 0xf5e8);
    t.match(await write(rig, 'field', 16), [{ ok: false, code: /does not fit 4 bits/ }, []]);
    fake.set(7, 'hr', 2, 0x1234);
    await write(rig, 'byte', -2);
    t.equal(fake.get(7, 'hr', 2), 0xfe34);
    t.match(await write(rig, 'byte', 200), [{ ok: false, code: /does not fit/ }, []]);
    fake.set(7, 'hr', 4, 0xaaaa);
    fake.set(7, 'hr', 5, 0x5555);
    t.same((await write(rig, 'long', 0xff))[1], [3, 16, 3], 'over two registers there is no mask');
    t.same([fake.get(7, 'hr', 4), fake.get(7, 'hr', 5)], [0xaaa5 | 0x0f, 0xf555]);
    fake.set(7, 'hr', 6, 0);
    await write(rig, 'swapped', true);
    t.equal(fake.get(7, 'hr', 6), 0x0100);
  }
});

void t.test('two bits of one register at once: neither undoes the other', async (t) => {
  const tags = Object.fromEntries(
    Array.from({ length: 16 }, (_, i) => [
      `b${String(i)}`,
      { type: 'bool', address: `hr:1.${String(i)}` },
    ]),
  ) as Record<string, TagSource>;
  const rig = await rigOf([22], tags);
  rig.device.fake.set(7, 'hr', 1, 0);
  const writes = Object.keys(tags).map((name) => rig.write(rig.tagNamed(name), true));
  await rig.world.settle();
  t.ok(writes.every(({ value }) => value?.ok));
  t.equal(rig.device.fake.get(7, 'hr', 1), 0xffff);
});

void t.test('what another program changes meanwhile is noticed', async (t) => {
  const rig = await rigOf([22], { bit: { type: 'bool', address: 'hr:1.3' } });
  const { fake } = rig.device;
  fake.set(7, 'hr', 1, 0);
  let requests = 0;
  rig.device.meanwhile = () => {
    // Between our write and our reading it back.
    if (++requests === 3) fake.set(7, 'hr', 1, 0x0100);
  };
  const [outcome] = await write(rig, 'bit', true);
  t.match(outcome, { ok: false, code: /does not read back as written/ });
});

void t.test('a write that is given up between two requests goes no further', async (t) => {
  const rig = await rigOf([22], { bit: { type: 'bool', address: 'hr:1.3' } });
  rig.device.fake.set(7, 'hr', 1, 0);
  await write(rig, 'bit', false);
  rig.world.wire.shape = (answer) => (answer[7] === 3 ? [] : [answer]);
  const pending = rig.write(rig.tagNamed('bit'), true);
  await rig.world.settle();
  await rig.abort();
  await rig.world.settle();
  t.equal(pending.state, 'failed');
  t.equal(rig.device.fake.get(7, 'hr', 1), 0, 'read, but never written');
});

void t.test(
  'a whole register that is written while its bits are changed wins, or comes first',
  async (t) => {
    const tags: Record<string, TagSource> = {
      bit: { type: 'bool', address: 'hr:10.9' },
      word: { type: 'uint16', address: 'hr:10' },
      field: { type: 'uint32', address: 'hr:10.16-23', byteOrder: 'ABCD' },
      low: { type: 'bool', address: 'hr:11.15' },
    };
    const rig = await rigOf([22], tags);
    const { fake } = rig.device;
    fake.set(7, 'hr', 10, 0x00ff);
    const both = [rig.write(rig.tagNamed('bit'), true), rig.write(rig.tagNamed('word'), 0)];
    await rig.world.settle();
    t.ok(both.every(({ value }) => value?.ok));
    t.equal(fake.get(7, 'hr', 10), 0, 'what was written last stands');
    fake.set(7, 'hr', 11, 0);
    const parts = [rig.write(rig.tagNamed('field'), 5), rig.write(rig.tagNamed('low'), true)];
    await rig.world.settle();
    t.ok(parts.every(({ value }) => value?.ok));
    t.same([fake.get(7, 'hr', 10), fake.get(7, 'hr', 11)], [5, 0x8000]);
  },
);
