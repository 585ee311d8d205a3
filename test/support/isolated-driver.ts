import { setTimeout as pause } from 'node:timers/promises';
import {
  GatewayError,
  Quality,
  type CreateIsolated,
  type DriverModule,
  type SubscriptionSink,
  ms,
} from '../../gateway/contract/index.js';

/**
 * A driver for a thread of its own. Reads give 1, 2, 3 …; a write does what its text says: to the driver,
 * or to the thread.
 */
export const isolatedDriver: DriverModule = {
  name: 'isolated',
  contract: 1,
  schema: { link: { properties: {} }, device: { properties: {} }, tag: { properties: {} } },
  schemes: { sim: 0 },
  parseLink: () => ({ ok: true, value: { greeting: 'hello' } }),
  parseTag: (_config, _device, keys) => ({ ok: true, value: keys['address'] }),
  limits: () => ({
    inFlight: 1,
    connectTimeout: ms(10_000),
    requestTimeout: ms(2_000),
    requestGap: ms(0),
    afterTimeout: 'continue',
  }),
  plan: (_config, tags) =>
    tags.map((tag) => ({ label: tag.name, device: tag.device, tags: [tag] })),
  subscribed: (_config, address) =>
    address === 'told' ? { interval: ms(100), alive: ms(60_000) } : undefined,
  create: () => {
    throw new GatewayError('internal', 'not in this thread');
  },
  isolated: { entry: new URL(import.meta.url), heapMiB: 64 },
};

export const create: CreateIsolated = (config, context) => {
  let value = 0;
  let sink: SubscriptionSink | undefined;
  let lost: (why: GatewayError) => void = () => undefined;
  const connections = Number(context.memory.get('connections') ?? 0) + 1;
  context.memory.set('connections', connections);
  const orders: Record<string, (signal: AbortSignal) => unknown> = {
    die: () => process.exit(3),
    throw: () => {
      setImmediate(() => {
        throw new GatewayError('internal', 'a defect');
      });
    },
    swell: async () => {
      const heap: number[][] = [];
      for (;;) {
        heap.push(new Array<number>(100_000).fill(heap.length + 0.5));
        await pause(0);
      }
    },
    hang: () => {
      for (;;);
    },
    refuse: () => {
      throw new GatewayError('device-refused', 'no', { why: 'test' });
    },
    wait: (signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          context.log.warn('aborted', { why: (signal.reason as GatewayError).code });
          reject(signal.reason as GatewayError);
        });
      }),
    lose: () => lost(new GatewayError('link-closed', 'cut')),
    tell: () => {
      sink?.samples({
        count: 2,
        positions: [0, 0],
        numbers: [5, 6],
        qualities: [Quality.good, Quality.good],
        ages: [100, NaN],
        wide: new Map([[1, 12345678901234567890n]]),
      });
      sink?.alive();
    },
    print: () => void process.stdout.write('printed by a library\n'),
  };
  return {
    connect: () => {
      context.log.info('connecting', { folder: context.folder, ...(config as object) });
      return Promise.resolve();
    },
    read: (group, into) => {
      group.tags.forEach((_, at) => into.number(at, ++value));
      if (!into.mustDecode) into.unchanged();
      context.count('late', group.device, connections);
      return Promise.resolve('done');
    },
    write: async (_binding, order, signal) => {
      await orders[String(order)]?.(signal);
      return { ok: true };
    },
    subscribe: (_group, to) => {
      sink = to;
      return Promise.resolve([1]);
    },
    onLost: (handler) => {
      lost = handler;
    },
    close: () => Promise.resolve(),
  };
};

/** The name under which the gateway finds it in a package. */
export const driver: DriverModule = isolatedDriver;
