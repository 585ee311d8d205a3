/** What is replayed: every sample that is on disk or on its way there, once and in order. */
import t from 'tap';
import { pastPage, type PastPage, type PastSample } from '../../gateway/journal/past.js';
import { Quality } from '../../gateway/contract/index.js';
import { block, rig, type Rig } from './rig.js';

const names = (): readonly string[] => ['x', 'y'];

async function all(r: Rig): Promise<{ samples: readonly PastSample[]; pages: number }> {
  const samples: PastSample[] = [];
  let pages = 0;
  for (let from: number | undefined = 0; from !== undefined; pages++) {
    const page: PastPage = await pastPage({ disk: r.journal.disk, names }, from);
    samples.push(...page.samples);
    from = page.next;
  }
  return { samples, pages };
}

void t.test(
  'page by page, with what is not on disk yet, and without what rules made',
  async (t) => {
    const r = await rig({ keepHistory: true });
    for (let i = 0; i < 30; i++) {
      // Records of another class lie between them: their segments interleave.
      void r.journal.appendRecord('event', '{}', 0);
      r.journal.appendBlock(block(1, 2 * i), 0);
      void r.journal.appendRecord('event', '{}', 0);
      r.journal.appendBlock(block(1, 2 * i + 1), 0);
      r.journal.appendBlock(block(1, -1, 'derived', 'rules'), 0);
      if (i < 29) await r.pass(1_100);
    }
    const { samples, pages } = await all(r);
    t.same(
      samples.map(([, , value]) => value),
      Array.from({ length: 60 }, (_, i) => i),
    );
    t.ok(pages >= 29, `${String(pages)} pages`);
    t.same(samples[0], [5, 'D.x', 0, Quality.good]);

    const again = await r.crash({ keepHistory: true });
    const found = (await all(again)).samples.map(([, , value]) => value);
    t.same(found, Array.from(found.keys()), 'after a crash what was on disk, from the first on');
    t.ok(found.length >= 58);
  },
);

void t.test('a bad sample has no value; one of an unknown dictionary is left out', async (t) => {
  const r = await rig();
  r.journal.appendBlock({ ...block(3), qualities: Uint8Array.of(0, Quality.timeout, 0) }, 0);
  const { samples } = await all(r);
  t.same(samples, [
    [5, 'D.x', 1, Quality.good],
    [5, 'D.y', null, Quality.timeout],
  ]);
  const unknown = await pastPage({ disk: r.journal.disk, names: () => undefined }, 0);
  t.same(unknown, { samples: [], next: undefined });
});
