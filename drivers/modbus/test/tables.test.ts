/** Addresses, plans and values: pure tables and properties, no wire. */
import fc from 'fast-check';
import t from 'tap';
import {
  Batch,
  mono,
  type TagBinding,
  type TagType,
  type Value,
} from '../../../gateway/contract/index.js';
import { parseTag, type ModbusAddress } from '../plan/address.js';
import { parseLink, type ModbusConfig } from '../plan/config.js';
import { Decoder } from '../values/decode.js';
import { encodeValue } from '../values/encode.js';
import { byteOrders } from '../values/orders.js';
import { plan } from '../plan/plan.js';

function configOf(source: Record<string, unknown> = {}): ModbusConfig {
  const parsed = parseLink(source, undefined);
  if (!parsed.ok) throw new TypeError(JSON.stringify(parsed.problems));
  return parsed.value;
}
const config = configOf();

function addressOf(
  address: unknown,
  type: TagType,
  extra: Record<string, unknown> = {},
): ModbusAddress {
  const parsed = parseTag(config, { unit: 1 }, { address, type, ...extra });
  if (!parsed.ok) throw new TypeError(JSON.stringify(parsed.problems));
  return parsed.value;
}

let index = 0;
function tag(address: ModbusAddress, device = 'D'): TagBinding<ModbusAddress> {
  const tag = index++;
  return { tag, name: `${device}.T${tag}`, device, type: address.type, address };
}

void t.test('addresses that mean the same are the same', (t) => {
  const table: [unknown, TagType, string, number, number | undefined][] = [
    ['hr:100', 'uint16', 'hr', 100, undefined],
    ['HR:0x64', 'uint16', 'hr', 100, undefined],
    [' hr:100 ', 'uint16', 'hr', 100, undefined],
    ['40101', 'uint16', 'hr', 100, undefined],
    [40101, 'uint16', 'hr', 100, undefined],
    [400101, 'uint16', 'hr', 100, undefined],
    ['465536', 'uint16', 'hr', 65_535, undefined],
    ['30001', 'int16', 'ir', 0, undefined],
    ['10007', 'bool', 'di', 6, undefined],
    ['00003', 'bool', 'co', 2, undefined],
    ['000003', 'bool', 'co', 2, undefined],
    ['hr:110.3', 'bool', 'hr', 110, 3],
    ['hr:0x6e.15', 'bool', 'hr', 110, 15],
    ['40111.0', 'bool', 'hr', 110, 0],
    ['co:0', 'bool', 'co', 0, undefined],
    ['hr:65534', 'float32', 'hr', 65_534, undefined],
  ];
  for (const [typed, type, name, start, bit] of table) {
    const { table: found, start: at, bit: b } = addressOf(typed, type);
    t.same([found, at, b], [name, start, bit], String(typed));
  }
  const one = parseTag(config, { unit: 1, addressing: 'one' }, { address: 'hr:1', type: 'uint16' });
  t.ok(one.ok && one.value.start === 0, 'addressing: one counts from one');
  const classic = parseTag(
    config,
    { unit: 1, addressing: 'one' },
    { address: 40001, type: 'int16' },
  );
  t.ok(classic.ok && classic.value.start === 0, 'the classic numbers always do');
  t.end();
});

void t.test('every wrong address says what is wrong and what to write', (t) => {
  const table: [Record<string, unknown>, TagType, RegExp, RegExp][] = [
    [{}, 'uint16', /address is missing/, /hr:100/],
    [{ address: 'x:5' }, 'uint16', /not a Modbus address/, /hr:100/],
    [{ address: 3 }, 'bool', /not a Modbus address/, /hr:3 or co:3/],
    [{ address: 'hr:-1' }, 'uint16', /not a Modbus address/, /hr:100/],
    [{ address: 'hr:1.5.2' }, 'bool', /not a Modbus address/, /hr:100/],
    [{ address: ['hr:1'] }, 'uint16', /not a Modbus address: a list/, /hr:100/],
    [{ address: 'hr:65536' }, 'uint16', /no such address/, /0 to 65535/],
    [{ address: 40000 }, 'uint16', /no such address/, /40001/],
    [{ address: 470000 }, 'uint16', /no such address/, /400001/],
    [{ address: 20001 }, 'uint16', /no table begins with 2/, /coils/],
    [{ address: 'hr:110.16' }, 'bool', /no bit 16/, /\.15/],
    [{ address: 'hr:110.3-9' }, 'bool', /a bool is one bit/, /use \.3/],
    [{ address: 'hr:110.3' }, 'float32', /bits of a register are no float32/, /integer/],
    [{ address: 'hr:110.4-40' }, 'uint32', /no bit 40/, /above/],
    [{ address: 'hr:110.0-15' }, 'uint8', /16 bits do not fit uint8/, /wider/],
    [{ address: 'hr:110.x' }, 'uint16', /not a Modbus address/, /hr:100/],
    [{ address: '2x0001' }, 'uint16', /not a Modbus address/, /4x0101/],
    [{ address: '4x00000' }, 'uint16', /no such address/, /400001/],
    [{ address: 'hr:1', format: 'bcd' }, 'int16', /bcd is no int16/, /uint16, uint32/],
    [{ address: 'hr:1', format: 'roman' }, 'int16', /format cannot be "roman"/, /bcd/],
    [{ address: 'hr:1', invalid: 'none' }, 'int16', /not a raw int16 of 16 bits: "none"/, /0x8000/],
    [
      { address: 'hr:1', invalid: 70_000 },
      'uint16',
      /not a raw uint16 of 16 bits: 70000/,
      /0x8000/,
    ],
    [{ address: 'hr:20.low', format: 'bcd' }, 'uint16', /part of a register is no bcd/, /leave/],
    [{ address: 'co:1', invalid: 0 }, 'bool', /a single bit has no invalid value/, /leave it out/],
    [{ address: 'hr:110' }, 'bool', /which one/, /hr:110\.0/],
    [{ address: 'co:3' }, 'float32', /single bits, not float32/, /type: bool/],
    [{ address: 'co:3.1' }, 'bool', /no bits within/, /leave out/],
    [{ address: 'hr:65535' }, 'float32', /takes 2 registers and runs past/, /check/],
    [{ address: 'hr:65533' }, 'uint64', /takes 4 registers and runs past/, /check/],
    [{ address: 'hr:1' }, 'string', /length is missing/, /1 to 250/],
    [{ address: 'hr:1', length: 4 }, 'int16', /length is for strings/, /leave it out/],
    [{ address: 'hr:1', byteOrder: 'big' }, 'int32', /byteOrder cannot be "big"/, /ABCD, CDAB/],
    [{ address: 40 }, 'uint16', /not a Modbus address/, /table: hr.*"0x0028"/],
  ];
  for (const [source, type, message, hint] of table) {
    const parsed = parseTag(config, { unit: 1 }, { ...source, type });
    const [problem] = parsed.ok ? [] : parsed.problems;
    t.match(problem?.message, message, JSON.stringify(source));
    t.match(problem?.hint, hint);
  }
  const small = parseTag(
    configOf({ maxRegisters: 3 }),
    { unit: 1 },
    { address: 'hr:1', type: 'int64' },
  );
  t.match(small.ok ? '' : small.problems[0]?.message, /a request may have 3/);
  t.end();
});

void t.test('as many requests as the best possible plan has', (t) => {
  for (const stride of [1, 2, 3, 10, 124, 125, 200]) {
    const tags = Array.from({ length: 300 }, (_, i) =>
      tag(addressOf(`hr:${i * stride}`, 'uint16')),
    );
    const ideal = Math.ceil(300 / (Math.floor(124 / stride) + 1));
    t.equal(plan(config, tags, []).length, ideal, `one register in ${stride}`);
  }
  const gap = [0, 2, 5].map((at) => tag(addressOf(`hr:${at}`, 'uint16')));
  const limited = (source: Record<string, unknown>, device: Record<string, unknown> = {}): number =>
    plan(
      config,
      [0, 2, 5].map((at) => {
        const tagSource = { address: `hr:${at}`, type: 'uint16' as const };
        const parsed = parseTag(configOf(source), { unit: 1, ...device }, tagSource);
        if (!parsed.ok) throw new TypeError('the address is valid');
        return tag(parsed.value);
      }),
      [],
    ).length;
  t.equal(limited({ maxGap: 1 }), 2, 'maxGap 1 bridges one register');
  t.equal(limited({ maxGap: 0 }), 3, 'maxGap 0 bridges none');
  t.equal(limited({ maxGap: 0 }, { maxGap: 9 }), 1, 'a device may differ from its link');
  t.equal(limited({}, { maxRegisters: 5 }), 2, 'maxRegisters of a device');
  const [first] = plan(config, gap, []);
  t.equal(first?.label, 'unit 1 hr 0..5', 'labels name unit, table and addresses');
  const coils = Array.from({ length: 2_001 }, (_, i) => tag(addressOf(`co:${i}`, 'bool')));
  t.equal(plan(config, coils, []).length, 2, 'coils: 2000 a request');
  t.end();
});

const anyAddress = fc
  .record({
    unit: fc.integer({ min: 1, max: 2 }),
    table: fc.constantFrom('hr', 'ir', 'co'),
    start: fc.integer({ min: 0, max: 400 }),
    type: fc.constantFrom<TagType>('uint16', 'float32', 'uint64', 'string'),
  })
  .map(({ unit, table, start, type }): ModbusAddress => {
    const source =
      table === 'co'
        ? { address: `co:${start}`, type: 'bool' as const }
        : { address: `${table}:${start}`, type, ...(type === 'string' ? { length: 30 } : {}) };
    const parsed = parseTag(config, { unit }, source);
    if (!parsed.ok) throw new TypeError('a generated address is valid');
    return parsed.value;
  });

void t.test('a plan holds every tag once, within the limits, and no refused address', (t) => {
  fc.assert(
    fc.property(
      fc.array(anyAddress, { maxLength: 60 }),
      fc.array(anyAddress, { maxLength: 4 }),
      fc.integer({ min: 0, max: 200 }),
      fc.integer({ min: 15, max: 125 }),
      (addresses, refusedAddresses, maxGap, maxRegisters) => {
        const own = (address: ModbusAddress): TagBinding<ModbusAddress> => {
          const maxCount = address.table === 'co' ? 2_000 : maxRegisters;
          return tag({ ...address, request: { maxGap, alone: false, maxCount, timeout: 1_000 } });
        };
        const tags = addresses.map(own);
        const refused = refusedAddresses.map(own);
        const groups = plan(config, [...tags, ...refused], refused);
        const seen = groups.flatMap((group) => group.tags.map(({ tag }) => tag));
        const all = tags.map(({ tag }) => tag);
        if (JSON.stringify(seen.sort((a, b) => a - b)) !== JSON.stringify(all)) return false;
        return groups.every((group) => {
          const start = Math.min(...group.tags.map(({ address }) => address.start));
          const end = Math.max(...group.tags.map(({ address }) => address.start + address.count));
          const [{ address } = { address: undefined }] = group.tags;
          if (!address) return false;
          const limit = address.table === 'co' ? 2_000 : maxRegisters;
          const oneBlock = group.tags.every(
            (other) => other.address.unit === address.unit && other.address.table === address.table,
          );
          const clear = refused.every(
            ({ address: hole }) =>
              hole.unit !== address.unit ||
              hole.table !== address.table ||
              hole.start >= end ||
              hole.start + hole.count <= start,
          );
          // Apart from the others: only tags that make the very same request.
          const alike = group.tags.every(
            (other) =>
              other.address.start === start && other.address.start + other.address.count === end,
          );
          return oneBlock && end - start <= limit && (clear || alike);
        });
      },
    ),
    { numRuns: 500 },
  );
  t.pass('500 plans');
  t.end();
});

const integers: Partial<Record<TagType, [bigint, bigint]>> = {
  int16: [-(2n ** 15n), 2n ** 15n - 1n],
  uint16: [0n, 2n ** 16n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
};

/** What comes back when a value is written and read: encoder and decoder together. */
function roundTrip(address: ModbusAddress, value: Value): Value | undefined {
  const encoded = encodeValue(address, value);
  if (!encoded.ok) return undefined;
  const batch = new Batch(1);
  batch.begin(mono(0));
  new Decoder([tag(address)], address.start).decode(encoded.data, 0, batch);
  return batch.qualities[0] === 0 ? (batch.wide[0] ?? batch.numbers[0] ?? null) : undefined;
}

void t.test('what is written is what is read, for every type and byte order', (t) => {
  for (const byteOrder of byteOrders) {
    for (const [type, range] of Object.entries(integers) as [TagType, [bigint, bigint]][]) {
      const address = addressOf('hr:10', type, { byteOrder });
      const wide = type === 'int64' || type === 'uint64';
      fc.assert(
        fc.property(fc.bigInt({ min: range[0], max: range[1] }), (value) =>
          Object.is(roundTrip(address, value), wide ? value : Number(value)),
        ),
        { examples: [[range[0]], [range[1]]] },
      );
      for (const outside of [range[0] - 1n, range[1] + 1n])
        t.match(encodeValue(address, outside), { code: `value does not fit ${type}` });
    }
    const single = addressOf('hr:10', 'float32', { byteOrder });
    const double = addressOf('hr:10', 'float64', { byteOrder });
    const finite = { noDefaultInfinity: true, noNaN: true };
    fc.assert(fc.property(fc.float(finite), (value) => Object.is(roundTrip(single, value), value)));
    fc.assert(
      fc.property(fc.double(finite), (value) => Object.is(roundTrip(double, value), value)),
    );
    const text = addressOf('hr:10', 'string', { byteOrder, length: 40 });
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 10 }), (typed) => {
        const value = typed.replaceAll('\0', '').replace(/ +$/, '');
        const fits = new TextEncoder().encode(value).length <= 40;
        return roundTrip(text, value) === (fits ? value : undefined);
      }),
    );
  }
  t.pass('all types and byte orders');
  t.end();
});

void t.test('a value that the type cannot hold is refused, not cut', (t) => {
  const refusals: [TagType, Value, RegExp][] = [
    ['uint16', 65_536, /does not fit uint16/],
    ['uint16', -1, /does not fit uint16/],
    ['int16', 1.5, /not a whole number/],
    ['int16', NaN, /does not fit int16/],
    ['int16', Infinity, /does not fit int16/],
    ['int16', 'on', /does not fit int16/],
    ['int16', null, /does not fit int16/],
    ['int16', true, /does not fit int16/],
    ['float32', 1e39, /does not fit float32/],
    ['float32', NaN, /does not fit float32/],
    ['float64', '1', /does not fit float64/],
  ];
  for (const [type, value, code] of refusals)
    t.match(
      encodeValue(addressOf('hr:1', type), value),
      { ok: false, code },
      `${type} ${String(value)}`,
    );
  t.match(encodeValue(addressOf('hr:1', 'string', { length: 2 }), 'abc'), {
    code: /takes 3 bytes/,
  });
  t.match(encodeValue(addressOf('hr:1', 'uint16'), 12.3 / 0.1), { ok: true }, 'scale taken out');
  t.end();
});

void t.test('bytes that are no text are bad (decode), and the neighbours stay good', (t) => {
  const tags = [
    tag(addressOf('hr:0', 'uint16')),
    tag(addressOf('hr:1', 'string', { length: 2 })),
    tag(addressOf('hr:2', 'uint16')),
  ];
  const batch = new Batch(3);
  batch.begin(mono(0));
  new Decoder(tags, 0).decode(Uint8Array.of(0, 1, 0xff, 0xfe, 0, 2), 0, batch);
  t.same([...batch.qualities], [0, 0x85, 0]);
  t.same([batch.numbers[0], batch.numbers[2]], [1, 2]);
  t.end();
});
