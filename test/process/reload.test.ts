/**
 * The configuration is read again while everything runs: a bad file is refused as a whole and the old one
 * runs on; of a good one only what changed is restarted.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { GatewayProcess } from '../support/gateway.js';
import { Station, ruleStates, tagOf } from '../support/station.js';
import { waitFor } from '../support/wait.js';

async function stats(gateway: GatewayProcess): Promise<Record<string, unknown>> {
  const { links, health } = await gateway.status();
  return {
    ...Object.fromEntries(links.map(({ link, state }) => [link, state])),
    sessions: health.counters['sink_cloud_sessions'],
  };
}

void t.test('reload', { timeout: 120_000 }, async (t) => {
  const s = await Station.build(t);
  const gateway = await s.startGateway();
  const good = await readFile(s.file, 'utf8');
  const rulesFile = join(s.folder, 'rules', 'pump.yaml');
  const goodRules = await readFile(rulesFile, 'utf8');
  await waitFor(async () => (await tagOf(gateway, 'EM1.power')).quality === 'good', 'up', 10_000);
  await waitFor(async () => (await tagOf(gateway, 'FT101.flow')).quality === 'good', 'up', 10_000);
  const revision = ((await s.json('status')) as { config: string }).config;

  await t.test('a bad file is refused, all its problems are told', async (t) => {
    await writeFile(s.file, good.replace('unit: 8', 'unit: 800').replace('writes:', 'writess:'));
    await writeFile(rulesFile, goodRules.replace('FT101 < 5 m3/h or', 'FT1O1 < 5 m3/h or'));
    const refused = await s.cli('reload');
    t.equal(refused.code, 3);
    t.match(refused.stderr, /plant\.yaml:\d+:\d+/);
    t.equal((await tagOf(gateway, 'FT101.flow')).quality, 'good', 'the old one runs on');
    t.equal(((await s.json('status')) as { config: string }).config, revision);
    gateway.child.signal('SIGHUP');
    await waitFor(
      () => gateway.log.some(({ msg }) => msg.includes('is refused; the old one runs on')),
      'SIGHUP is refused too, in the log',
      10_000,
    );

    await writeFile(s.file, good);
    const rules = await s.cli('reload');
    t.equal(rules.code, 3, 'rules that do not compile');
    t.match(rules.stderr, /pump\.yaml:\d+:\d+.*FT1O1/);
    await writeFile(rulesFile, goodRules);

    await writeFile(s.file, good.replace('id: ps01', 'id: ps02'));
    const restart = await s.cli('reload');
    t.equal(restart.code, 3, 'what needs a restart is refused');
    t.match(restart.stderr, /gateway\.id/);
    await writeFile(s.file, good);
  });

  await t.test('a changed link is restarted alone', async (t) => {
    const before = await stats(gateway);
    const accepted = { station: s.servers.accepted(), metering: s.servers.meteringAccepted() };
    await writeFile(
      s.file,
      good.replace('scanClasses: { normal: 1s }', 'scanClasses: { normal: 500ms }'),
    );
    const done = await s.cli('reload');
    t.equal(done.code, 0, done.stderr);
    t.match(done.stdout, /linksChanged: metering/);
    await waitFor(
      () => s.servers.meteringAccepted() === accepted.metering + 1,
      'the meter is connected anew',
      10_000,
    );
    await waitFor(
      async () => (await tagOf(gateway, 'EM1.power')).quality === 'good',
      'good again',
      10_000,
    );
    t.equal(s.servers.accepted(), accepted.station, 'the station kept its connection');
    t.same(await stats(gateway), before, 'and the broker');
    t.equal((await tagOf(gateway, 'FT101.flow')).quality, 'good');
  });

  await t.test('changed rules leave all links alone', async (t) => {
    const accepted = [s.servers.accepted(), s.servers.meteringAccepted()];
    await writeFile(rulesFile, goodRules.replace('LT100-LOW', 'LT100-VERY-LOW'));
    gateway.child.signal('SIGHUP');
    await waitFor(
      async () => 'LT100-VERY-LOW' in (await ruleStates(gateway)),
      'SIGHUP brings the new rule',
      10_000,
    );
    t.notOk('LT100-LOW' in (await ruleStates(gateway)));
    t.same([s.servers.accepted(), s.servers.meteringAccepted()], accepted);
    const event = await waitFor(async () => s.last('event/config'), 'an event', 10_000);
    t.match(event, { text: /rules changed/, revision: String });
  });

  await t.test('a link is added and removed', async (t) => {
    const added = good.replace(
      'writes: #',
      `  second:
    driver: modbus
    endpoint: tcp://127.0.0.1:${String(s.servers.meteringPort)}
    timeout: 500ms
    scanClasses: { normal: 1s }
    devices:
      EM2: { unit: 1, profile: profiles/energy-meter.yaml }
writes: #`,
    );
    await writeFile(s.file, added);
    t.equal((await s.cli('reload')).code, 0);
    await waitFor(
      async () => (await tagOf(gateway, 'EM2.power')).quality === 'good',
      'it is polled',
      10_000,
    );
    await writeFile(s.file, good);
    t.match((await s.cli('reload')).stdout, /linksRemoved: second/);
    t.equal((await s.cli('read', 'EM2.power')).code, 5, 'its tags are gone');
    for (const topic of ['link/second/status', 'dev/EM2/status', 'dev/EM2/meta']) {
      await waitFor(async () => (await s.last(topic)) === undefined, `${topic} is gone`, 10_000);
    }
  });
  t.equal((await gateway.stop()).code, 0);
});
