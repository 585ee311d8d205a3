import t from 'tap';
import { Quality } from '../../gateway/contract/index.js';
import type { Dictionary } from '../../gateway/north/dictionary.js';
import { limits } from '../../gateway/limits.js';
import { TagList } from '../../gateway/run/tag-list.js';
import type { ImageCopy } from '../../gateway/run/wall/image-copy.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';

function dictionary(device: string, names: readonly string[], revision = 'r'): Dictionary {
  const tags = names.map((name) => ({ name, unit: 'bar', enum: { '7': 'seven' }, writable: true }));
  return { device, revision, names, json: JSON.stringify({ tags }) };
}

/** Values count the copies. */
function copyNumber(n: number, tags: string): ImageCopy {
  return {
    tags,
    at: 5_000,
    numbers: Float64Array.of(n, 7, 0, 0),
    qualities: Uint8Array.of(Quality.good, Quality.good, Quality.configuration, Quality.good),
    times: Float64Array.of(4_000, 5_000, 0, 4_990),
    kinds: Uint8Array.of(0, 0, 0, 3),
    wide: new Map([[3, 'text']]),
    refusals: new Map([[2, 'illegal address (2)']]),
  };
}

async function pass(clock: VirtualClock, ms: number): Promise<void> {
  for (const end = clock.mono() + ms; clock.mono() < end;) {
    await settle();
    await clock.run(clock.mono() + 100);
  }
}

void t.test('tags by pattern, in the order of the configuration', async (t) => {
  const clock = new VirtualClock();
  const dictionaries = [
    dictionary('D', ['a', 'b']),
    dictionary('E', ['c']),
    dictionary('rules', ['S']),
  ];
  const copy = (): Promise<ImageCopy> => Promise.resolve(copyNumber(1, 'D r,E r,rules r'));
  const list = new TagList({ clock, copy, dictionaries: () => dictionaries });
  const all = await list.list('*');
  t.same(
    all.map(({ name }) => name),
    ['D.a', 'D.b', 'E.c', 'S'],
  );
  t.match(all[0], {
    value: 1,
    unit: 'bar',
    quality: 'good',
    time: 4_000,
    ageMs: 1_000,
    writable: true,
  });
  t.match(all[1], { value: 7, text: 'seven' });
  t.match(all[2], { value: null, quality: 'bad', why: 'illegal address (2)', time: 0, ageMs: 0 });
  t.match(all[3], { value: 'text' });
  const some = list.list('D.?');
  await pass(clock, limits.imageCopyMs);
  t.same(
    (await some).map(({ name }) => name),
    ['D.a', 'D.b'],
  );
});

void t.test('however many ask, it is copied twice a second, and after they asked', async (t) => {
  const clock = new VirtualClock();
  let copies = 0;
  const copy = (): Promise<ImageCopy> => Promise.resolve(copyNumber(++copies, 'D r'));
  const list = new TagList({ clock, copy, dictionaries: () => [dictionary('D', ['a'])] });
  const answers: { readonly asked: number; readonly got: Promise<unknown> }[] = [];
  for (let i = 0; i < 1_000; i++) {
    answers.push({ asked: copies, got: list.list('D.a').then(([tag]) => tag?.value) });
    if (i % 100 === 99) await pass(clock, 100);
  }
  await pass(clock, 2_000);
  t.ok(copies <= 4, `${String(copies)} copies in a second`);
  for (const { asked, got } of answers) if (!(Number(await got) > asked)) t.fail('an old copy');
});

void t.test('a copy of other tags is none', async (t) => {
  const clock = new VirtualClock();
  let known = [dictionary('D', ['a'])];
  const copy = (): Promise<ImageCopy> => Promise.resolve(copyNumber(1, 'D new'));
  const list = new TagList({ clock, copy, dictionaries: () => known });
  const asked = list.list('*');
  await pass(clock, 600);
  known = [dictionary('D', ['b'], 'new')];
  await clock.run(2_000);
  t.same(
    (await asked).map(({ name }) => name),
    ['D.b'],
  );
  known = [dictionary('D', ['a'])];
  const never = list.list('*');
  never.catch(() => undefined);
  await pass(clock, 20_000);
  await t.rejects(never, { code: 'half-down' });
});
