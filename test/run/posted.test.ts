/** What was removed while nobody could say so: whoever begins next takes its topics down, and says nothing of it twice. */
import t from 'tap';
import { ms } from '../../gateway/contract/index.js';
import type { Config } from '../../gateway/config/model.js';
import type { MemoryStore } from '../../gateway/journal/memory-store.js';
import { Posted } from '../../gateway/run/posted.js';
import { device, Script, scriptedLink } from '../scan/script.js';
import { config } from '../support/config.js';
import { VirtualClock } from '../support/virtual-clock.js';
import type { GoodBroker } from './rig.js';
import { gateway, type Gateway } from './rig.js';

const alarmOf = (id: string, tag: string): Config['rules'][number] => ({
  file: 'r.yaml',
  index: 0,
  rule: { alarm: id, when: `${tag} >= 0`, priority: 'low' },
});

/** What a late viewer gets: the last message of each topic. */
function retained(brokers: readonly GoodBroker[]): ReadonlyMap<string, string> {
  const all = brokers.flatMap(({ messages }) => messages).filter(({ retain }) => retain);
  return new Map(all.map(({ topic, payload }) => [topic, String(payload)]));
}

class Plant {
  readonly clock = new VirtualClock();
  readonly brokers: GoodBroker[] = [];
  #store: MemoryStore | undefined;

  async start(links: readonly string[], alarms: readonly string[]): Promise<Gateway> {
    const script = new Script(this.clock);
    const g = await gateway(
      config({
        links: links.map((name) =>
          scriptedLink(name, script, [
            device(name.toUpperCase(), name, [1, 2], { period: ms(100) }),
          ]),
        ),
        rules: alarms.map((id) => alarmOf(id, `${links[0]?.toUpperCase() ?? ''}.t1`)),
      }),
      this.clock,
      {},
      this.#store,
    );
    this.#store = g.store;
    this.brokers.push(g.broker);
    return g;
  }

  /** Topics of the gateway under which something stands. */
  get standing(): readonly string[] {
    return [...retained(this.brokers)]
      .filter(([, payload]) => payload !== '')
      .map(([topic]) => topic.slice('edge/g1/'.length))
      .filter((topic) => /^(link|dev|alarm)\//.test(topic))
      .sort();
  }
}

const ofA = ['dev/A/meta', 'dev/A/status', 'link/a/status'];
const ofB = ['dev/B/meta', 'dev/B/status', 'link/b/status'];

void t.test('a restart over another configuration', async (t) => {
  const plant = new Plant();
  let g = await plant.start(['a', 'b'], ['HIGH', 'LOW']);
  await g.pass(40_000);
  t.same(plant.standing, ['alarm/HIGH', 'alarm/LOW', ...ofA, ...ofB].sort(), 'premise');
  await g.stop();
  g = await plant.start(['a'], ['LOW']);
  await g.pass(100_000);
  t.same(plant.standing, ['alarm/LOW', ...ofA].sort());
  await g.stop();
  g = await plant.start(['a'], ['LOW']);
  await g.pass(100_000);
  const empty = g.broker.messages.filter(({ retain, payload }) => retain && payload === '');
  t.same(empty, [], 'what is down is not said again');
  t.same(plant.standing, ['alarm/LOW', ...ofA].sort());
  await g.stop();
});

void t.test('the names are kept until each broker knows, whatever lies in the journal', (t) => {
  for (const before of ['', '{', 'null', '7', '{"link":3}', '{"link":[null,"x"]}']) {
    const rows = new Map([['posted', before]]);
    const journal = {
      getState: (key: string): string | undefined => rows.get(key),
      stage: (key: string, json: string | undefined): void => void rows.set(key, json ?? ''),
    };
    const open = (): Posted => new Posted(journal, { soon: (run) => run() });
    let posted = open();
    posted.add('link', 'a');
    posted.add('link', 'b');
    posted = open();
    t.ok(posted.without('link', new Set(['a'])).includes('b'), before);
    posted.settle(() => false);
    posted = open();
    t.ok(posted.without('link', new Set(['a'])).includes('b'), 'again: nobody knows');
    posted.settle((_kind, name) => name !== 'x');
    t.notOk(
      open()
        .without('link', new Set(['a']))
        .includes('b'),
      'known',
    );
    posted.add('link', 'b');
    posted.settle(() => true);
    t.ok(open().without('link', new Set()).includes('b'), 'it is back');
  }
  t.end();
});
