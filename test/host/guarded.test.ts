/** A driver that is not ours is held to its contract, wherever it runs. */
import t from 'tap';
import {
  asGatewayError,
  Batch,
  GatewayError,
  type Driver,
  type SubscriptionSink,
} from '../../gateway/contract/index.js';
import { guarded } from '../../gateway/host/guarded.js';

const never = new AbortController().signal;
const tag = { tag: 0, name: 'D.a', device: 'D', type: 'float64', address: 'a' } as const;
const group = { label: 'g', device: 'D', tags: [tag] };

function driver(change: Partial<Record<keyof Driver, unknown>>): Driver {
  return {
    connect: () => Promise.resolve(),
    read: () => Promise.resolve('done'),
    onLost: () => undefined,
    close: () => Promise.resolve(),
    ...change,
  } as Driver;
}

void t.test('what it throws is a rejection, and says where', async (t) => {
  const boom = (): never => {
    throw new TypeError('boom');
  };
  const rejecting = (): Promise<never> => Promise.reject(new TypeError('boom'));
  for (const odd of [boom, rejecting]) {
    const all = { connect: odd, read: odd, write: odd, subscribe: odd, inspect: odd };
    const one = guarded(
      () => driver({ ...all, survey: odd, acknowledge: odd, listen: odd }),
      'odd',
    );
    const calls: Record<string, () => Promise<unknown> | undefined> = {
      connect: () => one.connect(never),
      read: () => one.read(group, new Batch(1), never),
      write: () => one.write?.(tag, 1, never),
      subscribe: () => one.subscribe?.(group, {} as SubscriptionSink, never),
      inspect: () => one.inspect?.(tag, never),
      survey: () => one.survey?.([], never),
      acknowledge: () => one.acknowledge?.('D', 'c', 'e', '', never),
      listen: () => one.listen?.('D', {} as never, {} as never, never),
    };
    for (const [name, call] of Object.entries(calls))
      await t.rejects(call() ?? Promise.resolve(), {
        code: 'driver-failed',
        message: `${name} of the driver odd: boom`,
      });
  }
  t.throws(() => guarded(boom, 'odd'), { message: 'create of the driver odd: boom' });
  t.throws(() => guarded(() => ({}) as Driver, 'odd'), { code: 'driver-failed' });
  const closing = guarded(() => driver({ onLost: boom }), 'odd');
  t.throws(() => closing.onLost(() => undefined), { message: 'onLost of the driver odd: boom' });
});

void t.test('answers that the contract does not know are failures', async (t) => {
  for (const nonsense of [undefined, null, 42, 'done?', [], { ok: 'yes' }, { ok: false }]) {
    const odd = (): Promise<unknown> => Promise.resolve(nonsense);
    const all = { read: odd, write: odd, inspect: odd, listen: odd, acknowledge: odd };
    const one = guarded(() => driver(all), 'odd');
    const failed = { code: 'driver-failed', message: /gives what the contract does not know/ };
    await t.rejects(one.read(group, new Batch(1), never), failed);
    await t.rejects(async () => {
      await one.write?.(tag, 1, never);
    }, failed);
    await t.rejects(async () => {
      await one.inspect?.(tag, never);
    }, failed);
    await t.rejects(async () => {
      await one.acknowledge?.('D', 'c', 'e', '', never);
    }, failed);
    await t.rejects(async () => {
      await one.listen?.('D', {} as never, {} as never, never);
    }, failed);
  }
  for (const nonsense of [undefined, 42, [1], [-1], ['0'], [0.5]]) {
    const subscribe = (): Promise<unknown> => Promise.resolve(nonsense);
    const one = guarded(() => driver({ subscribe }), 'odd');
    const sink = {} as SubscriptionSink;
    await t.rejects(
      async () => {
        await one.subscribe?.(group, sink, never);
      },
      { code: 'driver-failed' },
    );
  }
  const well = guarded(
    () => driver({ write: () => Promise.resolve({ ok: false, code: 'no' }) }),
    'x',
  );
  t.same(await well.write?.(tag, 1, never), { ok: false, code: 'no' });
});

void t.test('nobody is called back after it was closed', async (t) => {
  let lost: (why: unknown) => void = () => undefined;
  let sink: SubscriptionSink | undefined;
  const one = guarded(
    () =>
      driver({
        onLost: (handler: typeof lost) => void (lost = handler),
        subscribe: (_: unknown, to: SubscriptionSink) => {
          sink = to;
          return Promise.resolve([]);
        },
      }),
    'odd',
  );
  const heard: unknown[] = [];
  one.onLost((why) => heard.push(why.code));
  const hears = { samples: () => heard.push('samples'), alive: () => heard.push('alive') };
  await one.subscribe?.(group, hears, never);
  const go = (): void => {
    lost(new TypeError('x'));
    sink?.samples({} as never);
    sink?.alive();
  };
  go();
  t.same(heard, ['driver-failed', 'samples', 'alive']);
  await one.close();
  go();
  t.equal(heard.length, 3);
});

void t.test('an error of another copy of the contract keeps its code', (t) => {
  const foreign = (code: string): Error =>
    Object.assign(new Error('no'), { name: 'GatewayError', code });
  t.match(asGatewayError(foreign('auth-failed')), {
    code: 'auth-failed',
    kind: 'auth',
    message: 'no',
  });
  t.match(asGatewayError(foreign('constructor')), { code: 'internal' });
  t.match(asGatewayError(Object.create(null)), { code: 'internal' });
  const own = new GatewayError('link-closed', 'x');
  t.equal(asGatewayError(own), own);
  t.end();
});
