import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Batch, mono, parseEndpoint, Quality, type Value } from 'millrace/contract';
import { check, type ConformanceOptions, type Doubtful, type Vector } from 'millrace/conformance';
import { FakeWire } from 'millrace/driver-kit';
import { driver, type ScaleAddress, type ScaleConfig } from '../src/index.js';
import { FakeScale } from './fake.js';

const net = { type: 'float64', value: 'net' } as const;
const gross = { type: 'float64', value: 'gross' } as const;
const stable = { type: 'bool', value: 'stable' } as const;

function vector(
  title: string,
  tag: Vector<FakeScale>['tag'],
  expected: Value | Doubtful,
  shown: Partial<Pick<FakeScale, 'net' | 'gross' | 'state' | 'unit'>>,
): Vector<FakeScale> {
  return { title, tag, expected, load: (fake) => void Object.assign(fake, shown) };
}

const options: ConformanceOptions<ScaleConfig, ScaleAddress, FakeScale> = {
  module: driver,
  endpoint: 'tcp://10.0.0.5',
  link: { timeout: '500ms', unit: 'kg' },
  device: {},
  tags: { net, gross, stable, tare: gross },
  broken: {
    link: { source: { timeout: 'soon', unit: 'stone' }, problems: 2 },
    tag: { device: {}, source: { type: 'bool', value: 'net', reader: 9 }, problems: 3 },
  },
  fake: () => new FakeScale(),
  vectors: [
    vector('net', net, 12.345, { net: 12.345 }),
    vector('below zero', net, -0.002, { net: -0.002 }),
    vector('gross', gross, 9_999.999, { gross: 9_999.999 }),
    vector('stable', stable, 1, { state: 'ST' }),
    vector('moving', stable, 0, { state: 'US' }),
    vector(
      'a moving weight',
      net,
      { quality: Quality.doubtful, value: 2 },
      { state: 'US', net: 2 },
    ),
    vector('overload', net, { quality: Quality.aboveRange, value: 60 }, { state: 'OL', net: 60 }),
    vector('overload is not stable', stable, 0, { state: 'OL' }),
    vector('another unit', net, { quality: Quality.configuration }, { unit: 'lb' }),
  ],
  pushing: {
    tags: {
      code: { type: 'string', value: 'barcode' },
      second: { type: 'string', value: 'barcode', reader: 2 },
    },
    fake: () => new FakeScale(),
  },
  source: fileURLToPath(new URL('../src', import.meta.url)),
  readme: readFileSync(new URL('../../README.md', import.meta.url), 'utf8'),
  exempt: { 'R-17': 'a scale is only read' },
};

for (const result of await check(options))
  await test(`${result.id}: ${result.title}`, (t) => {
    if (result.status === 'exempt') t.skip(result.detail);
    assert.notEqual(
      result.status,
      'fail',
      [result.detail, result.evidence?.place, ...(result.evidence?.wire ?? [])].join('\n'),
    );
  });

/** A driver on a scripted wire, connected. */
async function connected(wire: FakeWire) {
  const endpoint = parseEndpoint('tcp://10.0.0.5', driver.schemes);
  const config = driver.parseLink({}, undefined);
  assert.ok(endpoint.ok && config.ok);
  const scale = driver.create(config.value, wire.context(endpoint.value));
  const { signal } = new AbortController();
  await scale.connect(signal);
  const tags = [{ tag: 0, name: 'S.net', device: 'S', type: 'float64', address: { value: 'net' } }];
  const [group] = driver.plan(config.value, tags as never, []);
  assert.ok(group);
  return { scale, signal, group, batch: new Batch(1) };
}

await test('one request, and its answer in pieces', async () => {
  const wire = new FakeWire({ request: 'N\r\n', answers: ['ST,NT,+00', '01.234kg\r', '\n'] });
  const { scale, signal, group, batch } = await connected(wire);
  batch.begin(mono(0));
  assert.equal(await scale.read(group, batch, signal), 'done');
  assert.equal(batch.numbers[0], 1.234);
  assert.equal(batch.qualities[0], Quality.good);
  assert.deepEqual(wire.problems, []);
  await scale.close();
});

await test('the answer to the other request is no weight', async () => {
  const wire = new FakeWire({ request: 'N\r\n', answers: ['ST,GS,+0001.234kg\r\n'] });
  const { scale, signal, group, batch } = await connected(wire);
  batch.begin(mono(0));
  await assert.rejects(scale.read(group, batch, signal), { code: 'bad-frame', kind: 'protocol' });
  await scale.close();
});
