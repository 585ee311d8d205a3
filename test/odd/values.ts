/** What registers hold: orders, values that are none, texts, wide registers, scales. */
import type { Value } from '../../gateway/contract/index.js';
import { everyWay, oddUnit, ofReads, withIds, type Oddity, type OddRig } from './oddity.js';

type Keys = Readonly<Record<string, unknown>>;

/** Registers that hold these words are read as this value; nothing = as no value. */
function reading(
  name: string,
  source: string,
  keys: Keys,
  words: readonly number[],
  value: Value | undefined,
  bad = /bad \(device\)/,
): Oddity {
  return {
    name,
    source,
    on: ['tcp', 'ascii'],
    tags: (rig) => {
      rig.put(...words);
      return { v: rig.holding(keys, ...(value === undefined ? [] : [value])) };
    },
    ...(value === undefined && { bad: { v: bad } }),
  };
}

const orderSource = 'a dozen manuals; finding F6';
const orders: readonly Oddity[] = [
  reading(
    '32 bits, high register first',
    orderSource,
    { type: 'uint32' },
    [0x1122, 0x3344],
    0x11223344,
  ),
  reading(
    '32 bits, low register first',
    orderSource,
    { type: 'uint32', byteOrder: 'CDAB' },
    [0x3344, 0x1122],
    0x11223344,
  ),
  reading(
    '32 bits, bytes swapped',
    orderSource,
    { type: 'uint32', byteOrder: 'BADC' },
    [0x2211, 0x4433],
    0x11223344,
  ),
  reading(
    '32 bits, all reversed',
    orderSource,
    { type: 'uint32', byteOrder: 'DCBA' },
    [0x4433, 0x2211],
    0x11223344,
  ),
  reading(
    'a float, low register first',
    orderSource,
    { type: 'float32', byteOrder: 'CDAB' },
    [0, 0x4148],
    12.5,
  ),
  ...(
    [
      ['ABCDEFGH', [0x1122, 0x3344, 0x5566, 0x7788]],
      ['GHEFCDAB', [0x7788, 0x5566, 0x3344, 0x1122]],
      ['BADCFEHG', [0x2211, 0x4433, 0x6655, 0x8877]],
      ['HGFEDCBA', [0x8877, 0x6655, 0x4433, 0x2211]],
      ['EFGHABCD', [0x5566, 0x7788, 0x1122, 0x3344]],
      ['CDABGHEF', [0x3344, 0x1122, 0x7788, 0x5566]],
      ['DCBAHGFE', [0x4433, 0x2211, 0x8877, 0x6655]],
      ['FEHGBADC', [0x6655, 0x8877, 0x2211, 0x4433]],
    ] as const
  ).map(([byteOrder, words]) =>
    reading(
      `64 bits as ${byteOrder}`,
      orderSource,
      { type: 'uint64', byteOrder },
      words,
      0x1122334455667788n,
    ),
  ),
];

const sunSpec = 'SunSpec Information Model Specification: values that are not there';
const none: readonly Oddity[] = [
  reading(
    'an int16 that is not there',
    sunSpec,
    { type: 'int16', invalid: 0x8000 },
    [0x8000],
    undefined,
  ),
  reading(
    'a uint32 that is not there',
    sunSpec,
    { type: 'uint32', invalid: 0xffffffff },
    [0xffff, 0xffff],
    undefined,
  ),
  reading(
    'alarm bits that are not there',
    'finding F6, case 11',
    { address: 'hr:5.0', type: 'bool', invalid: 0xffff },
    [],
    undefined,
  ),
  reading(
    'a float that is no number',
    'IEEE 754',
    { type: 'float32' },
    [0x7fc0, 0],
    undefined,
    /bad \((decode|device)\)/,
  ),
  reading(
    'an infinite float',
    'IEEE 754',
    { type: 'float32' },
    [0x7f80, 0],
    undefined,
    /bad \((decode|device)\)/,
  ),
  reading(
    'BCD digits that are none',
    'a report: counters while they turn over',
    { type: 'uint16', format: 'bcd' },
    [0x12fa],
    undefined,
    /bad \(decode\)/,
  ),
].map((oddity) =>
  oddity.name.startsWith('alarm bits')
    ? {
        ...oddity,
        tags: (rig: OddRig) => (
          rig.fake.set(oddUnit, 'hr', 5, 0xffff),
          { v: rig.holding({ address: 'hr:5.0', type: 'bool', invalid: 0xffff }) }
        ),
      }
    : oddity,
);

const text = (words: readonly number[], value: string, keys: Keys, name: string): Oddity =>
  reading(name, 'finding F6, case 11', { type: 'string', length: 8, ...keys }, words, value);
const texts: readonly Oddity[] = [
  text([0x4142, 0xffff, 0xffff, 0xffff], 'AB', {}, 'a text filled up with 0xFF'),
  text([0x4142, 0x2020, 0x2020, 0x2020], 'AB', {}, 'a text filled up with blanks'),
  text([0x4142, 0x0041, 0x4141, 0x4141], 'AB', {}, 'a text with rubbish behind its end'),
  text(
    [0x4142, 0x2344, 0x4544, 0x4544],
    'AB',
    { end: 0x23 },
    'a text that ends with a sign of its own',
  ),
  text([0xc4d0, 0xb9fa, 0, 0], '哪国', { encoding: 'gbk' }, 'a text in GBK'),
  text([0x4241, 0x4443, 0, 0], 'ABCD', { byteOrder: 'BADC' }, 'a text with its bytes swapped'),
];

/** 12.5 as a float, in every register. */
const wide: Oddity = {
  name: 'registers of 32 bits',
  source: 'Enron and Daniel extensions; finding F6, case 09',
  on: withIds,
  device: { registerBits: 32 },
  tags: (rig) => ({
    a: rig.holding({ type: 'float32' }, 12.5),
    b: rig.holding({ address: `hr:${rig.at + 1}`, type: 'float32' }, 12.5),
  }),
  fake: () => ({
    twist: ofReads((_pdu, { count }) => [
      3,
      4 * count,
      ...Array.from({ length: count }, () => [0x41, 0x48, 0, 0]).flat(),
    ]),
  }),
};

/** Power of ten by time: the product is 5,000 W at every moment, and a mixture of two moments is not. */
const scaleAt = (now: number): number => [-1, 0, 1][Math.floor(now / 130) % 3] ?? 0;
const scaled = (address: number): Keys => ({
  type: 'float64',
  raw: 'uint16',
  scaleFrom: `hr:${address}`,
});
const scales: readonly Oddity[] = [
  {
    name: 'a scale that changes with its value',
    source: 'SunSpec: scale factors; finding, case 27',
    on: everyWay,
    link: { maxGap: 0 },
    tags: (rig) => ({ w: rig.holding(scaled(rig.at + 60), 5_000, 12.34) }),
    fake: (rig) => ({
      value: (_unit, _table, address) => {
        if (address === rig.at) return 5_000 / 10 ** scaleAt(rig.now);
        return address === rig.at + 60 ? scaleAt(rig.now) & 0xffff : 9;
      },
    }),
    during: async (rig, t) => {
      rig.fake.set(oddUnit, 'hr', rig.at + 60, 0xfffe);
      rig.fake.set(oddUnit, 'hr', rig.at, 0);
      const outcome = await rig.bench.write('O.w', 12.34);
      t.match(outcome, { ok: true });
      t.equal(rig.fake.get(oddUnit, 'hr', rig.at), 1_234, 'by the scale that the device has');
      t.match(await rig.bench.write('O.w', 12.345), { ok: false, code: /not a whole number/ });
      rig.fake.clear();
    },
  },
  {
    name: 'no scale',
    source: 'SunSpec: 0x8000',
    on: everyWay,
    tags: (rig) => ({ w: rig.holding(scaled(rig.at + 1)) }),
    fake: (rig) => ({ value: (_unit, _table, address) => (address === rig.at + 1 ? 0x8000 : 9) }),
    bad: { w: /bad \(device\)/ },
  },
  {
    name: 'a scale that is none',
    source: 'SunSpec: -10 to 10',
    on: everyWay,
    tags: (rig) => ({ w: rig.holding(scaled(rig.at + 1)) }),
    fake: (rig) => ({ value: (_unit, _table, address) => (address === rig.at + 1 ? 99 : 9) }),
    bad: { w: /bad \(device\)/ },
  },
  {
    name: 'values that mean something together only',
    source: 'findings: scale factors, dependent scales',
    on: everyWay,
    link: { maxGap: 0 },
    tags: (rig) => {
      const beats = Array.from({ length: 1_000 }, (_, i) => i);
      const pair = { type: 'uint16', together: 'pair' };
      return {
        p: rig.holding(pair, ...beats),
        q: rig.holding({ ...pair, address: `hr:${rig.at + 50}` }, ...beats),
      };
    },
    fake: (rig) => ({
      value: (unit) => (unit === oddUnit ? Math.floor(rig.now / 70) % 1_000 : 5),
    }),
    during: async (rig, t) => {
      for (let i = 0; i < 10; i++) {
        await rig.bench.pass(1_000);
        t.equal(rig.bench.value('O.p'), rig.bench.value('O.q'), `${rig.way}: of one moment`);
      }
    },
  },
];

export const valueOddities: readonly Oddity[] = [...orders, ...none, ...texts, wide, ...scales];
