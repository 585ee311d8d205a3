/**
 * Lines without ids on which something else talks: a repeater, or another client. Sources: the answer that comes twice,
 * as reported of radios and converters (pymodbus 2790); two clients on one RS-485 line, or behind one converter.
 */
import t from 'tap';
import { FakeModbus, tellTale } from '../../drivers/modbus/test/fake.js';
import { Fn, putRead } from '../../drivers/modbus/frames/frame.js';
import type { Framing } from '../../drivers/modbus/wire/framing.js';
import { transportOf } from '../../drivers/modbus/wire/transport.js';
import { mono } from '../../gateway/contract/index.js';
import { Seeded } from '../support/random.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { OddBench, type OddDevice } from './bench.js';
import { OddLine, type Piece } from './line.js';
import { seedsOf } from '../support/effort.js';

const seeds = seedsOf(20);
const endpoints = [
  'serial:/dev/ttyS0?9600,8N1',
  'ascii+serial:/dev/ttyS0?19200,7E1',
  'rtu+tcp://box:4001',
  'rtu+udp://box:4001',
];

/** A repeater sends every answer again, or some; `lastMs` = the last one comes so late. */
interface Repeater {
  readonly kind: 'repeater';
  readonly lastMs: number;
  readonly times: number;
  readonly share: number;
  readonly from: number;
}
/** Another client asks units of its own choice, every `period` ms; its questions are heard, or its answers alone. */
interface Client {
  readonly kind: 'client';
  readonly period: number;
  readonly isHeard: boolean;
}

interface Case {
  readonly endpoint: string;
  readonly maxGap: number | undefined;
  readonly devices: readonly OddDevice[];
  readonly other: Repeater | Client;
}

function caseOf(seed: number): Case {
  const r = new Seeded(seed);
  const devices = [1, 2].map((unit) => deviceOf(r, unit));
  const maxGap = r.chance(0.5) ? 0 : undefined;
  const other: Case['other'] = r.chance(0.6)
    ? {
        kind: 'repeater',
        lastMs: r.pick([3, 12, 25, 60, 150, 400, 900]),
        times: r.int(1, 2),
        share: r.pick([0.3, 1]),
        from: r.pick([0, 20_000]),
      }
    : { kind: 'client', period: r.int(40, 1_500), isHeard: r.chance(0.5) };
  return { endpoint: r.pick(endpoints), maxGap, devices, other };
}

function deviceOf(r: Seeded, unit: number): OddDevice {
  const starts = [0, 40, 80, 120].filter(() => r.chance(0.7));
  const tags = [5, ...starts].map((address) => {
    const table = address === 120 ? 'ir' : 'hr';
    return [
      `t${String(address)}`,
      {
        keys: { address: `${table}:${String(address)}` },
        holds: () => [tellTale(unit, table, address)],
      },
    ] as const;
  });
  return { name: `U${String(unit)}`, keys: { unit }, tags: Object.fromEntries(tags) };
}

function frame(framing: Framing, unit: number, pdu: readonly number[]): Uint8Array {
  const out = new Uint8Array(framing.maxFrame);
  out.set(pdu, framing.pduAt);
  return out.slice(0, framing.seal(out, 0, unit, pdu.length));
}

class Rig {
  readonly clock: VirtualClock = new VirtualClock();
  readonly line: OddLine;
  readonly bench: OddBench;
  readonly #case: Case;
  readonly #framing: Framing;
  readonly #random: Seeded;
  isOver = false;

  constructor(seed: number) {
    this.#case = caseOf(seed);
    this.#random = new Seeded(seed + 1);
    const { endpoint, maxGap, devices, other } = this.#case;
    this.#framing = transportOf(endpoint.slice(0, endpoint.indexOf(':'))).framing;
    this.line = new OddLine(this.clock, new FakeModbus({ framing: this.#framing, units: [1, 2] }));
    if (other.kind === 'repeater') this.line.answers = (bytes) => this.#repeated(bytes, other);
    else this.#talk(other);
    this.bench = new OddBench(endpoint, maxGap === undefined ? {} : { maxGap }, devices, this.line);
  }

  get names(): readonly string[] {
    return this.#case.devices.flatMap(({ name, tags }) =>
      Object.keys(tags).map((local) => `${name}.${local}`),
    );
  }
  get what(): string {
    const { endpoint, maxGap, other } = this.#case;
    return `${endpoint} maxGap ${String(maxGap)} ${JSON.stringify(other)}`;
  }
  get other(): Case['other'] {
    return this.#case.other;
  }

  #repeated(bytes: Uint8Array, { lastMs, times, share, from }: Repeater): readonly Piece[] {
    const first = { after: this.line.latency, bytes };
    const repeats = !this.isOver && this.clock.mono() >= from && this.#random.chance(share);
    if (!repeats) return [first];
    const later = Array.from({ length: times }, (_, i) => ({
      after: this.line.latency + Math.ceil((lastMs * (i + 1)) / times),
      bytes,
    }));
    return [first, ...later];
  }

  #talk({ period, isHeard }: Client): void {
    this.clock.at(mono(this.clock.mono() + period), () => {
      if (this.isOver) return;
      const unit = this.#random.pick([1, 2, 9]);
      const count = this.#random.int(1, 3);
      const request = new Uint8Array(5);
      putRead(request, 0, Fn.readHoldingRegisters, 7, count);
      if (isHeard) this.line.say(frame(this.#framing, unit, [...request]));
      const data = Array.from({ length: 2 * count }, () => 0x5a);
      this.clock.at(mono(this.clock.mono() + 8), () =>
        this.line.say(frame(this.#framing, unit, [Fn.readHoldingRegisters, 2 * count, ...data])),
      );
      this.#talk({ kind: 'client', period, isHeard });
    });
  }
}

void t.test(
  'no value of another, while something else talks, and good again afterwards',
  async (t) => {
    for (let seed = 1; seed <= seeds; seed++) {
      const rig = new Rig(seed);
      const { bench } = rig;
      await bench.pass(60_000);
      const said = `seed ${String(seed)}: ${rig.what}`;
      t.same(bench.lies, [], said);
      const text =
        rig.other.kind === 'client' ? /something else talks/ : /answers come twice|talks/;
      t.match(bench.notices.join('\n'), text, said);
      rig.isOver = true;
      await bench.pass(200_000);
      for (const name of rig.names) t.equal(bench.quality(name), 'good', `${said}: ${name}`);
      t.same(bench.lies, [], said);
    }
  },
);
