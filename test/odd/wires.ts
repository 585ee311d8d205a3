/** What happens on the way: connections, ids, pieces, noise. */
import type { Piece } from './line.js';
import { everyWay, lines, oddUnit, withIds, type Oddity, type OddRig } from './oddity.js';

const all = (quality: RegExp): Record<string, RegExp> => ({ a: quality, b: quality, c: quality });

/** What the way makes of each answer. */
function way(
  name: string,
  source: string,
  on: Oddity['on'],
  make: (rig: OddRig, answer: Uint8Array) => readonly Piece[],
  more: Partial<Oddity> = {},
): Oddity {
  return {
    name,
    source,
    on,
    line: (rig) => {
      rig.line.answers = (answer) =>
        unitOf(rig, answer) === oddUnit ? make(rig, answer) : [whole(rig, answer)];
    },
    ...more,
  };
}
/** Whose answer it is. */
function unitOf({ framing }: OddRig, frame: Uint8Array): number {
  if (framing.hasIds) return frame[6] ?? 0;
  const digits = new TextDecoder().decode(frame.subarray(1, 3));
  return framing.name === 'ascii' ? parseInt(digits, 16) : (frame[0] ?? 0);
}

const whole = (rig: OddRig, bytes: Uint8Array): Piece => ({ after: rig.line.latency, bytes });
const joined = (...parts: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...part]));

let count = 0;
const ids: readonly Oddity[] = [
  {
    name: 'transaction ids of its own',
    source: 'finding F6, case 01',
    on: ['tcp'],
    alone: true,
    link: { anyTransaction: true },
    fake: () => ({ twist: (answer) => ({ ...answer, id: count++ & 0xffff }) }),
  },
  {
    name: 'transaction id 0, always',
    source: 'finding F6: converters that do not copy it',
    on: ['tcp'],
    alone: true,
    link: { anyTransaction: true },
    fake: () => ({ twist: (answer) => ({ ...answer, id: 0 }) }),
  },
  {
    name: 'transaction ids of its own, without the key',
    source: 'finding F6, case 01',
    on: ['tcp'],
    alone: true,
    fake: () => ({ twist: (answer) => ({ ...answer, id: (answer.id + 0x4000) & 0xffff }) }),
    bad: all(/bad \(not-connected\)/),
    says: /transaction \d+ was never sent/,
  },
  {
    name: 'its own unit id in every answer',
    source: 'a report: single devices behind 255',
    on: ['tcp'],
    alone: true,
    link: { anyUnit: true },
    fake: () => ({ twist: (answer) => ({ ...answer, unit: 255 }) }),
  },
  {
    name: 'another unit id, without the key',
    source: 'V1.0b, 3.1.3: the unit id is copied',
    on: ['tcp'],
    alone: true,
    fake: () => ({ twist: (answer) => ({ ...answer, unit: 9 }) }),
    bad: all(/bad \(not-connected\)/),
    says: /unit 9 answers a request to unit 1/,
  },
  {
    name: 'stray bytes behind the data',
    source: 'finding F6, case 02',
    on: ['tcp'],
    link: { surplus: true },
    fake: () => ({
      twist: (answer) => ({ ...answer, pdu: joined(answer.pdu, Uint8Array.of(0, 0)) }),
    }),
  },
];

const connections: readonly Oddity[] = [
  {
    name: 'it closes after each answer',
    source: 'finding F5, case 05',
    on: ['tcp', 'rtu+tcp'],
    link: { connection: 'per-request' },
    line: (rig) => {
      const { answers } = rig.line;
      rig.line.answers = (answer, request) => {
        rig.line.hangUp(rig.line.latency + 1);
        return answers(answer, request);
      };
    },
  },
  {
    name: 'it closes while nothing is asked',
    source: 'finding F5, case 06',
    on: ['tcp', 'rtu+tcp'],
    line: (rig) => {
      const { answers } = rig.line;
      rig.line.answers = (answer, request) => {
        const asked = rig.fake.requests.length;
        rig.line.hangUp(400, () => rig.fake.requests.length > asked);
        return answers(answer, request);
      };
    },
  },
];

const pieces: readonly Oddity[] = [
  way(
    'answers that come byte by byte',
    'every serial line',
    everyWay.filter((one) => one !== 'udp'),
    (rig, answer) =>
      [...answer].map((byte, i) => ({ after: rig.line.latency + i, bytes: Uint8Array.of(byte) })),
  ),
  way(
    'answers in two pieces, 60 ms apart',
    'a report: converters that cut',
    everyWay.filter((one) => one !== 'udp'),
    (rig, answer) => [
      { after: rig.line.latency, bytes: answer.slice(0, 4) },
      { after: rig.line.latency + 60, bytes: answer.slice(4) },
    ],
  ),
  way('every answer twice', 'pymodbus 2790', withIds, (rig, answer) => [
    whole(rig, answer),
    whole(rig, answer),
  ]),
  way(
    'every answer twice, 25 ms apart',
    'pymodbus 2790; finding F1, case 22',
    lines,
    (rig, answer) => [whole(rig, answer), { after: rig.line.latency + 25, bytes: answer }],
    { says: /answers come twice/ },
  ),
];

/** Whose turn it is, by way: each rig has its own. */
const turns = new WeakMap<OddRig, number>();
function everyNth(rig: OddRig, n: number): boolean {
  const turn = (turns.get(rig) ?? 0) + 1;
  turns.set(rig, turn);
  return turn % n === 0;
}

const late: readonly Oddity[] = [
  way(
    'every seventh answer half a second late',
    'every radio; a converter that is late',
    everyWay,
    (rig, answer) => [{ after: everyNth(rig, 7) ? 500 : rig.line.latency, bytes: answer }],
  ),
  way('every seventh answer lost', 'every radio', everyWay, (rig, answer) =>
    everyNth(rig, 7) ? [] : [whole(rig, answer)],
  ),
];

const noise: readonly Oddity[] = [
  way(
    'noise before each answer',
    'every RS-485 line without bias',
    ['rtu', 'rtu+tcp', 'ascii'],
    (rig, answer) => [{ after: 1, bytes: Uint8Array.of(0xff, 0, 0xfe) }, whole(rig, answer)],
  ),
  way(
    'noise behind each answer',
    'every RS-485 line without bias',
    ['rtu', 'rtu+tcp', 'ascii'],
    (rig, answer) => [{ after: rig.line.latency, bytes: joined(answer, Uint8Array.of(0, 0xff)) }],
  ),
  way('every fifth answer with a wrong bit', 'every line', lines, (rig, answer) => {
    const bytes = answer.slice();
    if (everyNth(rig, 5)) bytes[3] = (bytes[3] ?? 0) ^ 4;
    return [whole(rig, bytes)];
  }),
  way(
    'the CRC the wrong way round',
    'a report: home-made devices',
    ['rtu', 'rtu+tcp'],
    (rig, answer) => {
      const [low = 0, high = 0] = answer.slice(-2);
      return [whole(rig, joined(answer.slice(0, -2), Uint8Array.of(high, low)))];
    },
    { bad: all(/bad \(timeout\)/) },
  ),
  {
    name: 'an adapter that hears itself',
    source: 'RS-485 on two wires',
    on: ['rtu', 'ascii', 'rtu+tcp'],
    line: (rig) => {
      rig.line.hears = (request) => {
        rig.line.say(request);
        return true;
      };
    },
  },
  way('small letters', 'V1.02, 2.5.2; a report', ['ascii'], (rig, answer) => [
    whole(rig, new TextEncoder().encode(new TextDecoder('latin1').decode(answer).toLowerCase())),
  ]),
  way('the eighth bit set', 'seven bits read as eight', ['ascii'], (rig, answer) => [
    whole(
      rig,
      answer.map((byte) => byte | 0x80),
    ),
  ]),
];

export const wireOddities: readonly Oddity[] = [
  ...ids,
  ...connections,
  ...pieces,
  ...late,
  ...noise,
];
