import type { Test } from 'tap';
import {
  FakeModbus,
  tellTale,
  type FakeAnswer,
  type FakeOptions,
  type FakeRequest,
} from '../../drivers/modbus/test/fake.js';
import type { Framing } from '../../drivers/modbus/wire/framing.js';
import { transportOf } from '../../drivers/modbus/wire/transport.js';
import type { Value } from '../../gateway/contract/index.js';
import { Seeded } from '../support/random.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { OddBench, type OddTag } from './bench.js';
import { OddLine } from './line.js';

/** Ways to reach a device. */
export const ways = {
  tcp: 'tcp://box:502',
  udp: 'udp://box:502',
  rtu: 'serial:/dev/ttyS0?9600,8N1',
  ascii: 'ascii+serial:/dev/ttyS0?19200,7E1',
  'rtu+tcp': 'rtu+tcp://box:4001',
} as const;
export type Way = keyof typeof ways;
export const everyWay: readonly Way[] = ['tcp', 'udp', 'rtu', 'ascii', 'rtu+tcp'];
export const withIds: readonly Way[] = ['tcp', 'udp'];
export const lines: readonly Way[] = ['rtu', 'ascii', 'rtu+tcp'];

/** The odd device, and its neighbour on the same link. */
export const oddUnit = 1;
export const neighbourUnit = 2;

type Keys = Readonly<Record<string, unknown>>;

/** One way in which a device differs from the book, and what must become of it. */
export interface Oddity {
  readonly name: string;
  /** The report or the standard that it comes from. */
  readonly source: string;
  readonly on: readonly Way[];
  readonly link?: Keys;
  readonly device?: Keys;
  /** Default: three registers. */
  readonly tags?: (rig: OddRig) => Readonly<Record<string, OddTag>>;
  readonly fake?: (rig: OddRig) => Partial<FakeOptions>;
  readonly line?: (rig: OddRig) => void;
  /** There is no neighbour: such a device is alone on its connection. */
  readonly alone?: true;
  /** What is done to it after some seconds. */
  readonly during?: (rig: OddRig, t: Test) => Promise<void>;
  /** How long it takes to find out about it, ms. */
  readonly learning?: number;
  /** Quality of its tags in the end; all others are good. */
  readonly bad?: Readonly<Record<string, RegExp>>;
  /** What is said of it, by text. */
  readonly says?: RegExp;
}

/** An oddity on one way, with its own choice of addresses and times. */
export class OddRig {
  readonly clock: VirtualClock = new VirtualClock();
  readonly random: Seeded;
  readonly fake: FakeModbus;
  readonly line: OddLine;
  readonly bench: OddBench;
  readonly framing: Framing;
  readonly way: Way;
  /** First register of the odd device that is read. */
  readonly at: number;

  constructor(oddity: Oddity, way: Way, seed: number) {
    this.way = way;
    this.random = new Seeded(seed);
    this.at = this.random.int(3, 900);
    const endpoint = ways[way];
    this.framing = transportOf(endpoint.slice(0, endpoint.indexOf(':'))).framing;
    this.fake = new FakeModbus({
      framing: this.framing,
      units: [oddUnit, neighbourUnit],
      ...oddity.fake?.(this),
    });
    this.line = new OddLine(this.clock, this.fake);
    this.line.latency = this.random.int(2, 30);
    oddity.line?.(this);
    const odd = {
      name: 'O',
      keys: { unit: oddUnit, ...oddity.device },
      tags: oddity.tags?.(this) ?? this.usualTags(),
    };
    const neighbour = {
      name: 'N',
      keys: { unit: neighbourUnit },
      tags: { a: this.register(7, {}, neighbourUnit) },
    };
    const devices = oddity.alone ? [odd] : [odd, neighbour];
    this.bench = new OddBench(endpoint, { ...oddity.link }, devices, this.line);
  }

  /** Two neighbours and one across a gap. */
  usualTags(): Readonly<Record<string, OddTag>> {
    return {
      a: this.register(this.at),
      b: this.register(this.at + 1),
      c: this.register(this.at + 5),
    };
  }
  /** A plain register, and what it holds now. */
  register(address: number, keys: Keys = {}, unit: number = oddUnit): OddTag {
    return {
      keys: { address: `hr:${String(address)}`, ...keys },
      holds: () => [this.fake.get(unit, 'hr', address)],
    };
  }
  /** A tag with keys of its own that holds this, always. */
  holding(keys: Keys, ...values: readonly Value[]): OddTag {
    return { keys: { address: `hr:${String(this.at)}`, ...keys }, holds: () => values };
  }
  /** Registers of the odd device from its first one on. */
  put(...words: readonly number[]): void {
    for (const [i, word] of words.entries()) this.fake.set(oddUnit, 'hr', this.at + i, word);
  }
  get now(): number {
    return this.clock.mono();
  }
  /** Everything that was written, by place: nothing else may be. */
  get written(): readonly string[] {
    return this.fake.requests
      .filter(({ write }) => write)
      .map(({ unit, table, start }) => `${unit} ${table}:${start}`);
  }
}

export type Twist = (answer: FakeAnswer, request: FakeRequest) => FakeAnswer | undefined;

/** The answers of the odd device to reads, or to writes, made by hand. */
export function ofReads(
  make: (pdu: readonly number[], request: FakeRequest) => readonly number[] | undefined,
): Twist {
  return twistOf((request) => request.unit === oddUnit && !request.write, make);
}
export function ofWrites(
  make: (pdu: readonly number[], request: FakeRequest) => readonly number[] | undefined,
): Twist {
  return twistOf((request) => request.unit === oddUnit && request.write, make);
}
function twistOf(
  isMeant: (request: FakeRequest) => boolean,
  make: (pdu: readonly number[], request: FakeRequest) => readonly number[] | undefined,
): Twist {
  return (answer, request) => {
    if (!isMeant(request)) return answer;
    const pdu = make([...answer.pdu], request);
    return pdu && { ...answer, pdu: Uint8Array.from(pdu) };
  };
}

/** Does the request touch a register? */
export function covers({ unit, start, count }: FakeRequest, address: number): boolean {
  return unit === oddUnit && start <= address && address < start + count;
}

export { tellTale };
