/** Devices that push, as the configuration sees them: no scan, no share of the line, and perhaps no sign of life. */
import t from 'tap';
import { budgetOf } from '../../gateway/config/budget.js';
import { formatProblem } from '../../gateway/config/format.js';
import { messagesPerSecond } from '../../gateway/config/outage.js';
import { ms, type DriverModule, type Subscribed } from '../../gateway/contract/index.js';
import { TagTable } from '../../gateway/tags/table.js';
import { fake, good, load } from './fakes.js';

/** Addresses from 1,000 on are pushed; each request takes 100 ms of the line. */
function pushing(terms: Subscribed): DriverModule {
  return {
    ...fake,
    name: 'pushing',
    plan: (_config, tags) =>
      tags.map((tag) => ({ label: tag.name, device: tag.device, tags: [tag] })),
    lineTime: () => ms(100),
    subscribed: (_config, address) =>
      (address as { address: string }).address.length > 3 ? terms : undefined,
  };
}

const plantOf = (tags: string): string =>
  `millrace: 1\ngateway: { id: g }\nlinks:\n  L: { driver: pushing, endpoint: 'tcp://h', scanClasses: { default: 1s }, devices: { D: { unit: 1, tags: { ${tags} } } } }\n`;
const scanned = 'a: { address: 7, type: uint16 }';
const pushed = 'b: { address: 1000, type: uint16 }';
const silent: Subscribed = { interval: ms(0), alive: 'never' };

void t.test('what is pushed takes no time of the line', async (t) => {
  const drivers = [pushing(silent)];
  const both = await good(plantOf(`${scanned}, ${pushed}`), { drivers });
  t.same(both.warnings, []);
  const [link] = both.config.links;
  t.match(link && budgetOf(link), { share: 0.1, classes: [{ scanClass: 'default', requests: 1 }] });
  const only = await good(plantOf(pushed), { drivers });
  t.same(only.config.links.map(budgetOf), [undefined], 'a link that only pushes has no budget');
  t.equal(messagesPerSecond(both.config.links), 1, 'how often it pushes is unknown, not endless');
  t.equal(messagesPerSecond(only.config.links), 0);
});

void t.test('what is pushed at intervals counts for an outage', async (t) => {
  const drivers = [pushing({ interval: ms(250), alive: ms(1_000) })];
  const { config } = await good(plantOf(`${scanned}, ${pushed}`), { drivers });
  t.equal(messagesPerSecond(config.links), 5);
  t.match(config.links.map(budgetOf), [{ share: 0.1 }], 'but not for the line');
});

void t.test('stale where there is no sign of life', async (t) => {
  const stale = 'b: { address: 1000, type: uint16, stale: 1h }';
  const staleOf = async (tags: string, terms: Subscribed): Promise<unknown> => {
    const { config } = await good(plantOf(tags), { drivers: [pushing(terms)] });
    return config.links[0]?.devices[0]?.tags[0]?.stale;
  };
  t.equal(await staleOf(pushed, silent), Infinity, 'never, unless the tag says so');
  t.equal(await staleOf(stale, silent), 3_600_000, 'and it may say anything');
  const alive = ms(7_200_000);
  t.equal(await staleOf(pushed, { interval: ms(0), alive, event: true }), Infinity, 'events');
  t.equal(await staleOf(stale, { interval: ms(0), alive, event: true }), 3_600_000);
  t.equal(await staleOf(pushed, { interval: ms(0), alive }), 10_800_000);
  const loaded = await load(plantOf(stale), { drivers: [pushing({ interval: ms(0), alive })] });
  t.match(
    loaded.ok ? [] : loaded.problems.map(formatProblem),
    [/stale before the next word of it \(7200000ms\)/],
    'a sign of life that comes later is a mistake',
  );
});

void t.test('without an interval there is no period for rules to count with', async (t) => {
  const { config } = await good(plantOf(`${pushed}, ${scanned}`), { drivers: [pushing(silent)] });
  const table = new TagTable(config.links[0]?.devices ?? [], new Map());
  t.same(
    table.tags.map(({ period }) => period),
    [undefined, 1_000],
  );
  t.same([...table.stales], [Infinity, 3_000]);
});
