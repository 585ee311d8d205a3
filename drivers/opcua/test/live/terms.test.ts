import t from 'tap';
import type { GatewayError } from '../../../../gateway/contract/index.js';
import { groupOf, Listener, never, readOne, Rig } from '../../../../test/support/opcua-rig.js';
import { elapse, waitFor } from '../../../../test/support/wait.js';
import type { SubscriptionAddress } from '../../plan/address.js';
import type { Monitored, UaSession } from '../../service/client.js';
import { failureOf } from '../../service/failures.js';
import { Item, ItemSet } from '../../subscriptions/items.js';
import { monitor } from '../../subscriptions/monitoring.js';
import { opcua } from '../../index.js';
import { Remarks } from '../../nodes/remarks.js';

/** Terms between client and server: what we ask for, and what the server makes of it. */

void t.test('a connection on which nothing is asked is idle, and not cut', async (t) => {
  const rig = await Rig.start(t);
  const driver = await rig.connected(t, { timeout: '1s' });
  const losses: GatewayError[] = [];
  driver.onLost((why) => losses.push(why));
  t.equal(await readOne(driver, rig.tag('@Double', 'float64', { scan: 'slow' })), Math.PI);
  await elapse(3_500);
  t.same(losses, [], 'three time-outs long nobody said anything');
  t.equal(await readOne(driver, rig.tag('@Double', 'float64', { scan: 'slow' })), Math.PI);
  t.equal(rig.server.sessions, 1, 'on the same session');
});

void t.test('keep-alives may be further apart than the time-out', async (t) => {
  const rig = await Rig.start(t);
  const link = { timeout: '1s', keepAlive: '2s', publishing: '100ms' };
  const driver = await rig.connected(t, link);
  const losses: GatewayError[] = [];
  driver.onLost((why) => losses.push(why));
  const listener = new Listener();
  await driver.subscribe?.(groupOf([rig.tag('@Double')]), listener, never);
  await waitFor(() => listener.beats >= 4, 'keep-alives', 15_000);
  t.same(losses, []);
});

void t.test('the interval that the server makes of ours is the one that counts', async (t) => {
  const rig = await Rig.start(t);
  // This server publishes every 50 ms at the fastest.
  const link = { publishing: '20ms', keepAlive: '500ms', timeout: '1s' };
  const driver = await rig.connected(t, link);
  const listener = new Listener();
  const tag = rig.tag('@Double', 'float64', { publishing: '20ms' });
  await driver.subscribe?.(groupOf([tag]), listener, never);
  t.equal(opcua.subscribed?.(rig.config(link), tag.address)?.alive, 2_500, 'as promised');
  t.equal(
    listener.longest,
    3 * 25 * 50 + 1_000,
    '25 keep-alives of 50 ms, three of which may fail',
  );
  t.match([...rig.notices], ['D the server publishes every 50 ms, not every 20 ms']);
  const same = await rig.connected(t, { keepAlive: '2s' });
  const kept = new Listener();
  await same.subscribe?.(groupOf([rig.tag('@Float')]), kept, never);
  t.equal(kept.longest, undefined, 'a server that keeps to it changes nothing');
});

void t.test('a session that the server keeps for less is kept alive by its terms', async (t) => {
  const rig = await Rig.start(t, { maxSessionTimeout: 2_000 });
  const driver = await rig.connected(t, { sessionTimeout: '60s' });
  const losses: GatewayError[] = [];
  driver.onLost((why) => losses.push(why));
  await elapse(4_000);
  t.same(losses, []);
  t.equal(rig.server.sessions, 1, 'twice its time later');
  await driver.subscribe?.(groupOf([rig.tag('@Double')]), new Listener(), never);
  t.match([...rig.notices], ['D the server keeps a session that is lost for 2000 ms only']);
});

const asked: SubscriptionAddress = {
  publishing: 1_000 as SubscriptionAddress['publishing'],
  sampling: 100 as SubscriptionAddress['sampling'],
  queue: 20,
  discardOldest: true,
  filter: { trigger: 'value', deadband: undefined },
};

/** What is said of an item for which the server makes these terms. */
async function shortfalls(
  terms: Partial<SubscriptionAddress>,
  made: { readonly sampling: number; readonly queue: number },
): Promise<readonly string[]> {
  const set = new ItemSet(
    { id: 1, expected: 1, safe: 1 },
    { asked: asked.publishing, interval: 1_000, alive: asked.publishing },
  );
  const subscription = { ...asked, ...terms };
  const base = { type: 'float64', aspect: 'value', range: undefined, field: [] } as const;
  const node = { kind: 'id', uri: undefined, ns: 1, id: 's=x' } as const;
  const address = { ...base, node, subscription, method: undefined };
  const items = ['D.a', 'D.b', 'D.c', 'D.d'].map((name) =>
    Object.assign(
      set.add((handle) => new Item(handle, name, address)),
      { name, device: 'D' },
    ),
  );
  const result: Monitored = {
    statusCode: { value: 0, name: 'Good' },
    monitoredItemId: 1,
    revisedSamplingInterval: made.sampling,
    revisedQueueSize: made.queue,
  };
  const session = {
    monitor: (_: number, some: readonly unknown[]) => Promise.resolve(some.map(() => result)),
  };
  const watched = await monitor(session as unknown as UaSession, set, items);
  return watched.shortfalls.map(({ text }) => text);
}

void t.test('a slower look and a shorter queue are said where they matter', async (t) => {
  t.same(await shortfalls({}, { sampling: 100, queue: 20 }), []);
  t.same(await shortfalls({}, { sampling: 104, queue: 20 }), [], 'rounded');
  t.same(await shortfalls({}, { sampling: 0, queue: 20 }), [], 'faster');
  t.same(await shortfalls({}, { sampling: -1, queue: 20 }), [], 'as it publishes, says no number');
  t.same(await shortfalls({}, { sampling: 500, queue: 20 }), [
    'the server looks every 500 ms, not every 100 ms: D.a, D.b, D.c and 1 more',
  ]);
  t.same(await shortfalls({}, { sampling: 100, queue: 10 }), [], 'ten come in one publishing');
  t.match(await shortfalls({}, { sampling: 100, queue: 1 }), [
    /keeps 1 samples .*, not 10: .*D\.a/,
  ]);
  const every = { sampling: 0 as SubscriptionAddress['sampling'], queue: 100 };
  t.match(await shortfalls(every, { sampling: 50, queue: 100 }), [/50 ms, not at every change/]);
  t.match(await shortfalls(every, { sampling: 0, queue: 1 }), [/keeps 1 samples .*, not 100/]);
});

void t.test('a remark is said again for as long as it holds', (t) => {
  const said: string[] = [];
  const tell = {
    notice: (device: string, text: string) => said.push(`${device} ${text}`),
    refusal: () => undefined,
  };
  const remarks = new Remarks();
  remarks.say(tell, 'D', 'a', 'slow');
  remarks.repeat(tell, 1_000_000);
  remarks.repeat(tell, 1_100_000);
  remarks.repeat(tell, NaN);
  t.same(said, ['D slow', 'D slow']);
  remarks.repeat(tell, 1_300_000);
  t.equal(said.length, 3);
  remarks.say(tell, 'D', 'a', undefined);
  remarks.repeat(tell, 2_000_000);
  t.equal(said.length, 3, 'it is over');
  t.end();
});

void t.test('who broke it off', (t) => {
  const text = (message: string): string => failureOf(new Error(message)).message;
  t.match(text('Connection Break'), /^the connection broke/);
  t.match(text('socket has been disconnected by third party'), /^the server broke/);
  t.end();
});
