/** What devices do with writes. */
import type { Test } from 'tap';
import {
  covers,
  everyWay,
  lines,
  oddUnit,
  ofWrites,
  withIds,
  type Oddity,
  type OddRig,
} from './oddity.js';

type Outcome = { readonly ok: boolean; readonly code?: string };

/** Writes 150 into the first register and looks what became of it. */
function writes(
  tag: string,
  value: number | boolean,
  expected: RegExp,
  places: (rig: OddRig) => readonly string[],
): (rig: OddRig, t: Test) => Promise<void> {
  return async (rig, t) => {
    const outcome = await rig.bench.write(`O.${tag}`, value);
    const text =
      outcome instanceof Error ? outcome.message : JSON.stringify(outcome satisfies Outcome);
    t.match(text, expected, `${rig.way}: what became of the write`);
    t.same([...new Set(rig.written)], places(rig), `${rig.way}: nothing else was written`);
  };
}
const done = /"ok":true/;
const first = (rig: OddRig): readonly string[] => [`${oddUnit} hr:${rig.at}`];
const holds = (rig: OddRig, t: Test, value: number): void => {
  t.equal(rig.fake.get(oddUnit, 'hr', rig.at), value, `${rig.way}: it holds what was written`);
};

const echoes: readonly Oddity[] = [
  {
    name: 'the value that it took, in the echo of FC 6',
    source: 'finding F2, case 03',
    on: everyWay,
    fake: (rig) => ({
      twist: ofWrites((pdu) => {
        rig.fake.set(oddUnit, 'hr', rig.at, 100);
        return [...pdu.slice(0, 3), 0, 100];
      }),
    }),
    during: writes('a', 150, /answers 100 instead of 150/, first),
  },
  {
    name: 'the whole request of FC 16 for an echo',
    source: 'finding F2, case 34',
    on: withIds,
    device: { write: 'multiple' },
    fake: () => ({ twist: ofWrites((_pdu, request) => [...request.pdu]) }),
    during: async (rig, t) => {
      await writes('a', 150, done, first)(rig, t);
      holds(rig, t, 150);
    },
  },
  {
    name: 'a byte more than the echo',
    source: 'finding F2',
    on: withIds,
    fake: () => ({ twist: ofWrites((pdu) => [...pdu, 0]) }),
    during: writes('a', 150, done, first),
  },
  {
    name: 'an echo that is cut short',
    source: 'V1.1b3, 6.6',
    on: withIds,
    fake: () => ({ twist: ofWrites((pdu) => pdu.slice(0, 3)) }),
    during: writes('a', 150, /answers 3 bytes in all/, first),
  },
  {
    name: 'another address in the echo',
    source: 'V1.1b3, 6.6',
    on: withIds,
    fake: () => ({
      twist: ofWrites((pdu) => [...pdu.slice(0, 2), (pdu[2] ?? 0) ^ 1, ...pdu.slice(3)]),
    }),
    during: writes('a', 150, /answers address/, first),
  },
  {
    name: 'nothing to a write, though it is done',
    source: 'a report: meters that reset at once',
    on: everyWay,
    fake: () => ({ twist: ofWrites(() => undefined) }),
    during: writes('a', 150, /no answer|did not answer/, first),
  },
];

const refusals: readonly Oddity[] = [
  {
    name: 'exception 5 to a write: it was taken',
    source: 'finding F8; V1.1b3, 7: acknowledge',
    on: everyWay,
    fake: () => ({ twist: ofWrites((pdu) => [(pdu[0] ?? 0) | 0x80, 5]) }),
    during: writes('a', 150, done, first),
  },
  ...[1, 2, 3, 4, 6].map((code): Oddity => ({
    name: `exception ${code} to a write: refused, and sent once by a function code`,
    source: 'V1.1b3, 7',
    on: everyWay,
    fake: () => ({ refuse: ({ write, unit }) => (write && unit === oddUnit ? code : 0) }),
    during: writes('a', 150, new RegExp(`\\(${code}\\)`), first),
  })),
  {
    name: 'FC 6 is not known',
    source: 'a report: FC 16 only',
    on: everyWay,
    fake: () => ({ without: [6] }),
    during: async (rig, t) => {
      await writes('a', 150, done, first)(rig, t);
      holds(rig, t, 150);
    },
  },
  {
    name: 'FC 5 is not known',
    source: 'a report: FC 15 only',
    on: everyWay,
    fake: () => ({ without: [5] }),
    tags: (rig) => ({
      on: {
        keys: { address: `co:${rig.at}`, type: 'bool' },
        holds: () => [rig.fake.get(oddUnit, 'co', rig.at)],
      },
    }),
    during: writes('on', true, done, (rig) => [`${oddUnit} co:${rig.at}`]),
  },
];

const bits: readonly Oddity[] = [1, 2, 3, 4, 'silent' as const].map((answer) => ({
  name: `FC 22 is answered with ${answer === 'silent' ? 'nothing' : `exception ${answer}`}`,
  source: 'finding F7, case 45',
  on: everyWay,
  tags: (rig) => {
    rig.put(0x0f00);
    return { on: rig.holding({ address: `hr:${rig.at}.3`, type: 'bool' }, 0, 1) };
  },
  fake: () => ({
    refuse: ({ fn }) => (fn === 22 && answer !== 'silent' ? answer : 0),
    twist: (frame, { fn }) => (fn === 22 && answer === 'silent' ? undefined : frame),
  }),
  during: async (rig, t) => {
    // Whoever says nothing is known for it after the first time.
    if (answer === 'silent') await rig.bench.write('O.on', false);
    await writes('on', true, done, first)(rig, t);
    holds(rig, t, 0x0f08);
  },
}));

const blind: readonly Oddity[] = [
  {
    name: 'a register that can only be written',
    source: 'finding F9, case 46',
    on: everyWay,
    tags: (rig) => ({
      ...rig.usualTags(),
      reset: { keys: { address: `hr:${rig.at + 40}`, writeOnly: true }, holds: () => [] },
    }),
    fake: (rig) => ({
      refuse: (request) => (!request.write && covers(request, rig.at + 40) ? 2 : 0),
    }),
    during: async (rig, t) => {
      await writes('reset', 1, done, () => [`${oddUnit} hr:${rig.at + 40}`])(rig, t);
      const asked = rig.fake.requests.filter(
        (request) => !request.write && covers(request, rig.at + 40),
      );
      t.same(asked, [], `${rig.way}: it is never read`);
    },
    bad: { reset: /bad \(denied\)/ },
  },
  {
    name: 'all devices at once, none of which answers',
    source: 'Modbus over Serial Line V1.02, 2.1: broadcast',
    on: lines,
    device: { unit: 'broadcast' },
    tags: (rig) => ({ all: { keys: { address: `hr:${rig.at}` }, holds: () => [] } }),
    fake: () => ({ twist: (answer, { unit }) => (unit === 0 ? undefined : answer) }),
    during: writes('all', 7, done, (rig) => [`0 hr:${rig.at}`]),
    bad: { all: /bad \(denied\)/ },
  },
];

export const writeOddities: readonly Oddity[] = [...echoes, ...refusals, ...bits, ...blind];
