import type {
  ByteStream,
  Driver,
  DriverContext,
  DriverModule,
  DurationMs,
  KeySchema,
  SubscriptionSink,
} from '../../gateway/contract/index.js';

/**
 * A driver that is well but for one place, in which it does one thing that no driver may do. It talks to a peer that sends
 * back each byte, so that its streams are used, too. It imports nothing, as a small driver of somebody else.
 */

export const misdeeds = [
  'throw',
  'throw nothing',
  'never settle',
  'answer nonsense',
  'block',
  'exit',
  'throw later',
  'reject and drop',
  'fill the heap',
  'print',
  'leave it open',
  'call back after',
] as const;
export type Misdeed = (typeof misdeeds)[number];

export interface OddConfig {
  readonly place: string;
  readonly misdeed: Misdeed;
  /** How often the place is passed before it is done. */
  readonly after: number;
}

/** How often each place was passed, by configuration as text: it may be copied. */
const passed = new Map<string, number>();

const key = (description: string, type: string, value: unknown): Record<string, unknown> => ({
  type,
  description,
  default: value,
});
const none: KeySchema = { properties: {} };
const wait = (ms: number): DurationMs => ms as DurationMs;

/** In the process that only checks the configuration it is well, or it would never run. */
const isChecked = String(
  process.getBuiltinModule('node:fs').readFileSync('/proc/self/cmdline'),
).includes('checker.js');

/** Does it, if this is the place. @returns what the place is to answer then */
function misdo(config: OddConfig, place: string): { readonly answer: unknown } | undefined {
  if (config.place !== place || isChecked) return undefined;
  const id = JSON.stringify(config);
  const before = passed.get(id) ?? 0;
  passed.set(id, before + 1);
  if (before < config.after) return undefined;
  switch (config.misdeed) {
    case 'throw':
      throw new TypeError(`odd in ${place}`);
    case 'throw nothing':
      throw Object.create(null);
    case 'never settle':
      return { answer: new Promise(() => undefined) };
    case 'answer nonsense':
      return { answer: 42 };
    case 'block':
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10_000);
      return undefined;
    case 'exit':
      return process.exit(7);
    case 'throw later':
      setTimeout(() => {
        throw new TypeError(`odd after ${place}`);
      }, 0);
      return undefined;
    case 'reject and drop':
      void Promise.reject(new TypeError(`odd beside ${place}`));
      return undefined;
    case 'fill the heap':
      fill();
      return undefined;
    case 'print':
      for (let line = 0; line < 5_000; line++) process.stdout.write(`odd in ${place}\n`);
      return undefined;
    case 'leave it open':
    case 'call back after':
      return undefined;
  }
}

function fill(): void {
  const heap: number[][] = [];
  for (;;) heap.push(new Array<number>(100_000).fill(heap.length + 0.5));
}

type Given = (...args: never[]) => unknown;

/** What the module answers at a place, or what is odd there. */
function at<F extends Given>(place: string, well: F): F {
  return ((config: OddConfig, ...rest: never[]) => {
    const odd = misdo(config, place);
    return odd ? odd.answer : well(...([config, ...rest] as unknown as Parameters<F>));
  }) as unknown as F;
}

export const driver: DriverModule<OddConfig, string> = {
  name: 'odd',
  contract: 1,
  schema: {
    link: {
      properties: {
        place: key('Where it is odd.', 'string', ''),
        misdeed: key('What it does there.', 'string', 'throw'),
        after: key('How often it is well before.', 'integer', 0),
      },
    },
    device: none,
    tag: { properties: { address: key('`told`, or anything.', 'string', 'a') } },
  },
  schemes: { tcp: 1 },
  parseLink: (link) => {
    const well: OddConfig = { place: '', misdeed: 'throw', after: 0 };
    const config = { ...well, ...(link as Partial<OddConfig>) };
    const odd = misdo(config, 'parseLink');
    return odd ? (odd.answer as never) : { ok: true, value: config };
  },
  parseTag: at('parseTag', (_config, _device, tag) => ({
    ok: true,
    value: (tag['address'] as string | undefined) ?? 'a',
  })),
  limits: at('limits', () => ({
    inFlight: 1,
    connectTimeout: wait(4_000),
    requestTimeout: wait(1_500),
    requestGap: wait(0),
    afterTimeout: 'reconnect',
  })),
  alternatives: at('alternatives', () => 1),
  weaknesses: at('weaknesses', () => []),
  plan: at('plan', (_config, tags) =>
    tags.map((tag) => ({ label: tag.name, device: tag.device, tags: [tag] })),
  ),
  subscribed: at('subscribed', (_config, address) =>
    address === 'told' ? { interval: wait(100), alive: wait(3_600_000) } : undefined,
  ),
  parseEvents: at('parseEvents', ({ place }) => ({
    ok: true,
    value:
      place === 'listen' ? { from: {}, alive: wait(3_600_000), acknowledge: false } : undefined,
  })),
  parseExpansion: at('parseExpansion', ({ place }) => ({
    ok: true,
    value: place === 'survey' ? 'all' : undefined,
  })),
  learnsUnits: at('learnsUnits', () => false),
  unwritable: at('unwritable', () => undefined),
  writeTimeout: at('writeTimeout', () => wait(1_500)),
  lineTime: at('lineTime', () => wait(1)),
  describe: at('describe', (_config, bytes) => `${String(bytes.length)} bytes`),
  create: (config, context) => {
    const odd = misdo(config, 'create');
    return odd ? (odd.answer as never) : new OddDriver(config, context);
  },
};

class OddDriver implements Driver<string> {
  readonly #config: OddConfig;
  readonly #context: DriverContext;
  #stream: ByteStream | undefined;
  #echo: (() => void) | undefined;
  #lost: (why: never) => void = () => undefined;
  #sink: SubscriptionSink | undefined;
  #value = 0;

  constructor(config: OddConfig, context: DriverContext) {
    this.#config = config;
    this.#context = context;
  }

  /** What is odd at this place, or what is right. */
  #or<T>(place: string, well: () => T): T {
    const odd = misdo(this.#config, place);
    return odd ? (odd.answer as T) : well();
  }

  connect(signal: AbortSignal): Promise<void> {
    return this.#or('connect', async () => {
      const stream = await this.#context.open(this.#context.endpoint, signal);
      this.#stream = stream;
      stream.onBytes((bytes) => {
        this.#or('bytes', () => {
          // The peer sends it twice before it goes.
          if (bytes[0] !== 2) this.#echo?.();
        });
      });
      stream.onEnd((why) => this.#or('end', () => this.#lost(why as never)));
    });
  }

  read(...[, into]: Parameters<Driver<string>['read']>): Promise<'done'> {
    return this.#or('read', async () => {
      await this.#exchange();
      into.number(0, ++this.#value);
      // The peer hangs up: that is an end, and a reason to close.
      if (this.#value === 3 && ['end', 'close'].includes(this.#config.place))
        this.#stream?.write(Uint8Array.of(0xff));
      return 'done' as const;
    });
  }

  write(): Promise<{ ok: true }> {
    return this.#or('write', async () => {
      await this.#exchange();
      return { ok: true as const };
    });
  }

  subscribe(...[, sink]: Parameters<NonNullable<Driver['subscribe']>>): Promise<readonly number[]> {
    return this.#or('subscribe', () => {
      this.#sink = sink;
      this.#tell();
      return Promise.resolve([]);
    });
  }

  #tell(): void {
    const good = 0;
    this.#sink?.samples({
      count: 1,
      positions: [0],
      numbers: [++this.#value],
      qualities: [good],
      ages: [NaN],
      wide: undefined,
    });
    this.#sink?.alive();
  }

  inspect(): Promise<never> {
    return this.#or('inspect', () =>
      Promise.resolve({ value: '1', type: 'float64', status: 'Good' } as never),
    );
  }

  survey(): Promise<readonly []> {
    return this.#or('survey', () => Promise.resolve([] as const));
  }

  listen(): Promise<{ ok: true }> {
    return this.#or('listen', () => Promise.resolve({ ok: true as const }));
  }

  onLost(handler: (why: never) => void): void {
    this.#lost = handler;
    this.#or('onLost', () => undefined);
  }

  close(): Promise<void> {
    const { misdeed } = this.#config;
    return this.#or('close', () => {
      if (misdeed !== 'leave it open') this.#stream?.close();
      if (misdeed === 'call back after') this.#goOn();
      return Promise.resolve();
    });
  }

  /** As if it were not closed. */
  #goOn(): void {
    setTimeout(() => {
      this.#lost(undefined as never);
      this.#tell();
      this.#stream?.write(Uint8Array.of(1));
    }, 10);
  }

  #exchange(): Promise<void> {
    return new Promise((resolve) => {
      this.#echo = resolve;
      this.#stream?.write(Uint8Array.of(1));
    });
  }
}
