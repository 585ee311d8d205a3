/** What cannot be read of a device is found out, bears on nothing else, and is not held against it for long. */
import t from 'tap';
import { isGood } from '../../gateway/contract/index.js';
import { limits } from '../../gateway/limits.js';
import { Seeded } from '../support/random.js';
import { Bench } from './bench.js';
import { device } from './script.js';
import { seedsOf } from '../support/effort.js';

/** A device with a few addresses that cannot be read, beside a healthy one. */
class Plant {
  readonly bench = new Bench();
  readonly tags: readonly number[];
  readonly culprits: readonly number[];
  readonly others: readonly number[] = [101, 102, 103];

  constructor(seed: number, kind: 'refused' | 'mute' | 'most') {
    const random = new Seeded(seed);
    this.tags = Array.from({ length: random.int(2, 24) }, (_, i) => i * random.int(1, 2) + 1)
      .sort((a, b) => a - b)
      .filter((at, i, all) => all[i - 1] !== at);
    const isBad = new Set<number>();
    for (let n = random.int(1, 2); n > 0; n--) isBad.add(random.pick(this.tags));
    if (isBad.size === this.tags.length) isBad.delete(this.tags[0] ?? 0);
    const { script } = this.bench;
    if (kind === 'most') script.mostOnce = random.int(2, 6);
    else for (const at of isBad) script[kind].add(at);
    this.culprits = kind === 'most' ? [] : [...isBad];
    // Where nobody else answers the link itself is in doubt, and opened again.
    const isAlone = seed % 3 === 0;
    if (isAlone) this.others = [];
    const neighbour = isAlone ? [] : [device('N', 'l', this.others)];
    this.bench.start([device('D', 'l', this.tags), ...neighbour]);
  }

  get healthy(): readonly number[] {
    return this.tags.filter((at) => !this.culprits.includes(at));
  }
  /** Reads that a scan of the device takes while nothing is wrong with it. */
  get reads(): number {
    const all = this.bench.link?.config.bindings ?? [];
    const bindings = all.filter((one) => one.device === 'D');
    return this.bench.script.module.plan({}, bindings, [], new Set()).length;
  }
  /** Tags of `names` that are not good now. */
  bad(name: string, of: readonly number[]): readonly number[] {
    return of.filter((at) => !isGood(this.bench.quality(`${name}.t${at}`) ?? 0xff));
  }
  /** The oldest value of the healthy neighbour, ms. */
  age(): number {
    const now = this.bench.clock.mono();
    return Math.max(
      0,
      ...this.others.map((at) => now - (this.bench.seen.get(`N.t${at}`)?.at ?? 0)),
    );
  }
  cure(): void {
    const { script } = this.bench;
    script.refused.clear();
    script.mute.clear();
    script.mostOnce = Infinity;
  }
}

const periodMs = 1_000;
const timeoutMs = 200;

for (const kind of ['refused', 'mute', 'most'] as const)
  void t.test(
    `addresses that are ${kind}: found, nobody else disturbed, tried again`,
    async (t) => {
      for (let seed = 1; seed <= seedsOf(5, 2); seed++) {
        const plant = new Plant(seed, kind);
        const { bench } = plant;
        const told = `seed ${seed}: ${plant.tags.join(' ')}, not ${plant.culprits.join(' ')}`;
        let oldest = 0;
        const pass = async (seconds: number, check: () => void): Promise<void> => {
          for (let i = 0; i < seconds * 10; i++) {
            await bench.pass(100);
            check();
          }
        };
        await bench.pass(2_000);
        const watchNeighbour = (): void => {
          oldest = Math.max(oldest, plant.age());
        };
        await pass(kind === 'refused' ? 1 : plant.others.length > 0 ? 90 : 240, watchNeighbour);
        const bad = new Set<number>();
        // Through several tries of what is refused.
        await pass(130, () => {
          watchNeighbour();
          for (const at of plant.bad('D', plant.healthy)) bad.add(at);
        });
        t.strictSame([...bad], [], `${told}: all others are good, and stay so`);
        t.strictSame(plant.bad('D', plant.culprits), plant.culprits, 'the culprits are bad');
        t.ok(
          oldest <= periodMs + timeoutMs + 50,
          `${told}: the neighbour waits ${oldest} ms at most`,
        );
        plant.cure();
        await bench.pass(limits.refusedRetryMs + 5_500);
        t.strictSame(plant.bad('D', plant.tags), [], `${told}: all good again`);
        const from = bench.clock.mono();
        await bench.pass(5_000);
        const reads = bench.script.count(/^read D/, from) / 5;
        t.equal(reads, plant.reads, `${told}: as few reads as there can be`);
      }
    },
  );

void t.test('a passing no is not remembered: good again with the next scans', async (t) => {
  for (const lasts of [300, 900, 1_500, 4_000]) {
    const b = new Bench();
    b.start([device('D', 'l', [1, 2, 3, 4, 5])]);
    await b.pass(10_000);
    b.script.refused.add(3);
    await b.pass(lasts);
    for (const at of [1, 2, 4, 5])
      t.ok(isGood(b.quality(`D.t${at}`) ?? 0xff), `${lasts} ms: ${at}`);
    b.script.refused.clear();
    await b.pass(lasts < 2_000 ? 3_500 : 6_000);
    t.ok(isGood(b.quality('D.t3') ?? 0xff), `refused for ${lasts} ms: good again`);
  }
});

void t.test('a device that is busy is asked once more in the same scan', async (t) => {
  const b = new Bench();
  b.start([device('D', 'l', [1, 2, 3])]);
  await b.pass(5_500);
  const from = b.clock.mono();
  b.script.busy = 1;
  for (let i = 0; i < 100; i++) {
    await b.pass(10);
    t.ok(isGood(b.quality('D.t1') ?? 0xff));
  }
  t.equal(b.script.count(/^read D/, from), 2);
  b.script.busy = 2;
  await b.pass(1_000);
  t.notOk(isGood(b.quality('D.t1') ?? 0xff), 'twice is a no');
  t.equal(b.script.count(/^read D/, from), 4, 'and no third time');
  await b.pass(1_000);
  t.ok(isGood(b.quality('D.t1') ?? 0xff));
});
