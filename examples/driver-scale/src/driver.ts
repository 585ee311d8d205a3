import {
  AgedRows,
  GatewayError,
  Quality,
  type Batch,
  type ByteStream,
  type Driver,
  type DriverContext,
  type ReadGroup,
  type ReadOutcome,
  type SubscriptionSink,
} from 'millrace/contract';
import { abortError, bytesOf, LineReader, openAbortable, type Opening } from 'millrace/driver-kit';
import type { ScaleAddress } from './address.js';
import type { ScaleConfig } from './config.js';
import { longestLine, parseLine, requestOf, type Message } from './frame.js';
import { requestFor } from './plan.js';

type Group = ReadGroup<ScaleAddress>;
type Weight = Extract<Message, { kind: 'weight' }>;

/** The request that is on the wire. */
interface Call {
  readonly of: 'net' | 'gross';
  readonly signal: AbortSignal;
  answered(answer: Message, line: string): void;
  failed(why: GatewayError): void;
}

/** Where the barcodes of a reader go. */
interface Target {
  readonly reader: number;
  readonly position: number;
  readonly sink: SubscriptionSink;
}

/** One connection to one scale. */
export class ScaleDriver implements Driver<ScaleAddress> {
  readonly #config: ScaleConfig;
  readonly #context: DriverContext;
  readonly #lines: LineReader;
  readonly #targets: Target[] = [];
  /** Last line of each group, for `unchanged`. */
  readonly #known = new WeakMap<Group, string>();
  #opening: Opening | undefined;
  #stream: ByteStream | undefined;
  #call: Call | undefined;
  /** Why nothing can be requested any more. */
  #over: GatewayError | undefined;
  #onLost: (why: GatewayError) => void = () => undefined;

  constructor(config: ScaleConfig, context: DriverContext) {
    this.#config = config;
    this.#context = context;
    this.#lines = new LineReader(
      { longest: longestLine },
      {
        line: (text) => this.#take(text),
        fault: (why) => {
          this.#context.count('corrupt', '');
          this.#lose(new GatewayError('bad-frame', `a line is ${why}`));
        },
      },
    );
  }

  async connect(signal: AbortSignal): Promise<void> {
    if (this.#over) throw this.#over;
    this.#opening = openAbortable(this.#context, signal);
    const stream = await this.#opening.stream;
    this.#stream = stream;
    stream.onBytes((bytes) => {
      if (!this.#over) this.#lines.push(bytes);
    });
    stream.onEnd((why) => this.#lose(why));
  }

  async read(group: Group, into: Batch, signal: AbortSignal): Promise<ReadOutcome> {
    const [first] = group.tags;
    const of = first ? requestFor(first.address) : 'net';
    const { answer, line } = await this.#ask(of, signal);
    if (answer.kind !== 'weight') {
      this.#known.delete(group);
      this.#context.count('exception', group.device);
      into.allBad(Quality.device);
    } else if (line === this.#known.get(group) && !into.mustDecode) {
      into.unchanged();
    } else {
      this.#known.set(group, line);
      group.tags.forEach(({ address }, i) => this.#decode(address, answer, i, into));
    }
    return 'done';
  }

  subscribe(group: Group, sink: SubscriptionSink, signal: AbortSignal): Promise<number[]> {
    return new Promise((resolve) => {
      if (this.#over) throw this.#over;
      if (signal.aborted) throw abortError(signal);
      group.tags.forEach(({ address }, position) => {
        if (address.value !== 'barcode') return;
        this.#targets.push({ reader: address.reader, position, sink });
        // No reader says what it read before we came.
        sink.samples(sampleOf(position, undefined));
      });
      resolve([]);
    });
  }

  onLost(handler: (why: GatewayError) => void): void {
    this.#onLost = handler;
  }

  close(): Promise<void> {
    const why = new GatewayError('link-closed', 'the driver is closed');
    this.#opening?.cancel(why);
    this.#end(why);
    this.#stream?.close();
    return Promise.resolve();
  }

  #ask(of: 'net' | 'gross', signal: AbortSignal): Promise<{ answer: Message; line: string }> {
    return new Promise((resolve, reject) => {
      if (this.#over) throw this.#over;
      if (signal.aborted) throw abortError(signal);
      // The host keeps to `inFlight`: an author need not queue.
      if (this.#call) throw new GatewayError('too-many', 'one request at a time');
      const onAbort = (): void => call.failed(abortError(signal));
      const settled = (): void => {
        signal.removeEventListener('abort', onAbort);
        if (this.#call === call) this.#call = undefined;
      };
      const call: Call = {
        of,
        signal,
        answered: (answer, line) => {
          settled();
          resolve({ answer, line });
        },
        failed: (why) => {
          settled();
          reject(why);
        },
      };
      signal.addEventListener('abort', onAbort);
      this.#call = call;
      this.#stream?.write(bytesOf(requestOf(of)));
    });
  }

  #take(line: string): void {
    const message = parseLine(line);
    if (message?.kind === 'barcode') this.#push(message.reader, message.code);
    else if (message && this.#isAnswer(message)) this.#call?.answered(message, line);
    else {
      this.#context.count('odd', '');
      this.#lose(new GatewayError('bad-frame', `not what was requested: ${line}`));
    }
  }

  #isAnswer(message: Message): boolean {
    return this.#call !== undefined && (message.kind !== 'weight' || message.of === this.#call.of);
  }

  #push(reader: number, code: string): void {
    for (const target of this.#targets)
      if (target.reader === reader) target.sink.samples(sampleOf(target.position, code));
  }

  #decode({ value }: ScaleAddress, weight: Weight, at: number, into: Batch): void {
    const { state, unit } = weight;
    if (value === 'stable') into.number(at, state === 'stable' ? 1 : 0);
    else if (unit !== this.#config.unit) {
      into.bad(at, Quality.configuration);
      this.#context.notice('', `the scale weighs in ${unit}: set unit: ${unit}, or the scale`);
    } else if (state === 'overload') into.numberAs(at, weight.value, Quality.aboveRange);
    else if (state === 'moving') into.numberAs(at, weight.value, Quality.doubtful);
    else into.number(at, weight.value);
  }

  /** The link is in doubt: the call under way says so, or `onLost` where there is none. */
  #lose(why: GatewayError): void {
    if (this.#over) return;
    const isIdle = this.#call === undefined;
    this.#end(why);
    if (isIdle) this.#onLost(why);
  }

  #end(why: GatewayError): void {
    this.#over ??= why;
    this.#targets.length = 0;
    this.#call?.failed(this.#over);
  }
}

/** A barcode that was read just now; undefined: none yet. */
function sampleOf(position: number, code: string | undefined): AgedRows {
  const rows = new AgedRows();
  const quality = code === undefined ? Quality.waiting : Quality.good;
  rows.tell(position, { number: NaN, quality, wide: code }, NaN);
  return rows;
}
