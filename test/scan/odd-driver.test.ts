/** What a driver does wrong in the thread of the gateway is trouble of its link, on the virtual clock. */
import t from 'tap';
import {
  GatewayError,
  ms,
  type ByteStream,
  type Driver,
  type DriverContext,
  type DriverModule,
} from '../../gateway/contract/index.js';
import { limits } from '../../gateway/limits.js';
import { Inbox } from '../../gateway/scan/inbox.js';
import { Lane } from '../../gateway/scan/lane.js';
import { Link, stagger } from '../../gateway/scan/link.js';
import { unwatched } from '../support/create.js';
import { Seeded } from '../support/random.js';
import { VirtualClock, settle } from '../support/virtual-clock.js';
import { Script, device, scriptedLink } from './script.js';

/** A stream that a test pulls at. */
class FakeStream implements ByteStream {
  isOpen = true;
  bytes: (bytes: Uint8Array) => void = () => undefined;
  end: (why: GatewayError) => void = () => undefined;
  onBytes(handler: (bytes: Uint8Array) => void): void {
    this.bytes = handler;
  }
  onEnd(handler: (why: GatewayError) => void): void {
    this.end = handler;
  }
  write(): void {
    // Nobody reads it.
  }
  close(): void {
    this.isOpen = false;
  }
}

/** A link whose driver opens a stream and is odd as `change` says. */
function odd(
  change: (driver: Driver, context: DriverContext) => Partial<Driver>,
  module: Partial<DriverModule> = {},
): { link: Link; clock: VirtualClock; streams: FakeStream[]; pass: (ms: number) => Promise<void> } {
  const clock = new VirtualClock();
  const script = new Script(clock);
  const streams: FakeStream[] = [];
  const config = scriptedLink('l', script, [device('D', 'l', [1])]);
  const well = config.driver;
  const create: DriverModule['create'] = (settings, context) => {
    const driver = well.create(settings, context);
    const own: Driver = {
      connect: async (signal) => {
        await context.open(context.endpoint, signal);
        await driver.connect(signal);
      },
      read: (...what) => driver.read(...what),
      onLost: (handler) => driver.onLost(handler),
      close: () => driver.close(),
    };
    return { ...own, ...change(driver, context) };
  };
  const link = new Link(
    { ...config, driver: { ...well, ...module, create } },
    Int32Array.from(config.bindings.keys()),
    {
      ...unwatched(),
      clock,
      random: new Seeded(1),
      inbox: new Inbox(() => undefined),
      open: () => {
        const stream = new FakeStream();
        streams.push(stream);
        return Promise.resolve(stream);
      },
    },
  );
  stagger([link], clock.mono());
  const pass = async (time: number): Promise<void> => {
    await settle();
    await clock.run(clock.mono() + time);
    await settle();
  };
  return { link, clock, streams, pass };
}

const boom = (): never => {
  throw new TypeError('boom');
};

/** Connects, and sets these handlers. */
function handling(
  onBytes: () => unknown,
  onEnd: () => unknown = () => undefined,
): Parameters<typeof odd>[0] {
  return (driver, context) => ({
    connect: async (signal) => {
      const stream = await context.open(context.endpoint, signal);
      stream.onBytes(() => onBytes());
      stream.onEnd(() => onEnd());
      await driver.connect(signal);
    },
  });
}

void t.test(
  'what a handler throws, or an asynchronous one rejects with, takes the link down',
  async (t) => {
    const rejecting = (): Promise<never> => Promise.reject(new TypeError('boom'));
    for (const handler of [boom, rejecting]) {
      const { link, streams, pass } = odd(handling(handler));
      link.start();
      await pass(50);
      t.equal(link.state, 'connected');
      streams[0]?.bytes(Uint8Array.of(1));
      await settle();
      t.match(link.lastError, { code: 'driver-failed', message: /handler of the driver: boom/ });
      t.equal(link.state, 'waiting');
      await pass(50);
      t.equal(streams[0]?.isOpen, false, 'and its stream is closed');
    }
    const { link, streams, pass } = odd(handling(() => undefined, boom));
    link.start();
    await pass(50);
    streams[0]?.end(new GatewayError('link-closed', 'x'));
    t.match(link.lastError, { code: 'driver-failed' });
  },
);

void t.test('what a driver leaves open is closed when it has closed, or cannot', async (t) => {
  const { link, streams, pass } = odd(() => ({ close: () => Promise.resolve() }));
  link.start();
  await pass(50);
  t.equal(streams[0]?.isOpen, true);
  await link.stop();
  t.equal(streams[0]?.isOpen, false);

  const never = odd(() => ({ close: () => new Promise(() => undefined) }));
  never.link.start();
  await never.pass(50);
  const stopped = never.link.stop();
  await never.pass(limits.closeMs - 100);
  t.equal(never.streams[0]?.isOpen, true, 'it has its time');
  await never.pass(200);
  await stopped;
  t.equal(never.streams[0]?.isOpen, false);
});

void t.test('a stream that comes when the link is closed is closed', async (t) => {
  const { link, streams, pass, clock } = odd((_driver, context) => ({
    connect: () =>
      new Promise((_, reject) => {
        clock.at(clock.mono(), () => reject(new GatewayError('link-refused', 'no')));
        clock.at((clock.mono() + 100) as never, () => {
          context.open(context.endpoint, new AbortController().signal).catch(() => undefined);
        });
      }),
  }));
  link.start();
  await pass(50);
  t.equal(link.state, 'waiting');
  await pass(100);
  t.equal(streams.length, 1);
  t.equal(streams[0]?.isOpen, false);
  await link.stop();
});

void t.test(
  'a plan that throws, at any time, takes the link down, and not the timer',
  async (t) => {
    let fails = true;
    const script = new Script(new VirtualClock());
    const { link, pass } = odd(() => ({}), {
      plan: (...about) => (fails ? boom() : script.module.plan(...about)),
    });
    link.start();
    await pass(50);
    t.match(link.lastError, { message: 'boom' });
    t.equal(link.state, 'waiting');
    fails = false;
    await pass(2_000);
    t.equal(link.state, 'connected', 'and up again when it no longer does');
    await link.stop();
  },
);

void t.test('subscribed and writeTimeout that throw do not end anything', async (t) => {
  const { link, pass } = odd((driver) => ({ write: (...what) => must(driver).write(...what) }), {
    subscribed: boom,
    writeTimeout: boom,
  });
  link.start();
  await pass(50);
  const [binding] = link.config.bindings;
  const written = binding && link.write(binding, 1, false);
  await pass(100);
  t.match(await Promise.race([written, Promise.resolve('nothing yet')]), { ok: true });
  await link.stop();
});

function must(driver: Driver): Driver & { write: NonNullable<Driver['write']> } {
  return driver as never;
}

void t.test('an inspection that never ends is given up', async (t) => {
  const { link, pass } = odd(() => ({ inspect: () => new Promise(() => undefined) }));
  link.start();
  await pass(50);
  const [binding] = link.config.bindings;
  const asked = binding && link.inspect(binding).catch((thrown: unknown) => thrown);
  await pass(ms(60_000));
  t.match(await asked, { code: 'request-timeout' });
  await link.stop();
});

void t.test('an answer that came while the process was held up is not late', async (t) => {
  let now = 0;
  let timer: () => void = () => undefined;
  const soon: (() => void)[] = [];
  const clock = {
    mono: () => now as never,
    wall: () => 0 as never,
    at: (_when: number, run: () => void) => {
      timer = run;
      return { cancel: () => undefined };
    },
    soon: (run: () => void) => void soon.push(run),
  };
  const ends: string[] = [];
  const lane = new Lane(clock, {
    read: (_lane, _group, _job, outcome) => void ends.push(outcome),
    written: () => undefined,
    failed: (_lane, _errand, error) => void ends.push((error as GatewayError).code),
  });
  for (const isAnswered of [true, false]) {
    let answer: (outcome: 'done') => void = () => undefined;
    lane.read({} as never, undefined, 100, () => new Promise((resolve) => void (answer = resolve)));
    now += 2_000;
    timer();
    t.equal(soon.length, 1, 'what came meanwhile is heard first');
    if (isAnswered) answer('done');
    await settle();
    soon.shift()?.();
  }
  t.same(ends, ['done', 'request-timeout']);
  lane.read({} as never, undefined, 100, () => new Promise(() => undefined));
  now += 110;
  timer();
  t.same(soon, [], 'a timer that is not late judges at once');
  t.equal(ends.length, 3);
  t.end();
});
