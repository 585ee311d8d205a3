/** Tags whose samples are events, and devices that give no sign of life. */
import t from 'tap';
import {
  type Subscribed,
  type SubscriptionSink,
  Quality,
  ms,
} from '../../gateway/contract/index.js';
import { must } from '../support/must.js';
import { Bench } from './bench.js';
import { device } from './script.js';

const silent: Subscribed = { interval: ms(0), alive: 'never' };
const scans: Subscribed = { ...silent, event: true };

async function subscribed(terms: Subscribed): Promise<{ b: Bench; sink: SubscriptionSink }> {
  const b = new Bench();
  b.script.terms = terms;
  let sink: SubscriptionSink | undefined;
  b.script.onSubscribe = (_group, to) => {
    sink = to;
    return Promise.resolve([]);
  };
  b.start([device('U1', 'l', [1_000, 1_001], { subscribed: terms })]);
  await b.pass(50);
  must(sink !== undefined, 'it was subscribed');
  return { b, sink };
}

function push(
  sink: SubscriptionSink,
  rows: readonly (readonly [value: number, age: number])[],
  position = 0,
): void {
  sink.samples({
    count: rows.length,
    positions: rows.map(() => position),
    numbers: rows.map(([value]) => value),
    qualities: rows.map(() => Quality.good),
    ages: rows.map(([, age]) => age),
    wide: undefined,
  });
}

/** Lets time pass, and notes every reading that reached the image. @returns values and times */
async function readings(b: Bench): Promise<(readonly [value: unknown, at: number])[]> {
  const found: (readonly [value: unknown, at: number])[] = [];
  for (let i = 0; i < 8; i++) {
    await b.pass(10);
    const { value, at = NaN } = b.seen.get('U1.t1000') ?? {};
    if (at !== found.at(-1)?.[1]) found.push([value, at]);
  }
  return found;
}

void t.test('a device without a sign of life may be silent', async (t) => {
  const { b, sink } = await subscribed(silent);
  push(sink, [[5, NaN]]);
  await b.pass(30_000);
  t.equal(b.link?.state, 'connected');
  t.equal(b.quality('U1.t1000'), Quality.good);
  push(sink, [[6, 3_600_000]]);
  await b.pass(50);
  t.equal(b.seen.get('U1.t1000')?.value, 6, 'and nothing of it is too old');
});

void t.test('one that promised a sign of life may not', async (t) => {
  const { b } = await subscribed({ interval: ms(0), alive: ms(3_000) });
  await b.pass(3_100);
  t.equal(b.link?.state, 'waiting');
});

void t.test('events of one instant have different times, and keep them', async (t) => {
  const { b, sink } = await subscribed(scans);
  const at = b.clock.mono();
  push(sink, [
    [7, NaN],
    [7, NaN],
    [7, NaN],
  ]);
  const seen = await readings(b);
  t.same(
    seen.map(([value]) => value),
    [7, 7, 7],
    'three events',
  );
  t.ok(
    seen.every(([, time]) => time - at < 0.1),
    'of this instant',
  );
  await b.pass(500);
  sink.alive();
  t.same(await readings(b), seen.slice(2), 'a sign of life makes no event younger');
  b.link?.decodeAll();
  sink.alive();
  t.same(await readings(b), seen.slice(2), 'what the image lost comes back with its time');
});

void t.test('an event is live, however late it is reported', async (t) => {
  const { b, sink } = await subscribed({ interval: ms(0), alive: ms(10_000), event: true });
  await b.pass(9_000);
  push(sink, [[1, NaN]], 1);
  await b.pass(9_000);
  const at = b.clock.mono();
  push(sink, [[7, 15_000]]);
  sink.alive();
  t.same(await readings(b), [[7, at - 15_000]], 'once, with its own time');
  t.same(b.history, []);
});
