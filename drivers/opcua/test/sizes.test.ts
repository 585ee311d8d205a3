import t from 'tap';
import { GatewayError } from '../../../gateway/contract/index.js';
import { groupOf, Listener, never, readOne, Rig } from '../../../test/support/opcua-rig.js';
import { Seeded } from '../../../test/support/random.js';
import { waitFor } from '../../../test/support/wait.js';
import { RequestSizes, type Service } from '../library/sizes.js';

/** How much a server takes at once, found out where it does not say. */

const items = Array.from({ length: 300 }, (_, at) => at);

/** A server that takes so many at once, and says `why` to more. */
function takes(most: number, why: string, asked: number[] = []) {
  return (some: readonly number[]): Promise<readonly number[]> => {
    asked.push(some.length);
    if (some.length > most) return Promise.reject(new GatewayError('device-refused', why));
    return Promise.resolve(some.map((one) => one * 2));
  };
}

void t.test('a list is halved until the server takes it, and so it stays', async (t) => {
  const found = new Map<Service, number>();
  for (const why of [
    'BadTooManyOperations',
    'BadEncodingLimitsExceeded',
    'BadRequestTooLarge',
    'BadResponseTooLarge',
  ])
    for (const service of ['read', 'monitor', 'register', 'translate', 'history'] as const) {
      const sizes = new RequestSizes(new Map());
      const done = await sizes.each(service, items, takes(7, why), () => NaN);
      t.same(
        done,
        items.map((one) => one * 2),
        `${service}: ${why}`,
      );
    }
  const first = new RequestSizes(found);
  await first.each('read', items, takes(50, 'BadTooManyOperations'), () => NaN);
  t.equal(found.get('read'), 37, '300, 150, 75, 37');
  const asked: number[] = [];
  await new RequestSizes(found).each('read', items, takes(50, 'x', asked), () => NaN);
  t.ok(Math.max(...asked) <= 37, 'on the next connection nothing is tried again');
});

void t.test('whatever the limit, each item has its own answer', async (t) => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = new Seeded(seed);
    const most = random.int(0, 40);
    const heavy = new Set(items.filter(() => random.chance(0.02)));
    const call = (some: readonly number[]): Promise<readonly number[]> =>
      some.length > most || some.some((one) => heavy.has(one))
        ? Promise.reject(new GatewayError('device-refused', 'BadResponseTooLarge'))
        : Promise.resolve(some);
    const done = await new RequestSizes().each('read', items, call, () => -1);
    const wanted = items.map((one) => (heavy.has(one) || most === 0 ? -1 : one));
    if (JSON.stringify(done) !== JSON.stringify(wanted)) t.fail(`seed ${String(seed)}`);
  }
  t.pass('200 servers; one value that is too large alone is the end of no other');
});

void t.test('a server that is full keeps what it took; another trouble is no limit', async (t) => {
  const sizes = new RequestSizes();
  let room = 21;
  const asked: number[] = [];
  const call = (some: readonly number[]): Promise<readonly number[]> => {
    asked.push(some.length);
    if (some.length > room)
      return Promise.reject(new GatewayError('device-busy', 'BadTooManyMonitoredItems'));
    room -= some.length;
    return Promise.resolve(some);
  };
  const done = await sizes.each('monitor', items, call, () => -1);
  t.same(
    done,
    items.map((one) => (one < 21 ? one : -1)),
  );
  t.ok(asked.length < 20, 'what does not fit is not asked for one by one');
  t.equal(sizes.of('monitor'), 1_000, 'and the next request may be as long as ever');
  const lost = new GatewayError('link-closed', 'the connection broke');
  await t.rejects(
    sizes.each(
      'read',
      items,
      () => Promise.reject(lost),
      () => 0,
    ),
    lost,
  );
  t.equal(sizes.of('read'), 1_000);
});

void t.test('a connection that ends over a request: the next asks for less', async (t) => {
  const found = new Map<Service, number>();
  const cut = new GatewayError('bad-frame', 'BadTcpMessageTooLarge');
  await t.rejects(
    new RequestSizes(found).each(
      'read',
      items,
      () => Promise.reject(cut),
      () => 0,
    ),
    cut,
  );
  t.equal(new RequestSizes(found).of('read'), 150);
});

void t.test('an answer of another length is an answer to none', async (t) => {
  for (const more of [-1, 1]) {
    const call = (some: readonly number[]): Promise<readonly number[]> =>
      Promise.resolve(Array.from({ length: some.length + more }, () => 1));
    t.same(await new RequestSizes().each('read', [1, 2, 3], call, () => -1), [-1, -1, -1]);
  }
});

void t.test('one answer that is too long is asked for in smaller ones', async (t) => {
  const sizes = new RequestSizes();
  const call = (most: number): Promise<number> =>
    most > 30
      ? Promise.reject(new GatewayError('device-refused', 'BadResponseTooLarge'))
      : Promise.resolve(most);
  t.equal(await sizes.shortened('samples', call), 15);
  t.equal(sizes.of('samples'), 15);
  await t.rejects(
    sizes.shortened('browse', () =>
      Promise.reject(new GatewayError('device-refused', 'BadResponseTooLarge')),
    ),
    /BadResponseTooLarge/,
  );
});

void t.test('a real server whose limits nobody can read', async (t) => {
  const rig = await Rig.start(t, { hiddenLimit: 5 });
  const driver = await rig.connected(t, { publishing: '50ms', registerNodes: true });
  const names = [
    'Boolean',
    'SByte',
    'Byte',
    'Int16',
    'UInt16',
    'Int32',
    'UInt32',
    'Float',
    'Double',
  ];
  const tags = [...names, ...names].map((name, at) =>
    at < names.length
      ? rig.tag(`@${name}`)
      : rig.tag(`/nsu=urn:test:line;Line/nsu=urn:test:line;${name}`),
  );
  const listener = new Listener();
  t.same(await driver.subscribe?.(groupOf(tags), listener, never), []);
  await waitFor(() => listener.told.length >= tags.length, 'all are told', 10_000);
  t.equal(await readOne(driver, rig.tag('@Double')), Math.PI);
});
