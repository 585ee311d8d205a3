/** Messages over the pipe between the halves arrive as they were sent, however the bytes come in pieces. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import t from 'tap';
import { cloned, PipePort } from '../../gateway/host/pipe-port.js';
import { FrameReader } from '../../gateway/host/frames.js';
import { WallCodec } from '../../gateway/run/wall/block-codec.js';
import type { ToNorth } from '../../gateway/run/wall/messages.js';
import { BlockBuilder, sliceBlock } from '../../gateway/tags/block.js';
import { settle } from '../support/virtual-clock.js';

const wide = fc.option(fc.oneof(fc.string(), fc.bigInt()), { nil: undefined });
const sample = fc.record({
  index: fc.nat(0xffff_ffff),
  time: fc.double(),
  quality: fc.nat(255),
  kind: fc.nat(4),
  value: fc.double(),
  wide,
});
const block = fc
  .record({
    device: fc.string({ unit: 'binary' }),
    group: fc.string(),
    samples: fc.array(sample, { maxLength: 40 }),
    offset: fc.double(),
    from: fc.nat(5),
  })
  .map(({ device, group, samples, offset, from }) => {
    const builder = new BlockBuilder(device, group, 'r1', 4);
    for (const { index, time, quality, kind, value, wide } of samples)
      builder.add(index, time, quality, kind, value, wide);
    const made = builder.close(offset);
    return sliceBlock(made, Math.min(from, made.count), made.count);
  });
const message: fc.Arbitrary<ToNorth> = fc.oneof(
  fc.record({
    kind: fc.constant('entry' as const),
    n: fc.nat(),
    entry: fc.record({ type: fc.constant('block' as const), block, time: fc.double() }),
  }),
  fc.constant({ kind: 'beat' as const }),
  fc.record({
    kind: fc.constant('ask' as const),
    ask: fc.record({ id: fc.nat(), op: fc.string(), args: fc.jsonValue() }),
  }),
);

/** Lengths of the pieces, over and over again. */
const cuts = fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 20 });

void t.test('what is sent arrives, in any pieces', (t) => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 8 }), cuts, (sent, lengths) => {
      const { north } = new WallCodec(cloned);
      const { field } = new WallCodec(cloned);
      const bytes = Buffer.concat(
        sent.flatMap((one) => {
          // Copied: the codec uses its memory again.
          const frame = Buffer.from(north.encode(one));
          const head = Buffer.alloc(4);
          head.writeUInt32LE(frame.length);
          return [head, frame];
        }),
      );
      const got: unknown[] = [];
      const reader = new FrameReader(1 << 20);
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const end = at + (lengths[i % lengths.length] ?? 1);
        // The piece is overwritten after the call, as the memory of a socket is.
        const piece = Buffer.from(bytes.subarray(at, end));
        assert(reader.take(piece, (frame) => void got.push(field.decode(frame))));
        piece.fill(0xee);
        at = end;
      }
      assert.deepStrictEqual(got, structuredClone(sent));
    }),
    { numRuns: 300 },
  );
  t.pass('held');
  t.end();
});

void t.test('frames of nothing, and of more than there may be, are none of ours', (t) => {
  for (const length of [0, 101, 0xffff_ffff]) {
    const head = Buffer.alloc(4);
    head.writeUInt32LE(length);
    t.notOk(
      new FrameReader(100).take(head, () => t.fail()),
      String(length),
    );
  }
  t.end();
});

void t.test(
  'messages of one turn go in one write; large ones go too, and an end sends the rest',
  async (t) => {
    const pipe = new PassThrough({ highWaterMark: 1 << 20 });
    const chunks: Buffer[] = [];
    const port = new PipePort<unknown, unknown>(pipe);
    const other = new PipePort<unknown, unknown>(pipe);
    const got: unknown[] = [];
    other.onMessage((one) => got.push(one));
    pipe.on('data', (chunk: Buffer) => chunks.push(Buffer.from(chunk)));
    const large = { text: 'x'.repeat(300_000) };
    for (const one of [1, 2, 3]) port.send(one);
    await settle();
    t.equal(chunks.length, 1, 'one write');
    for (const one of [4, large, 5]) port.send(one);
    port.end();
    await settle();
    t.same(got, [1, 2, 3, 4, large, 5]);
  },
);
