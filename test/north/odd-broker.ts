/** A broker with peculiarities, and a sink with a plant's traffic in front of it, in virtual time. */
import { GatewayError, silentLog, type Log } from '../../gateway/contract/index.js';
import { isBlock, type Entry } from '../../gateway/journal/entry.js';
import type { Dictionary } from '../../gateway/north/dictionary.js';
import { Board } from '../../gateway/north/mqtt/board.js';
import { Forwarder } from '../../gateway/north/mqtt/forwarder.js';
import {
  type BrokerLimits,
  type MqttConnection,
  type MqttPort,
  type Outgoing,
  packetBytes,
} from '../../gateway/north/mqtt/port.js';
import { block, rig, type Rig } from '../journal/rig.js';
import { sink } from '../support/config.js';
import { Seeded } from '../support/random.js';

export const root = 'edge/g1/';

/** Topics below the root, by what a broker might forbid. */
export const forbidden: Readonly<Record<string, RegExp>> = {
  data: /^dev\/[^/]+\/data\//,
  history: /^dev\/[^/]+\/hist\//,
  'data and history': /^dev\/[^/]+\/(data|hist)\//,
  'one device': /^dev\/E\//,
  events: /^event\//,
  'one type of events': /^event\/write$/,
  gaps: /^gap$/,
  audit: /^audit$/,
  retained: /^(status|info|health|alarm\/)/,
  'one retained topic': /^health$/,
  'all but data': /^(?!dev\/[^/]+\/data\/)/,
  everything: /./,
};

/** What came: `stream epoch:sequence`. */
function nameOf(stream: string, seq: number): string {
  return `${stream} ${String(seq)}`;
}

export class OddBroker implements MqttPort {
  readonly got: Set<string> = new Set();
  readonly retained: Map<string, string> = new Map();
  readonly gaps: string[] = [];
  readonly tries: number[] = [];
  /** Data, live and late; was the dictionary there before? */
  readonly frames: { readonly payload: string; readonly hadMeta: boolean }[] = [];
  isAway = false;
  /** What it does when we want to hear something. */
  lets: 'agrees' | 'refuses' | 'hangs-up' = 'agrees';
  watches = 0;
  #watcher: (topic: string, payload: string) => void = () => undefined;
  limits: BrokerLimits = {
    receiveMaximum: 20,
    maximumPacketSize: 1e6,
    retainAvailable: true,
    maximumQos: 1,
  };
  /** Counts connections, and what ends them. */
  sessions = 0;
  /** Does it break the connection over this one, or is it silent from then on? */
  breaks: (topic: string, bytes: number) => 'hangs-up' | 'is-silent' | undefined = () => undefined;
  refuses: (topic: string, payload: string) => string | undefined = () => undefined;
  #cut: (why: GatewayError) => void = () => undefined;
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  connect(): Promise<MqttConnection> {
    if (this.isAway) return Promise.reject(new GatewayError('broker-lost', 'away'));
    const session = ++this.sessions;
    return Promise.resolve({
      limits: this.limits,
      publish: (message) => this.#take(message, session),
      watch: (topic, handler) => this.#watch(session, topic, handler),
      onLost: (handler) => (this.#cut = handler),
      close: () => Promise.resolve(),
    });
  }
  #watch(session: number, topic: string, handler: (payload: string) => void): Promise<void> {
    this.watches++;
    if (this.lets === 'refuses') return Promise.reject(new GatewayError('not-now', '0x87'));
    if (this.lets === 'hangs-up') {
      this.sessions++;
      this.cut();
      return new Promise(() => undefined);
    }
    this.#watcher = (said, payload) => {
      if (session === this.sessions && said === topic) handler(payload);
    };
    this.#watcher(topic, this.retained.get(topic.slice(root.length)) ?? '');
    return Promise.resolve();
  }
  /** Somebody else publishes what is retained. */
  say(topic: string, payload: string): void {
    this.retained.set(topic, payload);
    this.#watcher(root + topic, payload);
  }

  cut(): void {
    this.#cut(new GatewayError('broker-lost', 'cut'));
  }

  async #take(message: Outgoing, session: number): Promise<void> {
    await Promise.resolve();
    const never = new Promise<void>(() => undefined);
    // What a connection carried that is gone is not seen.
    if (this.isAway || session !== this.sessions) return never;
    const topic = message.topic.slice(root.length);
    const payload =
      typeof message.payload === 'string'
        ? message.payload
        : new TextDecoder().decode(message.payload);
    const why = this.refuses(topic, payload);
    if (why !== undefined) {
      this.tries.push(this.#now());
      throw new GatewayError('not-now', why);
    }
    const oddity = this.breaks(topic, packetBytes(message.topic, message.payload));
    if (oddity) {
      this.tries.push(this.#now());
      // Nothing that comes after it on this connection is seen any more.
      this.sessions++;
      if (oddity === 'hangs-up') this.cut();
      return never;
    }
    this.#keep(topic, payload);
  }

  #keep(topic: string, payload: string): void {
    const [kind, device, , group] = topic.split('/');
    const stands = kind !== 'dev' && kind !== 'event' && kind !== 'gap' && kind !== 'audit';
    if (stands || topic.endsWith('/meta')) {
      this.retained.set(topic, payload);
      this.#watcher(root + topic, payload);
      return;
    }
    const { sq, x = [0] } = JSON.parse(payload) as { sq: number; x?: readonly unknown[] };
    if (kind === 'gap') this.gaps.push(payload);
    if (kind === 'dev')
      this.frames.push({ payload, hadMeta: this.retained.has(`dev/${device ?? ''}/meta`) });
    const stream = kind === 'dev' ? `${device ?? ''}/${group ?? ''}` : kind;
    for (let i = 0; i < x.length; i++) this.got.add(nameOf(stream, sq + i));
  }
}

export class Bench {
  readonly broker: OddBroker;
  readonly forwarder: Forwarder;
  readonly board: Board = new Board();
  readonly lines: string[] = [];
  /** All that was ever appended, by name; and its topic when it is live. */
  readonly made: Map<string, string> = new Map();
  readonly #times = new Map<string, number>();
  readonly r: Rig;
  readonly #random: Seeded;

  readonly #dictionary: Dictionary | undefined;

  constructor(r: Rig, seed: number, dictionary?: Dictionary) {
    this.r = r;
    this.#dictionary = dictionary;
    this.#random = new Seeded(seed);
    this.broker = new OddBroker(() => r.clock.mono());
    this.forwarder = this.forwarderTo(this.broker);
  }

  forwarderTo(port: MqttPort): Forwarder {
    const { r } = this;
    const line = (message: string): void => void this.lines.push(message);
    const log: Log = { ...silentLog, info: line, warn: line, error: line };
    return new Forwarder(sink('a', { historyPerSecond: 200 }), {
      clock: r.clock,
      random: this.#random,
      log,
      port,
      reader: r.journal.reader('a'),
      board: this.board,
      frames: {
        gateway: 'g1',
        dictionary: (_device, revision) =>
          revision === this.#dictionary?.revision ? this.#dictionary : undefined,
        currentRevision: (device) => (device === 'D' ? this.#dictionary?.revision : undefined),
      },
      online: (session) => `online ${String(session)}`,
      offline: (session, reason) => `offline ${String(session)} ${reason}`,
      backoff: { next: () => 500, reset: () => undefined },
      onState: () => undefined,
    });
  }

  /** A plant's traffic for so long, by seconds. */
  async load(time: number): Promise<void> {
    const until = this.r.clock.mono() + time;
    const { journal, clock } = this.r;
    for (; clock.mono() < until; await this.r.pass(1_000)) {
      for (const device of ['D', 'E'])
        if (this.#random.chance(0.9))
          this.note(journal.appendBlock(block(1, 1, 'fast', device), clock.wall()));
      for (const type of ['write', 'mode'])
        if (this.#random.chance(0.2)) this.#record('event', `{"type":"${type}"}`);
      if (this.#random.chance(0.05)) this.#record('audit', '{"op":"write"}');
      this.board.post(`${root}health`, `{"at":${String(Math.floor(clock.mono() / 5_000))}}`);
    }
  }
  note({ stream, seq, body }: Entry): void {
    if (!isBlock(body)) return;
    const topic = `dev/${body.device}/data/${body.group}`;
    for (let i = 0; i < body.count; i++) this.#make(nameOf(stream, seq + i), topic);
  }
  #record(entryClass: 'event' | 'audit', json: string): void {
    this.r.journal.appendRecord(entryClass, json, this.r.clock.wall()).catch(() => undefined);
    const seq = this.r.journal.sequences().get(entryClass) ?? 0;
    const type = /"type":"([a-z]+)"/.exec(json)?.[1];
    this.#make(nameOf(entryClass, seq), type === undefined ? 'audit' : `event/${type}`);
  }

  /** On the monotonic clock. */
  madeAt(name: string): number {
    return this.#times.get(name) ?? 0;
  }
  #make(name: string, topic: string): void {
    this.made.set(name, topic);
    this.#times.set(name, this.r.clock.mono());
  }

  missing(): readonly string[] {
    return [...this.made.keys()].filter((name) => !this.broker.got.has(name));
  }
}

export async function benchOf({
  seed,
  lets = 'agrees',
}: {
  readonly seed: number;
  readonly lets?: OddBroker['lets'];
}): Promise<Bench> {
  const bench = new Bench(await rig({ sinks: ['a'] }), seed);
  bench.broker.lets = lets;
  bench.board.post(`${root}info`, '{}');
  for (let i = 0; i < 5; i++) bench.board.post(`${root}alarm/A${String(i)}`, '{}');
  bench.forwarder.start();
  await bench.r.pass(100);
  return bench;
}
