import {
  GatewayError,
  mono,
  type ByteStream,
  type DriverContext,
  type Endpoint,
  type ErrorFields,
  type Log,
  type MonoMs,
  type Random,
} from '../../gateway/contract/index.js';

/** One turn of the event loop: every promise chain that can go on has gone on. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A seeded generator, the same on every machine. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = state;
      t = Math.imul(t ^ (t >>> 15), t | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
    },
  };
}

/** One end of a {@link Wire}. Keeps the promises that the contract makes about streams. */
export class WireEnd implements ByteStream {
  closed = false;
  readonly sent: Uint8Array[] = [];
  #bytes: (bytes: Uint8Array) => void = () => undefined;
  #end: (why: GatewayError) => void = () => undefined;
  #ended = false;

  onBytes(handler: (bytes: Uint8Array) => void): void {
    this.#bytes = handler;
  }
  onEnd(handler: (why: GatewayError) => void): void {
    this.#end = handler;
  }
  write(bytes: Uint8Array): void {
    if (!this.closed && !this.#ended) this.sent.push(bytes.slice());
  }
  close(): void {
    this.closed = true;
  }
  /** Hands over a piece, then spoils it: a driver may not keep it. */
  arrive(bytes: Uint8Array): void {
    if (this.closed || this.#ended) return;
    const lent = bytes.slice();
    this.#bytes(lent);
    lent.fill(0xa5);
  }
  /** Hands over the same piece again and again, without a copy, as long as it is taken. */
  pour(bytes: Uint8Array, times: number): void {
    for (let i = 0; i < times && !this.closed && !this.#ended; i++) this.#bytes(bytes);
  }
  finish(why: GatewayError): void {
    if (this.closed || this.#ended) return;
    this.#ended = true;
    this.#end(why);
  }
}

/** Two ends in memory. Nothing moves until {@link World.settle} moves it. */
export class Wire {
  readonly driver: WireEnd = new WireEnd();
  readonly device: WireEnd = new WireEnd();
  /** While true, answers stay on the wire. */
  hold = false;
  /** How an answer arrives: in pieces, twice, changed, not at all. */
  shape: (answer: Uint8Array) => readonly Uint8Array[] = (answer) => [answer];
  /** Everything that the driver sent, in pieces. */
  readonly record: Uint8Array[] = [];
  /** The last pieces, both ways, for people. */
  readonly #last: string[] = [];

  get transcript(): readonly string[] {
    return this.#last;
  }

  #note(way: '>' | '<', piece: Uint8Array): void {
    this.#last.push(`${way} ${hex(piece)}`);
    if (this.#last.length > shown.pieces) this.#last.shift();
  }

  /** The device or the network breaks the connection. */
  break(code: 'link-closed' | 'link-unreachable' = 'link-closed'): void {
    this.driver.finish(new GatewayError(code, 'the wire was cut'));
    this.device.close();
  }

  /** Moves what is under way; false when nothing was. */
  move(): boolean {
    const requests = this.driver.sent.splice(0);
    this.record.push(...requests);
    for (const piece of requests) {
      this.#note('>', piece);
      this.device.arrive(piece);
    }
    const answers = this.hold ? [] : this.device.sent.splice(0);
    for (const answer of answers)
      for (const piece of this.shape(answer)) {
        this.#note('<', piece);
        this.driver.arrive(piece);
      }
    const hungUp = this.driver.closed && !this.device.closed;
    if (hungUp) {
      this.device.finish(new GatewayError('link-closed', 'the driver closed'));
      this.device.close();
    }
    return requests.length + answers.length > 0 || hungUp;
  }
}

/** Pieces of a transcript, and bytes of each, that are shown. */
const shown = { pieces: 24, bytes: 64 };

function hex(bytes: Uint8Array): string {
  const first = Buffer.from(bytes.subarray(0, shown.bytes));
  const rest = bytes.length > shown.bytes ? ` … ${String(bytes.length)} bytes` : '';
  return `${first.toString('hex')}${rest} ${JSON.stringify(first.toString('latin1'))}`;
}

/** Takes log lines and keeps them. */
export class LogBook implements Log {
  readonly lines: string[] = [];
  #add(level: string, message: string, fields: ErrorFields = {}): void {
    this.lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  }
  debug(message: string, fields?: ErrorFields): void {
    this.#add('debug', message, fields);
  }
  info(message: string, fields?: ErrorFields): void {
    this.#add('info', message, fields);
  }
  warn(message: string, fields?: ErrorFields): void {
    this.#add('warn', message, fields);
  }
  error(message: string, fields?: ErrorFields): void {
    this.#add('error', message, fields);
  }
  child(): Log {
    return this;
  }
}

let latest: World | undefined;
function remember(world: World): void {
  latest = world;
}

/** The world that was made last: what a failure is about. */
export function latestWorld(): World | undefined {
  return latest;
}

/** Everything that a driver may touch, in memory; whoever holds the world is time and network. */
export class World {
  readonly wires: Wire[] = [];
  readonly log: LogBook = new LogBook();
  /** What happens to the next connection attempts. */
  opening: 'ok' | 'refuse' | 'hang' = 'ok';
  /** Attempts that hang; calling one lets the connection come after all. */
  readonly hanging: (() => void)[] = [];
  opens = 0;
  /** What its clock says. */
  time: MonoMs = mono(0);
  /** What the driver found odd. */
  readonly notices: string[] = [];
  readonly context: DriverContext;
  readonly seed: number;
  readonly #serve: (stream: ByteStream) => void;

  constructor(endpoint: Endpoint, serve: (stream: ByteStream) => void, seed: number) {
    this.#serve = serve;
    this.seed = seed;
    remember(this);
    this.context = {
      endpoint,
      log: this.log,
      random: seededRandom(seed),
      open: () => this.#open(),
      count: () => undefined,
      notice: (device, text) => this.notices.push(`${device} ${text}`),
      refusal: () => undefined,
      expires: () => undefined,
      memory: new Map(),
      now: () => this.time,
    };
  }

  /** The connection that is used now. */
  get wire(): Wire {
    const last = this.wires.at(-1);
    if (!last) throw new Error('nothing was opened');
    return last;
  }

  /** The last bytes on the connection that is used now; see `Evidence`. */
  get transcript(): readonly string[] {
    return this.wires.at(-1)?.transcript ?? [];
  }

  get openWires(): number {
    return this.wires.filter((wire) => !wire.driver.closed).length;
  }

  /** Moves all bytes until nothing moves any more. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 2;) {
      await turn();
      let moved = false;
      for (const wire of this.wires) moved = wire.move() || moved;
      quiet = moved ? 0 : quiet + 1;
    }
  }

  #open(): Promise<ByteStream> {
    this.opens++;
    if (this.opening === 'refuse')
      return Promise.reject(new GatewayError('link-refused', 'connection refused'));
    if (this.opening === 'ok') return Promise.resolve(this.#connect());
    return new Promise((resolve) => {
      this.hanging.push(() => {
        resolve(this.#connect());
      });
    });
  }

  #connect(): ByteStream {
    const wire = new Wire();
    this.wires.push(wire);
    this.#serve(wire.device);
    return wire.driver;
  }
}
