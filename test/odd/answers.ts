/** Answers to reads that differ from the book, refusals, and silence. */
import { covers, everyWay, lines, ofReads, oddUnit, withIds, type Oddity } from './oddity.js';

const asked = /answers, but not as asked/;
const all = (quality: RegExp): Record<string, RegExp> => ({ a: quality, b: quality, c: quality });

/** Where answers have ids an odd one is the outcome of its request; on a line it is no answer. */
function oddAnswer(
  name: string,
  source: string,
  twist: Parameters<typeof ofReads>[0],
): readonly Oddity[] {
  const fake = (): { twist: ReturnType<typeof ofReads> } => ({ twist: ofReads(twist) });
  return [
    { name, source, on: withIds, fake, bad: all(/bad \(decode\)/), says: asked },
    { name, source, on: lines, fake, bad: all(/bad \((timeout|decode)\)/) },
  ];
}

const odd: readonly Oddity[] = [
  ...oddAnswer(
    'two bytes too many, counted',
    'a report: register map off by one in firmware',
    (pdu) => [pdu[0] ?? 0, (pdu[1] ?? 0) + 2, ...pdu.slice(2), 0, 0],
  ),
  ...oddAnswer(
    'two bytes too few, counted',
    'a report: devices that answer what they have',
    (pdu) => [pdu[0] ?? 0, (pdu[1] ?? 0) - 2, ...pdu.slice(2, -2)],
  ),
  ...oddAnswer('a count that is not that of its data', 'V1.1b3, 6.3: byte count = 2 × N', (pdu) => [
    pdu[0] ?? 0,
    (pdu[1] ?? 0) - 1,
    ...pdu.slice(2),
  ]),
  ...oddAnswer('no data at all', 'V1.1b3, 6.3', (pdu) => [pdu[0] ?? 0, 0]),
  ...oddAnswer(
    'another function',
    'a report: input registers in place of holding registers',
    (pdu) => [4, ...pdu.slice(1)],
  ),
  {
    name: 'an exception of three bytes',
    source: 'V1.1b3, 7: an exception has two',
    on: withIds,
    fake: () => ({ twist: ofReads(() => [0x83, 2, 0]) }),
    bad: all(/bad \(decode\)/),
    says: asked,
  },
];

const codes: readonly Oddity[] = [0, 1, 2, 3, 4, 7, 255].map((code) => ({
  name: `exception ${code} to every read`,
  source: 'V1.1b3, 7; codes 0, 7 and 255 are no codes of it',
  on: everyWay,
  fake: () => ({
    refuse: ({ unit, write }) => (unit === oddUnit && !write ? code || 0x100 : 0),
    twist: ofReads(() => [0x83, code]),
  }),
  bad: all(/bad \(device\)/),
}));

const passing: readonly Oddity[] = [2, 3, 4, 5, 6].map((code) => ({
  name: `exception ${code} for 1.5 s after ten good seconds`,
  source: 'finding F3: controllers at a download, inverters at dusk',
  on: everyWay,
  fake: (rig) => ({
    refuse: ({ unit }) => (unit === oddUnit && rig.now > 12_000 && rig.now < 13_500 ? code : 0),
  }),
}));

const busy: readonly Oddity[] = [5, 6].map((code) => {
  let turn = 0;
  return {
    name: `exception ${code}, busy, every other time`,
    source: 'V1.1b3, 7: ask again later; finding F8',
    on: everyWay,
    fake: () => ({ refuse: ({ unit }) => (unit === oddUnit && turn++ % 2 === 0 ? code : 0) }),
  };
});

const holes: readonly Oddity[] = [
  {
    name: 'a register that is not there',
    source: 'V1.1b3, 6.3: exception 2',
    on: everyWay,
    fake: (rig) => ({ refuse: (request) => (covers(request, rig.at + 1) ? 2 : 0) }),
    bad: { b: /bad \(device\)/ },
  },
  {
    name: 'a gap that cannot be read across',
    source: 'a report: maps with holes that are refused',
    on: everyWay,
    fake: (rig) => ({ refuse: (request) => (covers(request, rig.at + 3) ? 2 : 0) }),
  },
  {
    name: 'no more than two registers at once',
    source: 'a report: small converters; finding F4',
    on: everyWay,
    fake: () => ({ refuse: ({ unit, count }) => (unit === oddUnit && count > 2 ? 3 : 0) }),
  },
  {
    name: 'silence at a register that is not there',
    learning: 20_000,
    source: 'finding F4: devices without exceptions',
    on: everyWay,
    fake: (rig) => ({
      twist: (answer, request) => (covers(request, rig.at + 1) ? undefined : answer),
    }),
    bad: { b: /bad \((timeout|device)\)/ },
  },
  {
    name: 'silence to more than two registers at once',
    learning: 20_000,
    source: 'finding F4',
    on: everyWay,
    fake: () => ({
      twist: (answer, { unit, count }) => (unit === oddUnit && count > 2 ? undefined : answer),
    }),
  },
  {
    name: 'the beginning of what was asked, for more than two registers',
    source: 'a report: answers cut to a buffer of four bytes',
    on: withIds,
    fake: () => ({
      twist: ofReads((pdu, { count }) => (count > 2 ? [pdu[0] ?? 0, 4, ...pdu.slice(2, 6)] : pdu)),
    }),
    says: asked,
  },
  {
    name: 'the first value in place of every one, where more than one is asked',
    source: 'finding F6: one request a tag',
    on: everyWay,
    device: { oneTagPerRequest: true },
    fake: () => ({
      twist: ofReads((pdu, { count }) =>
        count > 1 ? [pdu[0] ?? 0, 2 * count, ...Array.from({ length: 2 * count }, () => 0)] : pdu,
      ),
    }),
  },
];

const gateways: readonly Oddity[] = [10, 11].map((code) => ({
  name: `a gateway says ${code} for its device`,
  source: 'V1.1b3, 7: gateway path unavailable, target failed to respond',
  on: everyWay,
  fake: () => ({ twist: ofReads(() => [0x83, code]) }),
  bad: all(/bad \(timeout\)/),
  says: /behind the gateway does not answer/,
}));

const silent: readonly Oddity[] = [
  {
    name: 'it is not there',
    source: 'every plant',
    on: everyWay,
    fake: () => ({ units: [2] }),
    bad: all(/bad \(timeout\)/),
    says: /no answer/,
  },
  {
    name: 'it restarts for five seconds',
    source: 'every plant',
    on: everyWay,
    fake: (rig) => ({
      twist: (answer, { unit }) =>
        unit === oddUnit && rig.now > 2_000 && rig.now < 7_000 ? undefined : answer,
    }),
  },
];

export const answerOddities: readonly Oddity[] = [
  ...odd,
  ...codes,
  ...passing,
  ...busy,
  ...holes,
  ...gateways,
  ...silent,
];
