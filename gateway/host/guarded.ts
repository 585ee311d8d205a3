import type {
  Driver,
  DeviceOutcome,
  DeviceSurvey,
  DurationMs,
  EventSink,
  GatewayError,
  Inspection,
  ReadOutcome,
  SubscriptionSink,
  WallMs,
} from '../contract/index.js';
import { asDriverFailure, GatewayError as Failure, ms, wall } from '../contract/index.js';

const outcomes: readonly unknown[] = ['done', 'refused', 'silent', 'busy'] satisfies ReadOutcome[];

/**
 * A driver that is not ours, held to its contract: what it throws is a rejection, what it answers has the shape that
 * was promised, and it calls nobody back after it was closed.
 * @param make makes it
 * @param name for messages
 */
export function guarded(make: () => Driver, name: string): Driver {
  const driver = made(make, name);
  let isClosed = false;
  const judge = new Judge(name);
  return {
    ...asking(driver, judge),
    ...telling(driver, judge, () => isClosed),
    ...(driver.gap && { gap: () => gapOf(driver, judge) }),
    onLost: (handler) => {
      try {
        driver.onLost((why: unknown) => {
          if (!isClosed) handler(asDriverFailure(why, `a call of the driver ${name}`));
        });
      } catch (thrown) {
        throw asDriverFailure(thrown, `onLost of the driver ${name}`);
      }
    },
    close: async (why) => {
      isClosed = true;
      await driver.close(why);
    },
  };
}

function gapOf(driver: Driver, judge: Judge): DurationMs {
  const gap: unknown = driver.gap?.();
  if (typeof gap !== 'number' || !(gap >= 0)) throw judge.wrong('gap');
  return ms(gap);
}

function made(make: () => Driver, name: string): Driver {
  try {
    const driver: unknown = make();
    const { connect, read, onLost, close } = recordOf(driver);
    if ([connect, read, onLost, close].every((one) => typeof one === 'function'))
      return driver as Driver;
  } catch (thrown) {
    throw asDriverFailure(thrown, `create of the driver ${name}`);
  }
  throw new Judge(name).wrong('create');
}

/** Whether answers have the shape that was promised. */
class Judge {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  /** Makes a call, and says of what it throws where it comes from. */
  async call<T>(what: string, call: () => Promise<T> | undefined): Promise<T | undefined> {
    try {
      return await call();
    } catch (thrown) {
      throw asDriverFailure(thrown, `${what} of the driver ${this.#name}`);
    }
  }
  wrong(what: string): GatewayError {
    return new Failure(
      'driver-failed',
      `${what} of the driver ${this.#name} gives what the contract does not know`,
    );
  }
  outcome(what: string, answer: unknown): DeviceOutcome {
    const { ok, code } = recordOf(answer);
    if (ok === true) return { ok };
    if (ok === false && typeof code === 'string') return { ok, code };
    throw this.wrong(what);
  }
  inspection(answer: unknown): Inspection {
    const { value, type, status, sourceTime, serverTime } = recordOf(answer);
    if (typeof value !== 'string' || typeof type !== 'string' || typeof status !== 'string')
      throw this.wrong('inspect');
    const times = { sourceTime: timeOf(sourceTime), serverTime: timeOf(serverTime) };
    return { value, type, status, ...times };
  }
  survey(answer: unknown): readonly DeviceSurvey[] {
    if (!Array.isArray(answer)) throw this.wrong('survey');
    return answer as readonly DeviceSurvey[];
  }
  positions(answer: unknown, count: number): readonly number[] {
    const isPosition = (at: unknown): boolean =>
      Number.isInteger(at) && (at as number) >= 0 && (at as number) < count;
    if (!Array.isArray(answer) || !answer.every(isPosition)) throw this.wrong('subscribe');
    return answer as readonly number[];
  }
}

type Asked = 'connect' | 'read' | 'write' | 'inspect' | 'survey' | 'acknowledge';

function asking(driver: Driver, judge: Judge): Pick<Driver, Asked> {
  return {
    connect: (signal) => judge.call('connect', () => driver.connect(signal)),
    read: async (group, into, signal) => {
      const outcome = await judge.call('read', () => driver.read(group, into, signal));
      if (!outcome || !outcomes.includes(outcome)) throw judge.wrong('read');
      return outcome;
    },
    ...(driver.write && {
      write: async (...what) =>
        judge.outcome('write', await judge.call('write', () => driver.write?.(...what))),
    }),
    ...(driver.inspect && {
      inspect: async (...what) =>
        judge.inspection(await judge.call('inspect', () => driver.inspect?.(...what))),
    }),
    ...(driver.survey && {
      survey: async (...what) =>
        judge.survey(await judge.call('survey', () => driver.survey?.(...what))),
    }),
    ...(driver.acknowledge && {
      acknowledge: async (...what) =>
        judge.outcome(
          'acknowledge',
          await judge.call('acknowledge', () => driver.acknowledge?.(...what)),
        ),
    }),
  };
}

function telling(
  driver: Driver,
  judge: Judge,
  isClosed: () => boolean,
): Pick<Driver, 'subscribe' | 'listen'> {
  return {
    ...(driver.subscribe && {
      subscribe: async (group, sink, signal) => {
        const heard = whileOpen(sink, isClosed);
        const refused = await judge.call('subscribe', () =>
          driver.subscribe?.(group, heard, signal),
        );
        return judge.positions(refused, group.tags.length);
      },
    }),
    ...(driver.listen && {
      listen: async (device, events, sink, signal) => {
        const heard = eventsWhileOpen(sink, isClosed);
        const outcome = await judge.call('listen', () =>
          driver.listen?.(device, events, heard, signal),
        );
        return judge.outcome('listen', outcome);
      },
    }),
  };
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function timeOf(value: unknown): WallMs | undefined {
  return typeof value === 'number' ? wall(value) : undefined;
}

function whileOpen(sink: SubscriptionSink, isClosed: () => boolean): SubscriptionSink {
  return {
    samples: (samples) => {
      if (!isClosed()) sink.samples(samples);
    },
    ...(sink.history && {
      history: (samples) => {
        if (!isClosed()) sink.history?.(samples);
      },
    }),
    ...(sink.confirmed && { confirmed: () => sink.confirmed?.() }),
    alive: () => {
      if (!isClosed()) sink.alive();
    },
    ...revisedWhileOpen(sink, isClosed),
  };
}

function revisedWhileOpen(
  sink: SubscriptionSink | EventSink,
  isClosed: () => boolean,
): Pick<SubscriptionSink, 'revised'> {
  if (!sink.revised) return {};
  return {
    revised: (alive) => {
      if (!isClosed()) sink.revised?.(alive);
    },
  };
}

function eventsWhileOpen(sink: EventSink, isClosed: () => boolean): EventSink {
  return {
    events: (events) => {
      if (!isClosed()) sink.events(events);
    },
    standing: (keys) => {
      if (!isClosed()) sink.standing(keys);
    },
    alive: () => {
      if (!isClosed()) sink.alive();
    },
    ...(sink.confirmed && { confirmed: () => sink.confirmed?.() }),
    ...revisedWhileOpen(sink, isClosed),
  };
}
