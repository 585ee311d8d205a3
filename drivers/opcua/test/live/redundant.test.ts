/** Servers that say how well they serve, and passwords over channels without security. */
import { UserTokenType } from 'node-opcua';
import t, { type Test } from 'tap';
import { GatewayError, type Driver } from '../../../../gateway/contract/index.js';
import { never, readOne, Rig } from '../../../../test/support/opcua-rig.js';
import { UaServer, users } from '../../../../test/support/opcua-server.js';
import { freePort } from '../../../../test/support/scratch.js';
import { waitFor } from '../../../../test/support/wait.js';
import type { OpcuaAddress } from '../../index.js';
import { levelText, Round } from '../../service/service-level.js';

/** Two servers of one plant. */
async function pair(
  t: Test,
): Promise<{ rig: Rig; second: UaServer; link: Record<string, unknown> }> {
  const rig = await Rig.start(t);
  const port = await freePort();
  const second = await UaServer.start({ port, folder: rig.folder });
  t.teardown(() => second.stop());
  return { rig, second, link: { redundant: [`opc.tcp://127.0.0.1:${String(port)}/line`] } };
}

/** Connects as the host does: a new driver after each failure. @returns it, and what was said before */
async function connected(
  t: Test,
  rig: Rig,
  link: Record<string, unknown>,
): Promise<{ driver: Driver<OpcuaAddress>; refusals: readonly string[] }> {
  const refusals: string[] = [];
  for (let i = 0; i < 6; i++) {
    const driver = rig.driver(link);
    try {
      await driver.connect(never);
      t.teardown(() => driver.close());
      return { driver, refusals };
    } catch (thrown) {
      refusals.push((thrown as Error).message);
      await driver.close();
    }
  }
  throw new GatewayError('link-refused', refusals.join('\n'));
}

void t.test('a server without data is not taken while another one has some', async (t) => {
  const { rig, second, link } = await pair(t);
  rig.server.serviceLevel = 1;
  second.serviceLevel = 255;
  const { driver, refusals } = await connected(t, rig, link);
  t.match(refusals, ['the server has no data (ServiceLevel 1): the next one is asked']);
  t.equal(rig.memory.get('url'), (link['redundant'] as string[])[0]);
  second.serviceLevel = 0;
  let lost: GatewayError | undefined;
  driver.onLost((why) => (lost = why));
  rig.ahead += 11_000;
  await readOne(driver, rig.tag('@count', 'uint32'));
  await waitFor(() => lost !== undefined, 'the link goes on to the next one', 5_000);
  t.match(lost?.message, /maintained \(ServiceLevel 0\): the next one is asked/);
  rig.server.serviceLevel = 255;
  await driver.close(lost);
  await connected(t, rig, link);
  t.equal(rig.memory.get('url'), rig.url);
});

void t.test(
  'of servers that are not healthy the best one is taken, and that is said',
  async (t) => {
    const { rig, second, link } = await pair(t);
    rig.server.serviceLevel = 100;
    second.serviceLevel = 150;
    const { refusals } = await connected(t, rig, link);
    t.equal(refusals.length, 1);
    t.equal(rig.memory.get('url'), (link['redundant'] as string[])[0]);
    await waitFor(() => rig.notices.size > 0, 'it is said', 5_000);
    t.match([...rig.notices].join(), /not healthy \(ServiceLevel 150 of 255\)/);
  },
);

void t.test('one that is alone is taken as it is', async (t) => {
  const rig = await Rig.start(t);
  rig.server.serviceLevel = 1;
  const driver = await rig.connected(t);
  t.type(await readOne(driver, rig.tag('@count', 'uint32')), 'number');
  await waitFor(() => rig.notices.size > 0, 'it is said', 5_000);
});

void t.test('a round ends with the best that was reached', (t) => {
  const round = new Round();
  const urls = ['a', 'b', 'c'];
  round.trying('a');
  t.notOk(round.takes('a', 90, urls));
  round.trying('b');
  // It was not reached.
  round.trying('c');
  t.notOk(round.takes('c', 20, urls), 'a is better');
  round.trying('a');
  t.ok(round.takes('a', 90, urls));
  t.notOk(round.takes('a', 90, urls), 'a new round');
  t.equal(levelText(200), undefined);
  t.end();
});

void t.test('a password over a channel without security', async (t) => {
  const rig = await Rig.start(t);
  const [[user, password] = []] = Object.entries(users);
  const link = { security: { policy: 'None', allowWeak: true, user, password } };
  const driver = await rig.connected(t, link);
  t.type(
    await readOne(driver, rig.tag('@count', 'uint32')),
    'number',
    'encrypted by its own policy',
  );
  await driver.close();
  for (const endpoint of rig.server.server.endpoints)
    for (const description of endpoint.endpointDescriptions())
      for (const policy of description.userIdentityTokens ?? [])
        if (policy.tokenType === UserTokenType.UserName) policy.securityPolicyUri = null;
  await t.rejects(rig.driver(link).connect(never), /takes the password in clear/);
});
