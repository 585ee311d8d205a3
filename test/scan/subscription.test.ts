import t from 'tap';
import { type Samples, type SubscriptionSink, Quality, ms } from '../../gateway/contract/index.js';
import { limits } from '../../gateway/limits.js';
import { Layers, type Layer } from '../../gateway/scan/layers.js';
import { must } from '../support/must.js';
import { Bench } from './bench.js';
import { device, lost } from './script.js';

const terms = { interval: ms(500), alive: ms(3_000) };

/** Rows of position, value and age. */
function told(
  rows: readonly (readonly [position: number, value: number, age?: number, quality?: number])[],
): Samples {
  return {
    count: rows.length,
    positions: rows.map(([position]) => position),
    numbers: rows.map(([, value]) => value),
    ages: rows.map(([, , age]) => age ?? NaN),
    qualities: rows.map(([, , , quality]) => quality ?? Quality.good),
    wide: undefined,
  };
}

function rowsOf(layer: Layer | undefined): number[] | undefined {
  return layer && Array.from(layer.numbers).slice(0, layer.count);
}

void t.test('layers: each tag once in a layer, in the order it was told', (t) => {
  const layers = new Layers(3, 100);
  const add = (rows: Parameters<typeof told>[0]): number => layers.add(told(rows), (age) => age);
  add([
    [0, 1],
    [1, 10],
    [0, 2],
    [0, 3],
  ]);
  add([
    [1, 11],
    [2, 20],
  ]);
  const layer = (): unknown => rowsOf(layers.take());
  t.same(layer(), [1, 10, 20]);
  t.same(layer(), [2, 11]);
  add([[1, 12]]);
  t.same(layer(), [3, 12], 'no later than its turn');
  t.equal(layer(), undefined);
  add([[0, 4]]);
  t.same(layer(), [4], 'what was taken is not waited for');
  add([
    [0, 5],
    [0, 6],
    [0, 7],
    [1, 13],
  ]);
  t.equal(layers.shorten(1), 2, 'shortened, the older ones give way');
  t.same(layer(), [7, 13]);
  t.ok(layers.isEmpty);
  t.end();
});

void t.test('layers: without room, older samples give way to younger ones of their tag', (t) => {
  const layers = new Layers(2, 3);
  t.equal(
    layers.add(
      told([
        [0, 1],
        [0, 2],
        [0, 3],
        [1, 10],
        [0, 4],
      ]),
      Number,
    ),
    2,
    'counted',
  );
  const left: number[][] = [];
  for (let next = layers.take(); next; next = layers.take()) left.push(rowsOf(next) ?? []);
  t.same(
    left.flat().sort((a, b) => a - b),
    [3, 4, 10],
    'the last of each tag is there',
  );
  t.ok(left.flat().indexOf(3) < left.flat().indexOf(4), 'in order');
  t.end();
});

/** A device whose tags are told; `ready` when it was asked for them. */
async function subscribed(
  addresses = [1_000, 1_001],
): Promise<{ b: Bench; sink: SubscriptionSink }> {
  const b = new Bench();
  b.script.terms = terms;
  let sink: SubscriptionSink | undefined;
  b.script.onSubscribe = (_group, to) => {
    sink = to;
    return Promise.resolve([]);
  };
  b.start([device('U1', 'l', addresses, { subscribed: terms })]);
  await b.pass(50);
  must(sink !== undefined, 'it was subscribed');
  return { b, sink };
}

function stateOf(b: Bench): string | undefined {
  return b.link?.state;
}

void t.test('what a device tells goes to the image with its own time', async (t) => {
  const { b, sink } = await subscribed();
  t.equal(b.script.count(/subscribe/), 1);
  await b.pass(1_000);
  sink.samples(
    told([
      [0, 7, 400],
      [1, 8],
    ]),
  );
  const at = b.clock.mono();
  await b.pass(10);
  t.equal(b.seen.get('U1.t1000')?.at, at - 400);
  t.equal(b.seen.get('U1.t1001')?.at, at);
  t.equal(b.seen.get('U1.t1000')?.value, 7);
  t.equal(b.quality('U1.t1001'), Quality.good);
  t.ok(
    b.items.some(({ kind }) => kind === 'scan-end'),
    'complete: it can be recorded',
  );
});

void t.test('rules see every sample: several of one tag come one after the other', async (t) => {
  const { b, sink } = await subscribed();
  sink.samples(
    told([
      [0, 1, 300],
      [0, 2, 200],
      [1, 9, 200],
      [0, 3, 100],
    ]),
  );
  const values: number[] = [];
  for (let i = 0; i < 5; i++) {
    await b.pass(10);
    const value = b.seen.get('U1.t1000')?.value;
    if (value !== undefined && value !== values.at(-1)) values.push(value);
  }
  t.same(values, [1, 2, 3]);
});

void t.test(
  'what comes too late is history, and its last stands once there is no more',
  async (t) => {
    const { b, sink } = await subscribed();
    sink.samples(
      told([
        [0, 1, 9_000],
        [0, 2, 8_000],
        [1, 20, 3_001],
        [1, 21, 3_000],
      ]),
    );
    await b.pass(50);
    t.same(b.history, [1, 2, 20], 'older than a subscription that is well would tell');
    t.equal(b.quality('U1.t1000'), undefined, 'no rule takes it for the value of now');
    t.equal(b.seen.get('U1.t1001')?.value, 21, 'what is fresh is told as ever');
    sink.samples(told([[0, 3, 7_000]]));
    sink.alive();
    const at = b.clock.mono();
    await b.pass(50);
    t.same(b.history, [1, 2, 20, 3]);
    t.match(b.seen.get('U1.t1000'), { value: 3, quality: Quality.good }, 'nothing came after it');
    t.equal(b.seen.get('U1.t1000')?.at, at, 'so it stands now');
    t.equal(b.seen.get('U1.t1001')?.value, 21, 'a late one gives way to a fresh one');

    sink.samples(told([[0, 4, 7_000]]));
    sink.samples(told([[0, 5, 10]]));
    sink.alive();
    await b.pass(50);
    t.equal(b.seen.get('U1.t1000')?.value, 5, 'also when the fresh one comes later');

    const recorded = b.history.length;
    sink.samples(told([[0, 6, 3_600_000]]));
    await b.pass(50);
    t.equal(
      b.seen.get('U1.t1000')?.value,
      6,
      'older than the word that all was told: a wrong clock',
    );
    t.equal(b.history.length, recorded);
    await b.pass(2_900);
    sink.samples(told([]));
    await b.pass(2_900);
    t.equal(stateOf(b), 'connected', 'no samples are a sign of life, too');
  },
);

void t.test(
  'silence longer than promised puts the link in doubt; a word of life does not',
  async (t) => {
    const { b, sink } = await subscribed();
    sink.samples(told([[0, 5]]));
    for (let i = 0; i < 5; i++) {
      await b.pass(2_900);
      sink.alive();
      t.equal(stateOf(b), 'connected');
    }
    await b.pass(2_900);
    t.equal(b.quality('U1.t1000'), Quality.good);
    await b.pass(200);
    t.equal(b.quality('U1.t1000'), Quality.notConnected);
    t.equal(b.link?.lastError?.code, 'subscription-silent');
    await b.pass(1_000);
    t.equal(b.script.count(/connect/), 2, 'opened again');
    t.equal(b.script.count(/subscribe/), 2, 'and subscribed again');
    sink.samples(told([[0, 6]]));
    await b.pass(50);
    t.equal(b.quality('U1.t1000'), Quality.notConnected, 'the old subscription counts no more');
  },
);

void t.test(
  'when the link goes down, what was told before comes first, then all is bad',
  async (t) => {
    const { b, sink } = await subscribed();
    sink.samples(
      told([
        [0, 1],
        [0, 2],
        [0, 3],
        [1, 9],
      ]),
    );
    b.script.lose(lost());
    t.equal(stateOf(b), 'waiting');
    sink.samples(told([[0, 4]]));
    const seen: string[] = [];
    for (let i = 0; i < 6; i++) {
      await b.pass(10);
      const { value, quality } = b.seen.get('U1.t1000') ?? {};
      const shown = quality === Quality.good ? String(value) : 'bad';
      if (shown !== seen.at(-1)) seen.push(shown);
    }
    t.same(seen, ['1', '2', '3', 'bad']);
    t.equal(b.quality('U1.t1001'), Quality.notConnected);
  },
);

void t.test(
  'after it was overruled, a value that stands is put into the image again',
  async (t) => {
    const { b, sink } = await subscribed();
    sink.samples(
      told([
        [0, 5],
        [1, 6],
      ]),
    );
    await b.pass(50);
    b.link?.decodeAll();
    b.items.length = 0;
    sink.alive();
    await b.pass(50);
    const full = b.items.find(({ kind }) => kind === 'readings');
    t.equal(full?.group?.batch.isUnchanged, false);
    t.same([...(full?.group?.batch.numbers ?? [])], [5, 6]);
    b.items.length = 0;
    sink.alive();
    await b.pass(50);
    t.equal(b.items.find(({ kind }) => kind === 'readings')?.group?.batch.isUnchanged, true);
  },
);

void t.test('refused tags are tried again, alone, and told by the same subscription', async (t) => {
  const b = new Bench();
  b.script.terms = terms;
  const sinks: SubscriptionSink[] = [];
  const groups: string[] = [];
  b.script.onSubscribe = (group, to) => {
    sinks.push(to);
    groups.push(group.tags.map(({ name }) => name).join());
    return Promise.resolve(sinks.length === 1 ? [1] : []);
  };
  b.start([device('U1', 'l', [1_000, 1_001], { subscribed: terms })]);
  await b.pass(50);
  const [first] = sinks;
  must(first !== undefined, 'subscribed');
  const live = async (time: number): Promise<void> => {
    for (let at = 0; at < time; at += 2_000) {
      await b.pass(2_000);
      first.alive();
    }
  };
  first.samples(
    told([
      [0, 5],
      [1, 0, NaN, Quality.device],
    ]),
  );
  await live(limits.refusedFirstMs + 100);
  t.same(groups, ['U1.t1000,U1.t1001', 'U1.t1001']);
  t.equal(b.quality('U1.t1001'), Quality.device);
  const [, second] = sinks;
  must(second !== undefined, 'subscribed again');
  second.samples(told([[0, 8]]));
  await b.pass(50);
  t.equal(b.seen.get('U1.t1001')?.value, 8, 'by its position in the whole');
  b.link?.decodeAll();
  first.alive();
  await b.pass(50);
  t.equal(b.seen.get('U1.t1001')?.value, 8, 'and it stands');
  await live(limits.refusedRetryMs);
  t.equal(groups.length, 2, 'nothing is left to be tried');
});

void t.test('a device that refuses everything is no silent one', async (t) => {
  const b = new Bench();
  b.script.terms = terms;
  b.script.onSubscribe = () => Promise.resolve([0]);
  b.start([device('U1', 'l', [1_000], { subscribed: terms })]);
  await b.pass(limits.refusedRetryMs * 2 + 1_000);
  t.equal(stateOf(b), 'connected');
  t.equal(b.script.count(/subscribe/), 10, 'after 2 s, 4 s … 512 s');
});

void t.test('a driver that fails to subscribe is trouble of its link', async (t) => {
  const b = new Bench();
  b.script.terms = terms;
  b.script.onSubscribe = () => Promise.reject(lost());
  b.start([device('U1', 'l', [1_000], { subscribed: terms })]);
  await b.pass(100);
  t.equal(stateOf(b), 'waiting');
  b.script.onSubscribe = () => new Promise(() => undefined);
  await b.pass(2_000);
  t.equal(stateOf(b), 'connected');
  await b.pass(limits.subscribeMs);
  t.equal(b.script.count(/connect/), 3, 'one that never settles, too');
});

void t.test('a write to a told tag is read back with a read of its own', async (t) => {
  const { b, sink } = await subscribed();
  sink.alive();
  b.script.values.set('U1.t1000', 3);
  const binding = b.link?.config.bindings[0];
  must(binding !== undefined, 'it is bound');
  b.link?.readSoon(binding);
  await b.pass(50);
  t.equal(b.seen.get('U1.t1000')?.value, 3);
});

void t.test('silence is measured by what the device made of its terms', async (t) => {
  const { b, sink } = await subscribed();
  sink.alive();
  sink.revised?.(ms(10_000));
  t.equal(b.revised.at(-1), 10_000, 'and so are stale values');
  await b.pass(9_000);
  t.equal(b.link?.state, 'connected', 'three times as long as was asked for');
  sink.samples(told([[0, 1, 9_000]]));
  t.same(b.history, [], 'no sample is late that is as old as it may be');
  await b.pass(10_050);
  t.equal(b.link?.lastError?.code, 'subscription-silent');
});
