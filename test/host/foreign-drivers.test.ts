/** A driver of a package in a thread of its own: it works unchanged, and what it does there stays there. */
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import {
  Batch,
  GatewayError,
  silentLog,
  type ByteStream,
  type Driver,
  type DriverContext,
  type DriverModule,
  type Endpoint,
  type ReadGroup,
} from '../../gateway/contract/index.js';
import { systemClock, systemRandom } from '../../gateway/host/clock.js';
import { ForeignDrivers } from '../../gateway/host/foreign-drivers.js';
import { DriverMaker } from '../../gateway/host/isolated.js';
import { openStream } from '../../gateway/host/open.js';
import { limits } from '../../gateway/limits.js';
import { installPackage, oddModule, passingOn } from '../support/driver-package.js';
import { EchoServer } from '../support/echo.js';
import { scratch } from '../support/scratch.js';
import { waitFor } from '../support/wait.js';

interface Rig {
  readonly module: DriverModule;
  readonly maker: DriverMaker;
  readonly echo: EchoServer;
  /** What went over its streams, as the host saw it. */
  readonly wire: string[];
  readonly made: (settings: Record<string, unknown>, change?: Partial<DriverContext>) => Driver;
}

const never = new AbortController().signal;

async function oddOf(drivers: ForeignDrivers, inProcess: boolean): Promise<DriverModule> {
  const module = await drivers.driver('odd', inProcess);
  if (!module) throw new GatewayError('internal', 'it is installed');
  return module;
}

async function rig(t: Test, inProcess: boolean, source = passingOn(oddModule)): Promise<Rig> {
  const folder = await scratch(t);
  await installPackage(folder, 'odd', source);
  const drivers = new ForeignDrivers([folder]);
  const maker = new DriverMaker(folder, silentLog);
  const echo = await EchoServer.start(t);
  t.teardown(async () => {
    await maker.end();
    await drivers.close();
  });
  const module = await oddOf(drivers, inProcess);
  const wire: string[] = [];
  const { port } = echo;
  const text = `tcp://127.0.0.1:${String(port)}`;
  const endpoint: Endpoint = { scheme: 'tcp', host: '127.0.0.1', port, text };
  const context: DriverContext = {
    endpoint,
    log: silentLog,
    random: systemRandom,
    memory: new Map(),
    now: () => systemClock.mono(),
    refusal: () => undefined,
    expires: () => undefined,
    count: () => undefined,
    notice: () => undefined,
    open: async (...to) => heard(await openStream(...to), wire),
  };
  return {
    module,
    maker,
    echo,
    wire,
    made: (settings, change = {}) => {
      const parsed = module.parseLink(settings, endpoint);
      if (!parsed.ok) throw new GatewayError('internal', 'not parsed');
      return maker.create(module, parsed.value, { ...context, ...change });
    },
  };
}

function heard(stream: ByteStream, wire: string[]): ByteStream {
  return {
    ...stream,
    onBytes: (handler) =>
      stream.onBytes((bytes) => {
        wire.push(`< ${bytes.join()}`);
        handler(bytes);
      }),
    onEnd: (handler) => stream.onEnd(handler),
    write: (bytes) => {
      wire.push(`> ${bytes.join()}`);
      stream.write(bytes);
    },
    close: () => {
      wire.push('closed');
      stream.close();
    },
  };
}

for (const inProcess of [false, true])
  void t.test(`it works unchanged ${inProcess ? 'in the process' : 'in a thread'}`, async (t) => {
    const { module, made, echo, wire } = await rig(t, inProcess);
    const parsed = module.parseLink({ place: 'nowhere' }, undefined);
    t.match(parsed, { ok: true, value: { place: 'nowhere', misdeed: 'throw', after: 0 } });
    const config = parsed.ok ? parsed.value : undefined;
    const address = module.parseTag(config, {}, { type: 'float64', address: 'told' });
    t.same(address, { ok: true, value: 'told' });
    t.match(module.limits(config), { inFlight: 1, afterTimeout: 'reconnect' });
    t.equal(module.limits(config), module.limits(config), 'asked once');
    t.match(module.subscribed?.(config, 'told'), { interval: 100 });
    t.equal(module.subscribed?.(config, 'a'), undefined);
    t.equal(module.describe?.(config, Uint8Array.of(1, 2), true), '2 bytes');
    const tag = { tag: 4, name: 'D.a', device: 'D', type: 'float64', address: 'a' } as const;
    const [group] = module.plan(config, [tag], []);
    t.equal(group?.tags[0], tag, 'the groups have the tags that were given');
    t.equal(module.lineTime?.(config, group as ReadGroup<unknown>), 1);

    const driver = made({ place: 'nowhere' });
    const losses: GatewayError[] = [];
    driver.onLost((why) => losses.push(why));
    await driver.connect(never);
    t.equal(echo.connections, 1);
    const batch = new Batch(1);
    batch.begin(0 as never);
    t.equal(await driver.read(group as ReadGroup<unknown>, batch, never), 'done');
    t.same([batch.numbers[0], batch.qualities[0]], [1, 0]);
    t.same(wire, ['> 1', '< 1'], 'the host sees the bytes');
    t.match(await driver.write?.(tag, 5, never), { ok: true });
    const told: number[] = [];
    const sink = {
      samples: ({ numbers }: { numbers: ArrayLike<number> }) => void told.push(numbers[0] ?? 0),
      alive: () => undefined,
    };
    t.same(await driver.subscribe?.(group as ReadGroup<unknown>, sink, never), []);
    await waitFor(() => told.length === 1, 'a sample', 5_000);
    await driver.close();
    await waitFor(() => echo.connections === 0, 'its stream is closed', 5_000);
    t.same(losses, []);
  });

void t.test('a stream that ends, an abort, and a refusal cross the thread', async (t) => {
  const { made, wire, echo } = await rig(t, false);
  const driver = made({ place: 'end', misdeed: 'print' });
  const losses: GatewayError[] = [];
  driver.onLost((why) => losses.push(why));
  await driver.connect(never);
  const tag = { tag: 0, name: 'D.a', device: 'D', type: 'float64', address: 'a' } as const;
  const group = { label: 'g', device: 'D', tags: [tag] };
  for (let i = 0; i < 3; i++) await driver.read(group, new Batch(1), never);
  await waitFor(() => losses.length > 0, 'it is told that the peer has gone', 5_000);
  t.match(losses, [{ code: 'link-closed', message: /closed the connection/ }]);

  const refused = made({}, { open: () => Promise.reject(new GatewayError('link-refused', 'no')) });
  await t.rejects(refused.connect(never), { code: 'link-refused', message: 'no' });

  let opened: (stream: ByteStream) => void = () => undefined;
  const late = made({}, { open: () => new Promise((resolve) => void (opened = resolve)) });
  const controller = new AbortController();
  const connecting = late.connect(controller.signal);
  await pause(50);
  controller.abort(new GatewayError('connect-timeout', 'too late'));
  await t.rejects(connecting, { code: 'connect-timeout' });
  await pause(50);
  let closed = 0;
  opened({
    onBytes: () => undefined,
    onEnd: () => undefined,
    write: () => undefined,
    close: () => closed++,
  });
  await waitFor(() => closed === 1, 'a connection that comes too late is closed', 5_000);
  t.ok(wire.length > 0 && echo.connections === 0);
});

void t.test('what is not taken is not collected without end', async (t) => {
  const { made } = await rig(t, false);
  let bytes: (piece: Uint8Array) => void = () => undefined;
  let closed = 0;
  const flood: ByteStream = {
    onBytes: (handler) => void (bytes = handler),
    onEnd: () => undefined,
    write: () => undefined,
    close: () => closed++,
  };
  const driver = made({ place: 'bytes', misdeed: 'block' }, { open: () => Promise.resolve(flood) });
  const losses: GatewayError[] = [];
  driver.onLost((why) => losses.push(why));
  await driver.connect(never);
  for (let sent = 0; sent <= limits.streamBytes && closed === 0; sent += 16_384)
    bytes(new Uint8Array(16_384));
  t.equal(closed, 1, 'the stream is closed');
  t.match(losses, [{ code: 'too-many' }]);
});

void t.test(
  'a function that blocks is given up with its thread, and asked again after a reload',
  async (t) => {
    const folder = await scratch(t);
    await installPackage(folder, 'odd', passingOn(oddModule));
    const drivers = new ForeignDrivers([folder]);
    t.teardown(() => drivers.close());
    const module = await oddOf(drivers, false);
    const parsed = module.parseLink({ place: 'plan', misdeed: 'block' }, undefined);
    const config = parsed.ok ? parsed.value : undefined;
    const begun = performance.now();
    t.throws(() => module.plan(config, [], []), {
      code: 'driver-died',
      message: /plan did not answer within 2000 ms, and was given up/,
    });
    const took = performance.now() - begun;
    t.ok(took < limits.driverAnswerMs + 1_000, `the house waited for ${took.toFixed(0)} ms`);
    const again = performance.now();
    for (let i = 0; i < 100; i++)
      t.throws(() => module.plan(config, [], []), { code: 'driver-died' });
    t.ok(performance.now() - again < 500, 'and never again');
    const reloaded = await oddOf(drivers, false);
    t.not(reloaded, module);
    t.ok(reloaded.parseLink({}, undefined).ok, 'a reload asks anew');
  },
);

void t.test('what cannot be copied is refused by name', async (t) => {
  const odd = (value: string): string =>
    `import { driver as well } from ${JSON.stringify(oddModule)};
     class Line { #speed = 1; }
     const circle = {}; circle.circle = circle;
     export const driver = { ...well, parseLink: () => ({ ok: true, value: ${value} }) };`;
  for (const [value, where] of [
    ['{ parse: () => 1 }', '.value.parse'],
    ['{ line: new Line() }', '.value.line'],
    ['{ of: new Map([["a", Symbol()]]) }', '.value.of'],
    ['circle', '.value.circle'],
  ] as const) {
    const { module } = await rig(t, false, odd(value));
    t.throws(() => module.parseLink({}, undefined), {
      code: 'driver-failed',
      message: new RegExp(`parseLink of the driver odd: gives what cannot be copied .*at ${where}`),
    });
    const here = await rig(t, true, odd(value));
    t.ok(here.module.parseLink({}, undefined).ok, 'in the process nothing is copied');
  }
  const plain = '{ a: 1n, b: [new Date(0), /x/, Uint8Array.of(1)], c: new Set([1]), d: null }';
  const { module } = await rig(t, false, odd(plain));
  t.match(module.parseLink({}, undefined), { ok: true, value: { a: 1n, d: null } });
});

void t.test('a plan has each tag once, and only tags that were given', async (t) => {
  const plan = (tags: string): string =>
    `import { driver as well } from ${JSON.stringify(oddModule)};
     export const driver = { ...well, plan: (_, all) => [{ label: 'g', device: 'D', tags: ${tags} }] };`;
  const tag = { tag: 7, name: 'D.a', device: 'D', type: 'float64', address: 'a' } as const;
  for (const inProcess of [false, true])
    for (const tags of ['[...all, ...all]', '[{ tag: 8 }]', '[{ ...all[0], tag: 99 }]']) {
      const { module } = await rig(t, inProcess, plan(tags));
      t.throws(() => module.plan({}, [tag], []), {
        code: 'driver-failed',
        message: /plan of the driver odd: "g" has a tag twice, or one that is not of D/,
      });
    }
});

void t.test(
  'what a driver says without end, or what cannot be heard, is its own trouble',
  async (t) => {
    const source = `import { driver as well } from ${JSON.stringify(oddModule)};
    export const driver = { ...well, create: (config, context) => {
      for (let i = 0; i < 20_000; i++) context.count('late', 'D', 1);
      const made = well.create(config, context);
      return { connect: (signal) => made.connect(signal), onLost: (handler) => made.onLost(handler),
        close: () => made.close(), read: async () => { context.notice('D', 'odd'); return 'done'; } };
    } };`;
    const { made } = await rig(t, false, source);
    let counts = 0;
    const driver = made(
      {},
      {
        count: () => {
          counts++;
        },
        notice: () => {
          throw new TypeError('nobody understands this');
        },
      },
    );
    const losses: GatewayError[] = [];
    driver.onLost((why) => losses.push(why));
    await driver.connect(never);
    t.equal(counts, limits.threadChatter, 'the rest was shed');
    const tag = { tag: 0, name: 'D.a', device: 'D', type: 'float64', address: 'a' } as const;
    await driver.read({ label: 'g', device: 'D', tags: [tag] }, new Batch(1), never);
    t.match(losses, [{ message: 'nobody understands this' }], 'its link is told, and no other');
  },
);

void t.test(
  'what it writes without end is refused, and what it leaves open is closed',
  async (t) => {
    const source = `import { driver as well } from ${JSON.stringify(oddModule)};
    export const driver = { ...well, create: (config, context) => {
      const made = well.create(config, context);
      let stream;
      return { onLost: (handler) => made.onLost(handler), close: async () => {},
        connect: async (signal) => { stream = await context.open(context.endpoint, signal); },
        read: async () => { for (;;) stream.write(new Uint8Array(1_000)); } };
    } };`;
    const { made, echo } = await rig(t, false, source);
    const driver = made({});
    driver.onLost(() => undefined);
    await driver.connect(never);
    await t.rejects(driver.read({ label: 'g', device: 'D', tags: [] }, new Batch(0), never), {
      code: 'too-many',
    });
    t.equal(echo.connections, 1);
    await driver.close();
    await waitFor(() => echo.connections === 0, 'its stream is closed', 5_000);
  },
);

void t.test(
  'one that hangs a thread has it to itself from then on',
  { timeout: 60_000 },
  async (t) => {
    const { made } = await rig(t, false);
    const tag = { tag: 0, name: 'D.a', device: 'D', type: 'float64', address: 'a' } as const;
    const group = { label: 'g', device: 'D', tags: [tag] };
    const echo = await EchoServer.start(t);
    const { port } = echo;
    const elsewhere: Endpoint = { scheme: 'tcp', host: '127.0.0.1', port, text: 'tcp://elsewhere' };
    const hang = async (): Promise<void> => {
      const sick = made({ place: 'read', misdeed: 'block' });
      sick.onLost(() => undefined);
      await sick.connect(never);
      const signal = AbortSignal.timeout(100);
      await t.rejects(sick.read(group, new Batch(1), signal));
      await t.rejects(sick.close(), { code: 'driver-died', message: /blocked for 5000 ms/ });
    };
    await hang();
    const well = made({ place: 'nowhere' }, { endpoint: elsewhere });
    const losses: GatewayError[] = [];
    well.onLost((why) => losses.push(why));
    await well.connect(never);
    await hang();
    t.same(losses, [], 'the neighbour does not notice');
    const batch = new Batch(1);
    batch.begin(0 as never);
    t.equal(await well.read(group, batch, never), 'done');
  },
);
