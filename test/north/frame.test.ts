import fc from 'fast-check';
import t from 'tap';
import { Quality, jsonValue, qualityReason } from '../../gateway/contract/index.js';
import type { Entry } from '../../gateway/journal/entry.js';
import type { Dictionary } from '../../gateway/north/dictionary.js';
import { type FrameContext, type PayloadForm, frameOf } from '../../gateway/north/frame.js';
import { Topics, level } from '../../gateway/north/mqtt/topics.js';
import type { Block } from '../../gateway/tags/block.js';
import { Kind } from '../../gateway/tags/table.js';

interface Sample {
  readonly index: number;
  readonly time: number;
  readonly quality: number;
  readonly value: number | boolean | string | bigint;
  readonly kind: number;
}
const names = Array.from({ length: 60 }, (_, i) =>
  i % 7 === 0 ? `ö "${String(i)}"` : `t${String(i)}`,
);
const dictionary: Dictionary = { device: 'D', revision: 'old', names, json: '' };
const context = (current: string, known = true): FrameContext => ({
  gateway: 'gw "1"',
  dictionary: () => (known ? dictionary : undefined),
  currentRevision: () => current,
});
function entryOf(samples: readonly Sample[]): Entry & { body: Block } {
  const wide = new Map<number, string | bigint>();
  samples.forEach(({ value }, i) => {
    if (typeof value === 'string' || typeof value === 'bigint') wide.set(i, value);
  });
  const body: Block = {
    device: 'D/ü',
    group: 'fast',
    revision: 'old',
    count: samples.length,
    indexes: Uint32Array.from(samples, ({ index }) => index),
    times: Float64Array.from(samples, ({ time }) => time),
    wallOffset: 1_767_225_600_000,
    qualities: Uint8Array.from(samples, ({ quality }) => quality),
    kinds: Uint8Array.from(samples, ({ kind }) => kind),
    numbers: Float64Array.from(samples, ({ value }) =>
      typeof value === 'string' ? NaN : Number(value),
    ),
    wide: wide.size > 0 ? wide : undefined,
  };
  return {
    pos: 1,
    epoch: 3,
    class: 'samples',
    stream: 'D/fast',
    seq: 100,
    count: samples.length,
    time: 0,
    body,
  };
}
function parsed(
  samples: readonly Sample[],
  form: PayloadForm,
  history = false,
  c = context('old'),
): unknown {
  const entry = entryOf(samples);
  return JSON.parse(new TextDecoder().decode(frameOf(entry, entry.body, form, history, c)));
}
/** What a reader of the JSON must find for a sample. */
function expected({ quality, value, kind }: Sample): unknown {
  if (quality >= 0x80) return null;
  if (kind === Kind.float32) {
    const float = Number(value);
    return Number.isFinite(float) ? float : null;
  }
  const plain = jsonValue(value);
  return Object.is(plain, -0) ? 0 : plain;
}
const good = (kind: number, value: Sample['value'], index = 0, time = 0): Sample => ({
  index,
  time,
  quality: 0,
  value,
  kind,
});

const anyValue: fc.Arbitrary<Pick<Sample, 'kind' | 'value'>> = fc.oneof(
  fc.record({
    kind: fc.constant(Kind.number),
    value: fc.oneof(
      fc.double(),
      fc.integer(),
      fc.constantFrom(-0, 2 ** 31, -(2 ** 31), 1e21, 5e-324),
    ),
  }),
  fc.record({ kind: fc.constant(Kind.bool), value: fc.boolean() }),
  fc.record({ kind: fc.constant(Kind.float32), value: fc.float() }),
  fc.record({ kind: fc.constant(Kind.text), value: fc.string({ unit: 'binary' }) }),
  fc.record({
    kind: fc.constant(Kind.integer64),
    value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n }),
  }),
);
const anySample: fc.Arbitrary<Sample> = fc
  .tuple(
    anyValue,
    fc.nat(59),
    fc.double({ min: 0, max: 1e9, noNaN: true }),
    fc.constantFrom(0, 0, ...Object.values(Quality)),
  )
  .map(([v, index, time, quality]) => ({ ...v, index, time, quality }));

interface Frame {
  readonly i: number | number[];
  readonly dt?: number[];
  readonly bt: number;
  readonly x: unknown[];
  readonly q?: [number, number, string][];
  readonly n?: string[];
}
/** As a float32 reader sees it. */
function near(kind: number, read: unknown, wanted: unknown): boolean {
  if (kind === Kind.float32 && typeof read === 'number' && typeof wanted === 'number')
    return Math.fround(read) === wanted;
  return read === wanted;
}

void t.test('a frame of columns tells of every sample what it was', (t) => {
  fc.assert(
    fc.property(
      fc.array(anySample, { minLength: 1, maxLength: 30 }),
      fc.boolean(),
      (samples, current) => {
        const frame = parsed(samples, 'frame', false, context(current ? 'old' : 'new')) as Frame;
        const bad = new Map((frame.q ?? []).map(([at, l, why]) => [at, `${String(l)} ${why}`]));
        return samples.every((sample, i) => {
          const index = typeof frame.i === 'number' ? frame.i + i : frame.i[i];
          const time = frame.bt + (frame.dt?.[i] ?? 0);
          const { quality } = sample;
          const said =
            quality === 0 ? undefined : `${String(quality >> 6)} ${qualityReason(quality)}`;
          return (
            index === sample.index &&
            Math.abs(time - 1_767_225_600_000 - sample.time) <= 1 &&
            near(sample.kind, frame.x[i], expected(sample)) &&
            bad.get(i) === said &&
            (current ? frame.n === undefined : frame.n?.[i] === names[sample.index])
          );
        });
      },
    ),
    { numRuns: 500 },
  );
  t.end();
});

void t.test('rows and values tell the same', (t) => {
  fc.assert(
    fc.property(
      fc.uniqueArray(anySample, { minLength: 1, maxLength: 20, selector: ({ index }) => index }),
      (samples) => {
        const { rows } = parsed(samples, 'rows') as { rows: Record<string, unknown>[] };
        const v = parsed(samples, 'values') as {
          values: Record<string, unknown>;
          quality?: Record<string, string>;
        };
        return samples.every((sample, i) => {
          const name = names[sample.index] ?? '';
          const row = rows[i];
          const why = sample.quality === 0 ? undefined : qualityReason(sample.quality);
          return (
            row?.['n'] === `D/ü.${name}` &&
            row['sq'] === 100 + i &&
            row['why'] === why &&
            near(sample.kind, row['v'], expected(sample)) &&
            near(sample.kind, v.values[name], expected(sample)) &&
            v.quality?.[name] === why
          );
        });
      },
    ),
    { numRuns: 300 },
  );
  t.end();
});

void t.test('the frame as documented', (t) => {
  const run = [good(Kind.float32, Math.fround(21.1), 4), good(Kind.number, 2, 5)];
  t.strictSame(parsed(run, 'frame', true), {
    v: 1,
    gw: 'gw "1"',
    dev: 'D/ü',
    grp: 'fast',
    ep: 3,
    sq: 100,
    bt: 1_767_225_600_000,
    h: 1,
    r: 'old',
    i: 4,
    x: [21.1, 2],
  });
  const mixed = [
    good(Kind.integer64, 2n ** 53n + 1n, 9),
    good(Kind.integer64, 5n, 2, 1_000),
    { ...good(Kind.number, 7, 3), quality: Quality.timeout },
    { ...good(Kind.number, 7, 3), quality: Quality.outOfRange },
  ];
  t.match(parsed(mixed, 'frame'), {
    i: [9, 2, 3, 3],
    dt: [0, 1_000, 0, 0],
    x: ['9007199254740993', 5, null, 7],
    q: [
      [2, 2, 'timeout'],
      [3, 1, 'out-of-range'],
    ],
  });
  t.notHas(parsed(mixed, 'frame', false, context('new', false)), { n: [] }, 'a lost dictionary');
  t.match(parsed(run, 'values', false, context('new', false)), { values: { '#4': 21.1, '#5': 2 } });
  t.end();
});

void t.test('every name is one topic level, and no two are the same', (t) => {
  t.equal(level('P-101.a_b'), 'P-101.a_b');
  t.equal(level('a/b+#$ %'), 'a%2Fb%2B%23%24%20%25');
  t.equal(level('泵'), '%E6%B3%B5');
  const topics = new Topics('edge/g1');
  t.equal(topics.data('a/b', 'fast', false), 'edge/g1/dev/a%2Fb/data/fast');
  t.equal(topics.data('d', 'fast', true), 'edge/g1/dev/d/hist/fast');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => {
      if (!/^[A-Za-z0-9_.%-]*$/.test(level(a))) return false;
      return decodeURIComponent(level(a)) === a && (a === b || level(a) !== level(b));
    }),
  );
  t.end();
});
