import type { Driver, DriverModule, RuleLanguage } from '../../gateway/contract/index.js';
import type { Store } from '../../gateway/journal/store.js';
import type { MqttPort } from '../../gateway/north/mqtt/port.js';
import { Fn } from '../../drivers/modbus/frames/frame.js';
import { rtu } from '../../drivers/modbus/wire/rtu.js';
import type { Plants } from './world.js';

/** A driver with some of its calls replaced. */
function driverWith(
  change: (driver: Driver) => Partial<Driver>,
): (module: DriverModule) => DriverModule {
  return (module) => ({
    name: module.name,
    contract: module.contract,
    schema: module.schema,
    schemes: module.schemes,
    parseLink: (keys, endpoint) => module.parseLink(keys, endpoint),
    parseTag: (config, device, tag) => module.parseTag(config, device, tag),
    limits: (config) => module.limits(config),
    plan: (config, tags, refused, breaks) => module.plan(config, tags, refused, breaks),
    writeTimeout: (config, tag) =>
      module.writeTimeout?.(config, tag) ?? module.limits(config).requestTimeout,
    create: (config, context) => {
      const driver = module.create(config, context);
      const plain: Driver = {
        connect: (signal) => driver.connect(signal),
        read: (group, into, signal) => driver.read(group, into, signal),
        write: async (binding, value, signal) =>
          (await driver.write?.(binding, value, signal)) ?? { ok: false, code: 'none' },
        onLost: (handler) => driver.onLost(handler),
        close: () => driver.close(),
      };
      return { ...plain, ...change(plain) };
    },
  });
}

function storeWith(store: Store, change: Partial<Store>): Store {
  return {
    open: () => store.open(),
    commit: (c) => store.commit(c),
    read: (id) => store.read(id),
    room: () => store.room(),
    isThere: () => store.isThere(),
    renew: () => store.renew(),
    close: () => store.close(),
    ...change,
  };
}

/** A session that takes any answer for the current one: transaction ids are made to fit. */
const ignoresTransactionId: Plants = {
  way: 'tcp',
  answer: (answer, lastRequest) => {
    const copy = answer.slice();
    if (lastRequest && copy.length > 8) copy.set(lastRequest.subarray(0, 2), 0);
    return copy;
  },
};

/** A session on a line without ids that takes what comes: lengths and unit are made to fit. */
const ignoresOwedAnswers: Plants = {
  way: 'serial',
  answer: (answer, lastRequest) => {
    const [unit = 0, fn = 0, , , high = 0, low = 0] = lastRequest ?? [];
    if (fn !== answer[1] || fn > Fn.readInputRegisters) return answer;
    const size = fn <= Fn.readDiscreteInputs ? (high * 256 + low + 7) >> 3 : (high * 256 + low) * 2;
    const frame = new Uint8Array(size + 5);
    frame.set(answer.subarray(0, Math.min(answer.length - 2, size + 3)));
    frame.set([unit, fn, size]);
    rtu.seal(frame, 0, unit, size + 2);
    return frame;
  },
};

/** A driver that hides a time-out: the last values stay, as if they were fresh. */
const staleAsGood: Plants = {
  driver: driverWith((driver) => ({
    read: async (group, into, signal) => {
      try {
        return await driver.read(group, into, signal);
      } catch {
        group.tags.forEach((_, i) => into.number(i, into.numbers[i] ?? 0));
        return 'done';
      }
    },
  })),
};

/** A driver that sends a write a second time to be sure. */
const retriesWrites: Plants = {
  driver: driverWith((driver) => ({
    write: async (binding, value, signal) => {
      const first = await driver.write?.(binding, value, signal);
      await driver.write?.(binding, value, signal);
      return first ?? { ok: false, code: 'none' };
    },
  })),
};

/** A forwarder that takes "handed over" for "acknowledged". */
const acknowledgesWhatWasSent: Plants = {
  mqtt: (port: MqttPort): MqttPort => ({
    connect: async (options, signal) => {
      const connection = await port.connect(options, signal);
      return {
        limits: connection.limits,
        publish: (message) => {
          connection.publish(message).catch(() => undefined);
          return Promise.resolve();
        },
        watch: (topic, handler) => connection.watch(topic, handler),
        onLost: (handler) => connection.onLost(handler),
        close: (politely) => connection.close(politely),
      };
    },
  }),
};

/** Rules whose latched states are not kept over a restart, nor what they hold. */
const forgetsLatches: Plants = {
  rules: (language: RuleLanguage): RuleLanguage => ({
    compile: (...args) => language.compile(...args),
    start: (program, options) => {
      const { retained: forgotten, orders, ...rest } = options;
      return language.start(program, forgotten && orders ? rest : options);
    },
  }),
};

/** A journal that says "durable" and drops every third segment. */
const losesSegments: Plants = {
  store: (store) => {
    let n = 0;
    return storeWith(store, {
      commit: (change) => {
        n++;
        const drop = n % 3 === 0 && change.segments.length > 0;
        if (!drop) return store.commit(change);
        return store
          .commit({ ...change, segments: [] })
          .then(() => change.segments.map((_, i) => 1_000_000 + n * 10 + i));
      },
    });
  },
};

/** A write gate's opposite: whatever a rule demands goes to the wrong value. */
const writesTheOpposite: Plants = {
  driver: driverWith((driver) => ({
    write: async (binding, value, signal) =>
      (await driver.write?.(binding, value !== true, signal)) ?? { ok: false, code: 'none' },
  })),
};

/** Bugs that the simulation must notice, by name. */
export const planted: Readonly<Record<string, Plants>> = {
  'ignores the transaction id': ignoresTransactionId,
  'takes an owed answer for a new one': ignoresOwedAnswers,
  'stale values as good': staleAsGood,
  'retries a write': retriesWrites,
  'takes sent for acknowledged': acknowledgesWhatWasSent,
  'forgets latched trips': forgetsLatches,
  'loses segments': losesSegments,
  'writes the opposite': writesTheOpposite,
};
