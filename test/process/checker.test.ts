/** The process that reads and checks a configuration dies in the middle: the reload is refused, and what runs runs on. */
import t from 'tap';
import { childOf } from '../support/processes.js';
import { Station, tagOf } from '../support/station.js';
import { waitFor } from '../support/wait.js';

void t.test('a check that dies', { timeout: 120_000 }, async (t) => {
  const s = await Station.build(t);
  const gateway = await s.startGateway();
  await waitFor(async () => (await tagOf(gateway, 'FT101.flow')).quality === 'good', 'up', 10_000);
  t.equal(await childOf(gateway.child.pid, 'checker.js'), undefined, 'it ends when it has checked');
  const before = (await s.json('status')) as { config: string };

  const reload = s.cli('reload');
  const checker = await waitFor(
    () => childOf(gateway.child.pid, 'checker.js'),
    'a process that checks',
    10_000,
  );
  process.kill(checker, 'SIGKILL');
  const { code, stderr } = await reload;
  t.equal(code, 7, stderr);
  t.match(stderr, /could not be checked: .* was killed/);
  t.equal((await tagOf(gateway, 'FT101.flow')).quality, 'good');
  const after = (await s.json('status')) as { config: string };
  t.equal(after.config, before.config, 'the old one runs on');

  t.equal((await s.cli('reload')).code, 0, 'and the next one is checked');
  t.equal(await childOf(gateway.child.pid, 'checker.js'), undefined);
});
