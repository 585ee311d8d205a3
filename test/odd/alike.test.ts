/**
 * Lines without ids on which nothing is odd, and whose devices say the same again and again: a plant at rest is full of
 * zeros, and heartbeats swap. To listen for what is another's must not cost what is there.
 */
import t from 'tap';
import { FakeModbus } from '../../drivers/modbus/test/fake.js';
import { transportOf } from '../../drivers/modbus/wire/transport.js';
import { Seeded } from '../support/random.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { OddBench, type OddDevice } from './bench.js';
import { OddLine } from './line.js';
import { seedsOf } from '../support/effort.js';

const seeds = seedsOf(20);
const scanMs = 1_000;
const unit = 1;

/** What the registers of a block hold at a time, ms. */
const patterns: readonly ((block: number, time: number) => number)[] = [
  () => 0,
  // All of them change together, now and then.
  (_, time) => Math.floor(time / 7_300) % 3,
  // Each takes the value of its neighbour.
  (block, time) => (block + Math.floor(time / scanMs)) % 2,
  // One after the other.
  (block, time) => Number(Math.floor(time / 2_500) % 8 > block),
];

interface Case {
  readonly endpoint: string;
  readonly pattern: number;
  readonly blocks: number;
  readonly size: number;
  /** It refuses to be asked for more than is named. */
  readonly isStrict: boolean;
}

function caseOf(seed: number): Case {
  const r = new Seeded(seed);
  const endpoint = r.pick(['serial:/dev/ttyS0?9600,8N1', 'ascii+serial:/dev/ttyS0?19200,7E1']);
  return {
    endpoint,
    pattern: seed % patterns.length,
    blocks: r.int(2, 7),
    size: r.int(1, 3),
    isStrict: r.chance(0.5),
  };
}

class Rig {
  readonly clock: VirtualClock = new VirtualClock();
  readonly fake: FakeModbus;
  readonly bench: OddBench;
  readonly names: readonly string[];
  readonly #case: Case;

  constructor(one: Case) {
    this.#case = one;
    const { blocks, size, isStrict, endpoint } = one;
    const isNamed = (address: number): boolean => address % 20 < size && address < 20 * blocks;
    this.fake = new FakeModbus({
      framing: transportOf(endpoint.slice(0, endpoint.indexOf(':'))).framing,
      value: (_, __, address) => this.#held(address),
      refuse: ({ start, count }) => (isStrict && !isNamed(start + count - 1) ? 2 : 0),
    });
    const device = this.#device();
    this.names = Object.keys(device.tags).map((name) => `D.${name}`);
    this.bench = new OddBench(
      endpoint,
      { maxGap: isStrict ? 0 : 4 },
      [device],
      new OddLine(this.clock, this.fake),
    );
  }

  #device(): OddDevice {
    const tags = Array.from({ length: this.#case.blocks * this.#case.size }, (_, i) => {
      const address = 20 * Math.floor(i / this.#case.size) + (i % this.#case.size);
      const holds = (): readonly number[] => [
        this.#held(address),
        // As it was when it was asked.
        this.#held(address, 500),
      ];
      return [
        `t${String(address)}`,
        { keys: { address: `hr:${String(address)}` }, holds },
      ] as const;
    });
    return { name: 'D', keys: { unit }, tags: Object.fromEntries(tags) };
  }

  #held(address: number, ago = 0): number {
    const pattern = patterns[this.#case.pattern] ?? (() => 0);
    return pattern(Math.floor(address / 20), this.clock.mono() - ago);
  }
}

void t.test('where nothing is odd nothing is doubted for longer than a scan', async (t) => {
  for (let seed = 1; seed <= seeds; seed++) {
    const one = caseOf(seed);
    const said = `seed ${String(seed)}: ${JSON.stringify(one)}`;
    const { bench, names, fake } = new Rig(one);
    await bench.pass(8_000);
    for (const name of names) t.equal(bench.quality(name), 'good', `${said}: ${name} at the start`);
    bench.measureFromNow();
    const before = fake.reads;
    await bench.pass(60_000);
    for (const name of names)
      t.ok(
        bench.longestGap(name) <= 3 * scanMs + 1,
        `${said}: ${name}, ${String(bench.longestGap(name))} ms`,
      );
    t.same(bench.lies, [], said);
    const requests = (fake.reads - before) / (60 * one.blocks);
    t.ok(requests <= 1.2, `${said}: ${requests.toFixed(2)} requests a block and scan`);
    t.same(bench.notices, [], said);
  }
});

void t.test(
  'a bit is changed by reading, writing and reading back, whatever others hold',
  async (t) => {
    for (const maxGap of [0, 4]) {
      const clock = new VirtualClock();
      const { framing } = transportOf('serial');
      const fake = new FakeModbus({ framing, without: [22], value: () => 0 });
      const tags = Array.from({ length: 4 }, (_, block) => {
        const keys = { address: `hr:${String(20 * block)}.3`, type: 'bool', access: 'write' };
        const holds = (): readonly boolean[] => [false, true];
        return [`b${String(block)}`, { keys, holds }] as const;
      });
      const device: OddDevice = { name: 'D', keys: { unit }, tags: Object.fromEntries(tags) };
      const line = new OddLine(clock, fake);
      const bench = new OddBench('serial:/dev/ttyS0?9600,8N1', { maxGap }, [device], line);
      await bench.pass(8_000);
      for (const [block, [name]] of tags.entries()) {
        t.same(
          await bench.write(`D.${name}`, true),
          { ok: true },
          `${name}, maxGap ${String(maxGap)}`,
        );
        t.equal(fake.get(unit, 'hr', 20 * block), 8);
      }
    }
  },
);
