/** What is made of a window says how well the window was seen. */
import t from 'tap';
import { Quality, qualityText } from '../../../gateway/contract/index.js';
import { plant, type Plant } from '../plant.js';

/** One signal over X (a sample a second, good), started at `from` seconds. */
function over(value: string, from = 0): Plant {
  const p = plant([{ signal: 'S', value }], { X: '' });
  p.now = from * 1000;
  return p;
}
/** A sample each second up to `end`; `quality` says how good the sample of a second is. */
function feed(p: Plant, end: number, quality: (second: number) => number): void {
  for (let at = p.now / 1000; at < end; at++) {
    p.set({ X: at });
    p.quality('X', quality(at));
    p.to(at);
  }
  p.to(end);
}
const quality = (p: Plant): string => qualityText(p.qualityOf('S')).split(' ')[0] ?? '';

const cases: readonly [value: string, gap: string, doubt: string][] = [
  ['sum(X, 60s)', 'uncertain', 'uncertain'],
  ['slope(X, 60s) * 1 s', 'good', 'uncertain'],
  ['noise(X, 60s)', 'good', 'uncertain'],
  ['avg(X, 60s)', 'good', 'uncertain'],
  ['block(avg, X, 1min)', 'good', 'uncertain'],
  ['block(sum, X, 1min)', 'uncertain', 'uncertain'],
  ['projected(block(avg, X, 1min))', 'good', 'uncertain'],
];

void t.test('a gap or a doubtful value makes a result uncertain as long as it is in it', (t) => {
  for (const [value, gap, doubt] of cases) {
    const isBlock = value.includes('block');
    // Whole minutes by the wall clock end at 100, 160 and 220 s of the tests.
    const during = isBlock && !value.startsWith('projected') ? 165 : 130;
    const seen = (fault: number): [string, string] => {
      const p = over(value);
      feed(p, during, (at) => (at >= 110 && at < 115 ? fault : Quality.good));
      const within = quality(p);
      feed(p, isBlock ? 225 : 180, () => Quality.good);
      return [within, quality(p)];
    };
    t.same(seen(Quality.good), ['good', 'good'], value);
    t.same(seen(Quality.timeout), [gap, 'good'], `${value} with a gap`);
    t.same(seen(Quality.substituted), [doubt, 'good'], `${value} with doubt`);
  }
  t.end();
});

void t.test('with too little in it a slope or a scatter is not known', (t) => {
  for (const value of ['slope(X, 60s) * 1 s', 'noise(X, 60s)']) {
    const p = over(value);
    feed(p, 100, () => Quality.good);
    feed(p, 130, () => Quality.timeout);
    feed(p, 133, () => Quality.good);
    t.equal(quality(p), 'bad', `${value}: half of the minute is missing`);
    feed(p, 200, () => Quality.timeout);
    feed(p, 205, () => Quality.good);
    t.equal(quality(p), 'uncertain', `${value} begins anew after a gap longer than its window`);
  }
  t.end();
});

void t.test('a block that was not seen from its beginning is projected with doubt', (t) => {
  const p = over('projected(block(avg, X, 1min))', 60);
  feed(p, 90, () => Quality.good);
  t.equal(quality(p), 'uncertain');
  feed(p, 110, () => Quality.good);
  t.equal(quality(p), 'good');
  t.end();
});
