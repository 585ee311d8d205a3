import t from 'tap';
import { learnedOf, type Learned, type SurveyPlan } from '../../gateway/config/learned.js';
import { namesByKeys } from '../../gateway/config/learned-names.js';
import type { FoundTag } from '../../gateway/contract/index.js';
import { plainName } from '../../drivers/opcua/survey/names.js';
import { Seeded } from '../support/random.js';

/**
 * A name that was learned stays with its node for ever. (The tree of a server changed between two starts: `F.n_` was 温度,
 * and then 流量, good all the time.)
 */

const words = ['温度', '压力', '流量', 'A.B', 'A_B', 'A B', 'Speed', 'speed', 'Ü', 'U', '...', ''];

function tagOf(node: number, called: string): FoundTag {
  const address = `nsu=urn:x;i=${String(node)}`;
  return { name: plainName(called), identity: address, keys: { address, type: 'float64' } };
}

function planOf(earlier: Learned | undefined, expansion: unknown): SurveyPlan {
  const before = earlier?.devices['D']?.from === JSON.stringify(expansion) ? earlier : undefined;
  const devices = [{ name: 'D', tags: [], expansion }];
  return { devices, learnsUnits: false, before, earlier } as unknown as SurveyPlan;
}

void t.test('whatever a tree becomes, a name never means another node', (t) => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = new Seeded(seed);
    /** What each name meant first. */
    const meant = new Map<string, unknown>();
    let tree = new Map<number, string>();
    let learned: Learned | undefined;
    for (let start = 0; start < 12; start++) {
      const next = new Map([...tree].filter(() => random.chance(0.8)));
      while (random.chance(0.7)) next.set(random.int(1, 60), random.pick(words));
      tree = new Map([...next].sort(() => random.next() - 0.5));
      // The expansion changes too, and `millrace learn` begins anew.
      const plan = planOf(learned, random.int(0, 2));
      const found = [...tree].map(([node, called]) => tagOf(node, called));
      const survey = { name: 'D', facts: [], found, remarks: [] };
      const before = random.chance(0.2) ? undefined : plan.before;
      learned = JSON.parse(JSON.stringify(learnedOf(plan, [survey], before))) as Learned;
      const tags = learned.devices['D']?.tags ?? {};
      for (const [name, { address }] of Object.entries(tags)) {
        if (!meant.has(name)) meant.set(name, address);
        if (meant.get(name) !== address) t.fail(`seed ${String(seed)}: ${name} has moved`);
        if (!/^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(name)) t.fail(`${name} is no name`);
      }
      const there = new Set(Object.values(tags).map(({ address }) => address));
      if (!found.every(({ keys }) => there.has(keys['address'] as string)))
        t.fail(`seed ${String(seed)}: a node has no tag`);
      if (there.size !== Object.keys(tags).length) t.fail('a node has two tags');
    }
  }
  t.pass('60 trees, twelve starts each');
  t.end();
});

void t.test('a file of an earlier version: names stay with the addresses that they had', (t) => {
  const found = [tagOf(3, '流量'), tagOf(1, '温度'), tagOf(2, '压力')];
  const old: Learned = {
    learned: 1,
    devices: {
      D: {
        from: '0',
        tags: {
          n_: { address: 'nsu=urn:x;i=1' },
          n__2: { address: 'nsu=urn:x;i=2' },
          LiuLiang: { address: 'nsu=urn:x;i=9' },
        },
        facts: {},
      },
    },
  };
  const survey = { name: 'D', facts: [], found, remarks: [] };
  const { tags } = learnedOf(planOf(old, 0), [survey], old).devices['D'] ?? { tags: {} };
  t.match(tags, {
    n_: { address: 'nsu=urn:x;i=1' },
    n__2: { address: 'nsu=urn:x;i=2' },
    LiuLiang: { address: 'nsu=urn:x;i=9' },
    LiuLiang_2: { address: 'nsu=urn:x;i=3' },
  });
  t.match(namesByKeys({ gone: { address: 'i=1' } }, []), { gone: /^gone / });
  t.end();
});

void t.test('names of all scripts can be told apart, and read where that is usual', (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['Line1_Speed', 'Line1_Speed'],
    ['Förderband Größe', 'Forderband_Grosse'],
    ['Ølpumpe', 'Olpumpe'],
    ['Łódź', 'Lodz'],
    ['Давление 2', 'Davlenie_2'],
    ['Объект', 'Obekt'],
    ['Ταχύτητα', 'Tachytita'],
    ['温度', 'WenDu'],
    ['1号泵出口压力', 'n1HaoBengChuKouYaLi'],
    ['がス', 'gasu'],
    ['강', 'Gang'],
    ['Ёмкость', 'Emkost'],
    ['\ue000', 'uE000'],
    ['T1 (°C)', 'T1_degC_'],
    ['1st', 'n1st'],
  ];
  for (const [called, name] of cases) t.equal(plainName(called), name);
  t.not(plainName('ที่'), plainName('ทา'), 'marks of other scripts count');
  t.end();
});
