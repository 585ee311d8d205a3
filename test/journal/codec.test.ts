import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { decodeSegment, encodeSegment } from '../../gateway/journal/codec.js';
import { crc32c } from '../../gateway/journal/crc.js';
import { type Entry, type GapRecord, entryClasses, sizeOf } from '../../gateway/journal/entry.js';
import { gapsOf, mergeGaps } from '../../gateway/journal/gaps.js';
import { Intervals } from '../../gateway/journal/intervals.js';
import { segmentsOf } from '../../gateway/journal/segments.js';
import type { Block } from '../../gateway/tags/block.js';
import { Kind } from '../../gateway/tags/table.js';
import { limits } from '../../gateway/limits.js';
import { block } from './rig.js';

const word = fc.string({ unit: 'binary', maxLength: 12 });
const number = fc.oneof(
  fc.double(),
  fc.float(),
  fc.integer({ min: 0, max: 65_535 }),
  fc.constantFrom(NaN, -0, 0, Infinity, 65_535, 65_536, 16_777_217, Number.MAX_VALUE),
);
/** Columns as plants have them: a run or not, one time or many, small numbers or any. */
const anyBlock: fc.Arbitrary<Block> = fc.integer({ min: 0, max: 30 }).chain((count) => {
  const column = <T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
    fc.oneof(
      fc.array(item, { minLength: count, maxLength: count }),
      item.map((one) => new Array<T>(count).fill(one)),
    );
  return fc.record(
    {
      device: word,
      group: word,
      revision: word,
      count: fc.constant(count),
      indexes: fc
        .oneof(
          column(fc.nat(4e9)),
          fc.nat(9e6).map((first) => Array.from({ length: count }, (_, i) => first + i)),
        )
        .map((list) => Uint32Array.from(list)),
      times: column(fc.double({ min: 0, max: 1e12, noNaN: true })).map((l) => Float64Array.from(l)),
      wallOffset: fc.double({ min: -1e13, max: 1e13, noNaN: true }).map((n) => n + 0),
      qualities: column(fc.integer({ min: 0, max: 255 })).map((l) => Uint8Array.from(l)),
      kinds: column(fc.constantFrom(...Object.values(Kind))).map((l) => Uint8Array.from(l)),
      numbers: column(number).map((l) => Float64Array.from(l)),
      wide: fc.option(
        fc
          .array(fc.tuple(fc.nat(Math.max(0, count - 1)), fc.oneof(word, fc.bigInt())), {
            maxLength: 5,
          })
          .map((list) => new Map(list)),
        { nil: undefined },
      ),
    },
    { noNullPrototype: true },
  );
});
const anyEntry: fc.Arbitrary<Entry> = fc
  .tuple(
    fc.oneof(anyBlock, word),
    fc.nat(1e6),
    fc.nat(2 ** 21),
    fc.constantFrom(...entryClasses),
    word,
  )
  .map(([body, n, epoch, c, stream]) => ({
    pos: epoch * 2 ** 32 + n,
    epoch,
    class: c,
    stream,
    seq: n,
    count: typeof body === 'string' ? 1 : body.count,
    time: 1.7e12 + n,
    body,
  }));

void t.test('every segment reads back as it was written, also from the middle of a buffer', (t) => {
  fc.assert(
    fc.property(fc.array(anyEntry, { maxLength: 6 }), fc.nat(9), (entries, shift) => {
      const bytes = encodeSegment(entries);
      const inside = new Uint8Array(bytes.length + shift);
      inside.set(bytes, shift);
      deepStrictEqual(decodeSegment(inside.subarray(shift)), entries);
    }),
    { numRuns: 300 },
  );
  t.end();
});

void t.test('what repeats is stored once, and small numbers in two bytes', (t) => {
  const bytes = encodeSegment([entry(block(1_000), 1)]).length;
  t.ok(bytes < 2_300, `${String(bytes)} bytes for 1000 registers`);
  t.end();
});

function entry(body: Block, seq: number, time = 5): Entry {
  return {
    pos: seq,
    epoch: 1,
    class: 'samples',
    stream: 'D/fast',
    seq,
    count: body.count,
    time,
    body,
  };
}

void t.test('bytes that are no segment are refused, not read as something', (t) => {
  const bytes = encodeSegment([entry(block(100), 1)]);
  for (const cut of [0, 3, 4, 50, bytes.length - 1])
    t.throws(() => decodeSegment(bytes.subarray(0, cut)), { code: 'journal-corrupt' });
  const later = bytes.slice();
  later[9] = '9'.charCodeAt(0);
  t.throws(() => decodeSegment(later), { code: 'journal-corrupt' }, 'another version');
  t.throws(() => decodeSegment(new Uint8Array(100)), { code: 'journal-corrupt' });
  t.end();
});

void t.test('CRC-32C: the published check value, and every flipped bit shows', (t) => {
  t.equal(crc32c(new TextEncoder().encode('123456789')), 0xe3069283);
  t.equal(crc32c(new Uint8Array()), 0);
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      fc.nat(),
      fc.integer({ min: 0, max: 7 }),
      (bytes, at, bit) => {
        const before = crc32c(bytes);
        const other = bytes.slice();
        const place = at % bytes.length;
        other[place] = (other[place] ?? 0) ^ (1 << bit);
        return crc32c(other) !== before;
      },
    ),
  );
  t.end();
});

void t.test('entries are packed by class, in order, no segment much above its bound', (t) => {
  const entries = Array.from({ length: 70 }, (_, i) => ({
    ...entry(block(2_000), i + 1),
    class: i % 10 === 3 ? ('event' as const) : ('samples' as const),
  }));
  const segments = segmentsOf(entries);
  t.ok(segments.length >= 4);
  for (const { data } of segments) t.ok(data.length <= limits.segmentBytes * 1.1);
  const back = segments.flatMap(({ data, crc }) => {
    t.equal(crc32c(data), crc);
    return decodeSegment(data);
  });
  t.strictSame(
    back.map(({ pos }) => pos).sort((a, b) => a - b),
    entries.map(({ pos }) => pos),
  );
  t.strictSame(segmentsOf([]), []);
  t.ok(sizeOf(entries[0] ?? entry(block(1), 1)) > 48_000);
  t.end();
});

void t.test('one gap for each unbroken run of a stream', (t) => {
  const lost = [1, 4, 20, 23].map((seq, i) => entry(block(3), seq, i));
  const other = { ...entry(block(3), 7), stream: 'E/fast' };
  t.match(gapsOf([...lost, other], 'size'), [
    { stream: 'D/fast', from: 1, to: 6, samples: 6, fromTime: 0, toTime: 1, why: 'size' },
    { stream: 'D/fast', from: 20, to: 25, samples: 6, fromTime: 2, toTime: 3 },
    { stream: 'E/fast', from: 7, to: 9 },
  ]);
  t.end();
});

void t.test('a ledger that must make room says the same in fewer records', (t) => {
  const gap = (stream: string, from: number, to: number): GapRecord => ({
    stream,
    epoch: 1,
    from,
    to,
    samples: to - from + 1,
    fromTime: from,
    toTime: to,
    why: 'size',
  });
  t.match(mergeGaps([gap('a', 5, 9), gap('b', 3, 4), gap('a', 1, 4), gap('a', 11, 12)]), [
    { stream: 'a', from: 1, to: 9, samples: 9, fromTime: 1, toTime: 9 },
    { stream: 'a', from: 11, to: 12, samples: 2 },
    { stream: 'b', from: 3, to: 4 },
  ]);
  const many = Array.from({ length: limits.carriedGaps + 1 }, (_, i) => gap('a', 3 * i, 3 * i));
  const [coarse, ...rest] = mergeGaps(many);
  t.match(coarse, { from: 0, to: 3 * limits.carriedGaps, samples: limits.carriedGaps + 1 });
  t.strictSame(rest, [], 'one a stream when there are too many');
  t.end();
});

type Move = readonly ['add' | 'remove' | 'coarsen', number, number];
const most = 40;

void t.test('a set of stretches does what a plain set does', (t) => {
  const move: fc.Arbitrary<Move> = fc
    .tuple(fc.constantFrom('add', 'add', 'remove', 'remove', 'coarsen'), fc.nat(most), fc.nat(8))
    .map(([what, from, length]) => [what, from, Math.min(most, from + length)] as const);
  fc.assert(
    fc.property(fc.array(move, { maxLength: 40 }), (moves) => {
      const set = new Intervals();
      let model = new Set<number>();
      for (const [what, from, to] of moves) {
        if (what === 'coarsen') {
          const before = new Set(model);
          const max = 1 + (from % 4);
          const had = set.stretches;
          set.coarsen(max);
          if (set.stretches !== Math.min(had, max)) return false;
          model = new Set(Array.from({ length: most + 1 }, (_, n) => n).filter((n) => set.has(n)));
          // It only grows, and not beyond its ends.
          for (const n of before) if (!model.has(n)) return false;
          if (Math.max(...model) !== Math.max(...before)) return false;
        } else {
          for (let n = from; n <= to; n++)
            if (what === 'add') model.add(n);
            else model.delete(n);
          if (what === 'add') set.add(from, to);
          else set.remove(from, to);
        }
        if (!same(set, model)) return false;
      }
      return same(Intervals.from(set.toJSON()), model);
    }),
    { numRuns: 2_000 },
  );
  t.end();
});

function same(set: Intervals, model: ReadonlySet<number>): boolean {
  const members = [...model].sort((a, b) => a - b);
  if (set.isEmpty !== (model.size === 0)) return false;
  if (set.first !== members[0] || set.last !== members.at(-1)) return false;
  for (let n = 0; n <= most; n++) {
    if (set.has(n) !== model.has(n)) return false;
    if (set.next(n) !== members.find((m) => m >= n)) return false;
    const to = n + 5;
    if (set.intersects(n, to) !== members.some((m) => m >= n && m <= to)) return false;
  }
  const list = set.toJSON();
  // Few stretches: none touches the next.
  return list.every(
    ([from, to], i) => from <= to && (i === 0 || from > (list[i - 1]?.[1] ?? 0) + 1),
  );
}
