import fc from 'fast-check';
import t from 'tap';
import type { DeviceConfig, TagConfig } from '../../gateway/config/model.js';
import { Batch, Quality, mono, ms } from '../../gateway/contract/index.js';
import { limits } from '../../gateway/limits.js';
import { acceptBad, acceptBatch, acceptUnchanged } from '../../gateway/tags/accept.js';
import { type Block, sliceBlock } from '../../gateway/tags/block.js';
import { TagImage } from '../../gateway/tags/image.js';
import { Reporter } from '../../gateway/tags/report.js';
import { StalenessSweep } from '../../gateway/tags/staleness.js';
import { TagTable } from '../../gateway/tags/table.js';
import { tag } from '../support/config.js';

function imageOf(tags: readonly TagConfig[], primary?: string): TagImage {
  const devices: DeviceConfig[] = [{ name: 'D', link: 'l', tags, primary, events: undefined }];
  return new TagImage(new TagTable(devices, new Map()));
}
function all(image: TagImage): Int32Array {
  return Int32Array.from({ length: image.size }, (_, i) => i);
}
function batchOf(image: TagImage, at: number): Batch {
  const batch = new Batch(image.size);
  batch.begin(mono(at));
  return batch;
}

void t.test(
  'readings become values in engineering units, with quality and the time of the request',
  (t) => {
    const image = imageOf([
      tag('D', 'plain', 'l'),
      tag('D', 'scaled', 'l', { scale: 0.1, offset: -40, span: [0, 20] }),
      tag('D', 'down', 'l', { scale: -2, span: [10, 0] }),
      tag('D', 'bit', 'l', { type: 'bool' }),
      tag('D', 'name', 'l', { type: 'string' }),
      tag('D', 'count', 'l', { type: 'int64' }),
      tag('D', 'energy', 'l', { type: 'uint64', scale: 0.001 }),
    ]);
    const batch = batchOf(image, 123);
    batch.number(0, 65_535);
    batch.number(1, 613);
    batch.number(2, -3);
    batch.number(3, 1);
    batch.text(4, 'Müller');
    batch.integer64(5, 2n ** 60n + 1n);
    batch.integer64(6, 5_000n);
    t.equal(acceptBatch(image, all(image), batch), 7);
    const values = [65_535, 21.3, 6, true, 'Müller', 2n ** 60n + 1n, 5];
    t.strictSame(
      [...all(image)].map((i) => image.value(i)),
      values,
    );
    t.strictSame([...image.qualities], [0, Quality.aboveRange, 0, 0, 0, 0, 0]);
    t.ok([...image.times].every((time) => time === 123));

    const later = batchOf(image, 200);
    later.number(0, NaN);
    later.number(1, Infinity);
    later.numberAs(2, -1_000, Quality.substituted);
    later.bad(3, Quality.device);
    t.equal(acceptBatch(image, all(image), later), 1);
    t.strictSame(
      [...image.qualities],
      [
        Quality.decode,
        Quality.decode,
        Quality.substituted,
        Quality.device,
        Quality.internal,
        Quality.internal,
        Quality.internal,
      ],
      'what the driver did not fill is not good',
    );
    t.strictSame(
      [image.value(0), image.rawValue(0)],
      [null, 65_535],
      'the last value stays for the record',
    );

    acceptUnchanged(image, Int32Array.of(2), 300);
    t.strictSame(
      [image.value(2), image.times[2], image.qualities[2]],
      [2_000, 300, Quality.substituted],
    );
    acceptBad(image, Int32Array.of(2, 3), Quality.timeout, 400);
    acceptBad(image, Int32Array.of(2, 3), Quality.timeout, 500);
    t.strictSame([...image.times.slice(2, 4)], [400, 400], 'bad since');
    t.end();
  },
);

void t.test(
  'values older than their tag allows go stale within four sweeps, bad ones stay what they are',
  (t) => {
    const image = imageOf(
      [1, 2, 3, 4, 5, 6].map((n) => tag('D', `t${String(n)}`, 'l', { stale: ms(100) })),
    );
    const batch = batchOf(image, 1_000);
    for (let i = 0; i < 6; i++) batch.number(i, i);
    acceptBatch(image, all(image), batch);
    image.qualities[3] = Quality.device;
    const sweep = new StalenessSweep(image);
    const found: number[] = [];
    for (let i = 0; i < 4; i++) sweep.sweep(1_100, found);
    t.strictSame(found, [], 'as old as allowed');
    for (let i = 0; i < 4; i++) sweep.sweep(1_101, found);
    t.strictSame([...found].sort(), [0, 1, 2, 4, 5]);
    t.equal(image.qualities[3], Quality.device);
    for (let i = 0; i < 4; i++) sweep.sweep(2_000, found);
    t.equal(found.length, 5, 'told once');
    new StalenessSweep(imageOf([])).sweep(1, found);
    t.end();
  },
);

void t.test('point 6: after a long stop everything is stale before a rule looks', (t) => {
  const image = imageOf(
    [1, 2, 3, 4, 5, 6].map((n) => tag('D', `t${String(n)}`, 'l', { stale: ms(3_000) })),
  );
  const batch = batchOf(image, 1_000);
  for (let i = 0; i < 6; i++) batch.number(i, i);
  acceptBatch(image, all(image), batch);
  const sweep = new StalenessSweep(image);
  const found: number[] = [];
  for (let at = 1_000; at < 2_000; at += 100) sweep.sweep(at, found);
  t.strictSame(found, []);
  // The process was stopped for a minute; this is the one sweep before the rules run again.
  sweep.sweep(62_000, found);
  t.strictSame([...found].sort(), [0, 1, 2, 3, 4, 5]);
  t.end();
});

void t.test(
  'names: the device stands for its primary tag, a rebuilt image keeps what it knew by name',
  (t) => {
    const image = imageOf([tag('D', 'a', 'l'), tag('D', 'b', 'l')], 'b');
    t.equal(image.table.get('D'), image.table.get('D.b'));
    t.equal(image.table.get('D.c'), undefined);
    const batch = batchOf(image, 9);
    batch.number(0, 1);
    batch.number(1, 2);
    acceptBatch(image, all(image), batch);
    const next = imageOf([
      tag('D', 'b', 'l'),
      tag('D', 'new', 'l'),
      tag('D', 'a', 'l', { type: 'float32' }),
    ]);
    next.adopt(image);
    t.strictSame([next.value(0), next.times[0]], [2, 9]);
    t.equal(next.qualities[1], Quality.waiting);
    t.equal(next.qualities[2], Quality.waiting, 'another type is another tag');
    t.end();
  },
);

/** A reporter with the blocks that it gave. */
function reporting(tags: readonly TagConfig[]): {
  image: TagImage;
  reporter: Reporter;
  blocks: Block[];
  take: (at: number, values: readonly (number | 'bad')[]) => void;
} {
  const image = imageOf(tags);
  const blocks: Block[] = [];
  const reporter = new Reporter(
    image,
    new Map([['D', 'rev']]),
    () => 1e12,
    (block) => blocks.push(block),
  );
  const take = (at: number, values: readonly (number | 'bad')[]): void => {
    const batch = batchOf(image, at);
    values.forEach((value, i) => {
      if (value === 'bad') batch.bad(i, Quality.timeout);
      else batch.number(i, value);
    });
    acceptBatch(image, all(image), batch);
    reporter.consider(all(image), at);
  };
  return { image, reporter, blocks, take };
}
const values = (block: Block | undefined): number[] => [...(block?.numbers ?? [])];

void t.test(
  'reported: the first, what moved beyond the deadband, what changed quality, what was silent too long',
  (t) => {
    const { reporter, blocks, take } = reporting([
      tag('D', 'a', 'l', { deadband: 2, maxSilence: ms(1_000) }),
    ]);
    const samples: [number, number | 'bad'][] = [
      [0, 10],
      [100, 12],
      [200, 12.1],
      [300, 11],
      [400, 'bad'],
      [500, 'bad'],
      [600, 12],
      [1_599, 12],
      [1_600, 12],
    ];
    for (const [at, value] of samples) take(at, [value]);
    reporter.finish('D', 'default');
    t.strictSame([...(blocks[0]?.times ?? [])], [0, 200, 400, 600, 1_600]);
    t.strictSame([...(blocks[0]?.qualities ?? [])], [0, 0, Quality.timeout, 0, 0]);
    t.equal(reporter.reported, 5);
    t.equal(reporter.unreported, 4, 'each sample is reported or counted');
    reporter.finish('D', 'default');
    t.equal(blocks.length, 1, 'an empty block is none');
    reporter.forget();
    take(1_700, [12]);
    reporter.closeOld(1_700, true);
    t.strictSame(values(blocks[1]), [12]);
    t.end();
  },
);

void t.test('slow drift is reported: the deadband counts from the last report', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: 1, maxLength: 60 }),
      fc.double({ min: 0, max: 9, noNaN: true }),
      (steps, deadband) => {
        const { reporter, blocks, take } = reporting([
          tag('D', 'a', 'l', { type: 'float64', deadband }),
        ]);
        let value = 0;
        const given = steps.map((step, i) => {
          value += step / 10;
          take(i, [value]);
          return value;
        });
        reporter.closeOld(1e6, true);
        const [block] = blocks;
        const at = [...(block?.times ?? [])];
        let last = NaN;
        return given.every((v, i) => {
          const reported = at.includes(i);
          const must = Number.isNaN(last) || Math.abs(v - last) > deadband;
          if (reported) last = v;
          return reported === must;
        });
      },
    ),
  );
  t.end();
});

void t.test('blocks: one a stream, closed by size and by age', (t) => {
  const tags = [
    ...Array.from({ length: 3 }, (_, i) => tag('D', `f${String(i)}`, 'l', { scanClass: 'fast' })),
    tag('D', 's', 'l', { scanClass: 'slow' }),
  ];
  const { reporter, blocks, take } = reporting(tags);
  t.equal(reporter.nextDue(), undefined);
  take(50, [1, 2, 3, 4]);
  t.equal(reporter.nextDue(), 50 + limits.blockAgeMs);
  reporter.closeOld(49 + limits.blockAgeMs);
  t.equal(blocks.length, 0);
  reporter.finish('D', 'slow');
  t.match(blocks, [{ group: 'slow', revision: 'rev', count: 1, wallOffset: 1e12 }]);
  t.strictSame([...(blocks[0]?.indexes ?? [])], [3], 'positions in the dictionary of the device');
  reporter.closeOld(50 + limits.blockAgeMs);
  t.match(blocks[1], { group: 'fast', count: 3 });
  for (let i = 0; blocks.length < 3; i++) take(300 + i, [i + 10, i + 10, i + 10, 4]);
  t.equal(blocks[2]?.count, limits.blockSamples);
  t.strictSame(values(blocks[1]), [1, 2, 3], 'a block that was given away does not change');
  t.end();
});

void t.test('a part of a block has the samples of that part, wide ones too', (t) => {
  const image = imageOf([tag('D', 'a', 'l', { type: 'int64' }), tag('D', 'b', 'l')]);
  const blocks: Block[] = [];
  const reporter = new Reporter(
    image,
    new Map(),
    () => 0,
    (block) => blocks.push(block),
  );
  for (let i = 0; i < 3; i++) {
    const batch = batchOf(image, i);
    batch.integer64(0, 2n ** 60n + BigInt(i));
    batch.number(1, i);
    acceptBatch(image, all(image), batch);
    reporter.consider(all(image), i);
  }
  reporter.closeOld(0, true);
  const [block] = blocks;
  t.equal(block?.count, 6);
  const part = block && sliceBlock(block, 3, 6);
  t.strictSame([...(part?.times ?? [])], [1, 2, 2]);
  t.strictSame([...(part?.indexes ?? [])], [1, 0, 1]);
  t.strictSame([...(part?.wide ?? [])], [[1, 2n ** 60n + 2n]]);
  t.end();
});

void t.test('what a device calls high is low in units that count the other way', (t) => {
  const image = imageOf([tag('D', 'up', 'l'), tag('D', 'down', 'l', { scale: -2 })]);
  const batch = batchOf(image, 1);
  for (const at of [0, 1]) batch.numberAs(at, 5, Quality.aboveRange);
  acceptBatch(image, all(image), batch);
  t.strictSame([...image.qualities], [Quality.aboveRange, Quality.belowRange]);
  t.end();
});

void t.test('an event is reported each time, though its value is the same', (t) => {
  const event = { interval: ms(0), alive: 'never', event: true } as const;
  const { image, reporter, blocks, take } = reporting([
    tag('D', 'scan', 'l', { subscribed: event, stale: ms(Infinity), deadband: 5 }),
    tag('D', 'weight', 'l'),
  ]);
  take(10, [7, 1]);
  take(20, [7, 1]);
  take(20.001, [7, 1]);
  reporter.consider(all(image), 900);
  take(30, ['bad', 1]);
  take(40, ['bad', 1]);
  reporter.finish('D', 'default');
  t.strictSame(values(blocks[0]), [7, 1, 7, 7, 7]);
  t.strictSame([...(blocks[0]?.times ?? [])], [10, 10, 20, 20.001, 30], 'each with its own time');
  t.equal(reporter.unreported, 7, 'not what is only looked at again, nor a loss that lasts');
  const sweep = new StalenessSweep(imageOf([tag('D', 'scan', 'l', { stale: ms(Infinity) })]));
  const found: number[] = [];
  sweep.sweep(1e9, found);
  t.same(found, [], 'it does not go stale');
  t.end();
});
