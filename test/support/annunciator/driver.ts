import {
  AgedRows,
  GatewayError,
  Quality,
  type Batch,
  type ByteStream,
  type DeviceOutcome,
  type Driver,
  type DriverContext,
  type EventSink,
  type EventTerms,
  type ReadGroup,
  type ReadOutcome,
  type SubscriptionSink,
} from '../../../gateway/contract/index.js';
import {
  abortError,
  bytesOf,
  LineReader,
  openAbortable,
  type Opening,
} from '../../../drivers/lib/index.js';
import type { AnnunciatorAddress } from './index.js';

type Group = ReadGroup<AnnunciatorAddress>;

/** A request that waits for its answer. */
interface Call {
  answered(words: readonly string[]): void;
  failed(why: GatewayError): void;
}

/** Where the samples of a tag go. */
interface Target {
  readonly group: Group;
  readonly position: number;
  readonly sink: SubscriptionSink;
}

export class Annunciator implements Driver<AnnunciatorAddress> {
  readonly #context: DriverContext;
  readonly #calls: Call[] = [];
  readonly #targets = new Map<string, Target>();
  readonly #signals = new Set<AbortSignal>();
  readonly #lines = new LineReader(
    { longest: 256 },
    {
      line: (text) => this.#take(text),
      fault: (why) => this.#lose(new GatewayError('bad-frame', `a line is ${why}`)),
    },
  );
  #events: EventSink | undefined;
  #opening: Opening | undefined;
  #stream: ByteStream | undefined;
  #reads = 0;
  #over: GatewayError | undefined;
  #isClosed = false;
  #onLost: (why: GatewayError) => void = () => undefined;
  readonly #onAbort = (event: Event): void => {
    const why = abortError(event.target as AbortSignal);
    for (const call of this.#calls.splice(0)) call.failed(why);
  };

  constructor(context: DriverContext) {
    this.#context = context;
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
    if (this.#reads > 0) throw new GatewayError('too-many', 'one at a time');
    this.#reads++;
    try {
      const names = group.tags.map(({ address }) => address.name);
      const values = await this.#ask(`R ${names.join(' ')}`, signal);
      if (values.length !== names.length) throw this.#lose(nonsense('an answer of another length'));
      for (const [i, value] of values.entries())
        if (value === '?') into.bad(i, Quality.device);
        else into.number(i, this.#number(value));
      return 'done';
    } finally {
      this.#reads--;
    }
  }

  async subscribe(group: Group, sink: SubscriptionSink, signal: AbortSignal): Promise<number[]> {
    const refused: number[] = [];
    await Promise.all(
      group.tags.map(async ({ address: { name } }, position) => {
        this.#targets.set(name, { group, position, sink });
        const [value = '?'] = await this.#ask(`S ${name}`, signal);
        if (value === '?') refused.push(position);
        this.#report(name, value, NaN);
      }),
    );
    return refused;
  }

  async listen(
    _device: string,
    _terms: EventTerms,
    sink: EventSink,
    signal: AbortSignal,
  ): Promise<DeviceOutcome> {
    this.#events = sink;
    const keys = await this.#ask('L', signal);
    if (keys[0] === '?') return { ok: false, code: 'no alarms' };
    sink.standing(keys);
    return { ok: true };
  }

  async acknowledge(
    ...[, key, , , signal]: Parameters<NonNullable<Driver['acknowledge']>>
  ): Promise<DeviceOutcome> {
    const [answer] = await this.#ask(`K ${key}`, signal);
    return answer === 'ok' ? { ok: true } : { ok: false, code: 'not here' };
  }

  onLost(handler: (why: GatewayError) => void): void {
    this.#onLost = handler;
  }

  close(): Promise<void> {
    this.#isClosed = true;
    const why = new GatewayError('link-closed', 'the driver is closed');
    this.#opening?.cancel(why);
    this.#end(why);
    this.#stream?.close();
    return Promise.resolve();
  }

  #ask(request: string, signal: AbortSignal): Promise<readonly string[]> {
    return new Promise((resolve, reject) => {
      if (this.#over) throw this.#over;
      if (signal.aborted) throw abortError(signal);
      if (!this.#signals.has(signal)) {
        for (const old of this.#signals) old.removeEventListener('abort', this.#onAbort);
        this.#signals.clear();
        this.#signals.add(signal);
        signal.addEventListener('abort', this.#onAbort);
      }
      this.#calls.push({ answered: resolve, failed: reject });
      this.#stream?.write(bytesOf(`${request}\n`));
    });
  }

  #take(text: string): void {
    const [kind, ...words] = text.split(' ');
    const [first = '', second = '', third = ''] = words;
    if (kind === '=') this.#calls.shift()?.answered(words);
    else if (kind === '!') this.#report(first, second, third === '' ? NaN : this.#number(third));
    else if (kind === '*') this.#event(first, second === 'on', third);
    else if (kind === '~') this.#alive();
    else this.#lose(nonsense(`no message: ${text}`));
  }

  #report(name: string, value: string, age: number): void {
    const target = this.#targets.get(name);
    if (!target || this.#over) return;
    const quality = value === '?' ? Quality.device : Quality.good;
    const rows = new AgedRows();
    const number = value === '?' ? NaN : this.#number(value);
    rows.tell(target.position, { number, quality, wide: undefined }, age);
    target.sink.samples(rows);
  }

  #event(key: string, active: boolean, id: string): void {
    const condition = { key, name: key, active, acked: false, retain: active };
    const about = { id, source: 'D', type: 'alarm', severity: 500, text: key, age: NaN };
    this.#events?.events([{ ...about, by: undefined, condition }]);
  }

  #alive(): void {
    // While answers are awaited, something is withheld.
    if (this.#calls.length > 0) return;
    for (const sink of new Set([...this.#targets.values()].map((target) => target.sink)))
      sink.alive();
    this.#events?.alive();
  }

  #number(text: string): number {
    const value = Number(text);
    if (text !== '' && Number.isFinite(value)) return value;
    throw this.#lose(nonsense(`no number: ${text}`));
  }

  /** The link is in doubt. @returns the reason */
  #lose(why: GatewayError): GatewayError {
    if (this.#over) return this.#over;
    const isIdle = this.#calls.length === 0 && this.#reads === 0;
    this.#end(why);
    if (isIdle && !this.#isClosed) this.#onLost(why);
    return why;
  }

  #end(why: GatewayError): void {
    this.#over ??= why;
    this.#targets.clear();
    this.#events = undefined;
    for (const signal of this.#signals) signal.removeEventListener('abort', this.#onAbort);
    for (const call of this.#calls.splice(0)) call.failed(why);
  }
}

function nonsense(what: string): GatewayError {
  return new GatewayError('bad-frame', what);
}
