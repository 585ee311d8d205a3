/** What was stored and never sent is lost with the journal: it goes with a word, not without. */
import t from 'tap';
import { config, link, tag } from '../support/config.js';
import { StateFolder } from '../support/memory-files.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { Script } from '../scan/script.js';
import { gateway, type Gateway } from './rig.js';

void t.test('a journal that is gone is an event and a gap of what was not sent', async (t) => {
  const clock = new VirtualClock();
  const script = new Script(clock);
  const tags = [tag('D', 'x', 'a')];
  script.values.set('D.x', 1);
  const device = { name: 'D', link: 'a', tags, primary: undefined, events: undefined };
  const keys = { device: () => ({}), tag: () => ({ address: 1 }) };
  const plant = config({ links: [link('a', script.module, 'sim://a', [device], keys)] });
  const folder = new StateFolder();
  const start = (): Promise<Gateway> => gateway(plant, clock, { memoryFiles: folder.open() });

  const first = await start();
  await first.pass(5_000);
  await first.stop();
  t.notMatch(
    JSON.stringify(first.broker.messages),
    'journal-gone',
    'a first start has lost nothing',
  );

  const second = await start();
  await second.pass(5_000);
  const said = second.broker.messages.map(({ topic, payload }) => `${topic} ${String(payload)}`);
  const event = said.find((line) => line.includes('journal-gone'));
  t.match(event, /event.*the journal of epoch \d+ is gone: what was not sent of it is lost/);
  const gap = said.find((line) => line.includes('/gap'));
  t.match(gap, /"why":"gone"/);
  await second.stop();
});
