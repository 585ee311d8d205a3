import type { MessagePort } from 'node:worker_threads';
import {
  GatewayError,
  type DeviceEvent,
  type DurationMs,
  type EventSink,
  type Samples,
  type SubscriptionSink,
} from '../contract/index.js';
import { limits } from '../limits.js';
import type { FromThread, SampleColumns } from './isolated-messages.js';

/** The way to a sink of the other side, which says what it has taken. */
export class RemoteSink {
  readonly #port: MessagePort;
  readonly id: number;
  #sent = 0;
  #took = 0;
  #waiting: { readonly until: number; readonly resolve: () => void }[] = [];

  constructor(port: MessagePort, id: number) {
    this.#port = port;
    this.id = id;
  }

  alive(): void {
    this.post({ kind: 'alive', sink: this.id });
  }
  revised(alive: DurationMs): void {
    this.post({ kind: 'revised', sink: this.id, alive });
  }

  confirmed(): Promise<void> | undefined {
    const until = this.#sent;
    if (this.#took >= until) return undefined;
    return new Promise((resolve) => this.#waiting.push({ until, resolve }));
  }

  /** The other side has taken the next of what it must take. */
  took(): void {
    this.#took++;
    const done = this.#waiting.filter(({ until }) => until <= this.#took);
    if (done.length > 0) this.#waiting = this.#waiting.filter(({ until }) => until > this.#took);
    for (const { resolve } of done) resolve();
  }

  /** What must be taken. */
  protected send(message: FromThread, transfer: readonly ArrayBuffer[] = []): void {
    if (this.#sent - this.#took >= limits.subscribedSamples)
      throw new GatewayError('too-many', 'more is told than is taken');
    this.#sent++;
    this.post(message, transfer);
  }
  protected post(message: FromThread, transfer: readonly ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transfer);
  }
}

export class RemoteSamples extends RemoteSink implements SubscriptionSink {
  samples(samples: Samples): void {
    const [columns, buffers] = columnsOf(samples);
    this.send({ kind: 'samples', sink: this.id, samples: columns }, buffers);
  }
  history(samples: Samples): void {
    const [columns, buffers] = columnsOf(samples);
    this.post({ kind: 'history', sink: this.id, samples: columns }, buffers);
  }
}

export class RemoteEvents extends RemoteSink implements EventSink {
  events(events: readonly DeviceEvent[]): void {
    this.send({ kind: 'events', sink: this.id, events });
  }
  standing(keys: readonly string[]): void {
    this.post({ kind: 'standing', sink: this.id, keys });
  }
}

/** Columns of their own, and their memory, to be given away. */
function columnsOf({
  count,
  positions,
  numbers,
  qualities,
  ages,
  wide,
}: Samples): [SampleColumns, ArrayBuffer[]] {
  const own = {
    positions: copyOf(positions, Uint32Array, count),
    numbers: copyOf(numbers, Float64Array, count),
    qualities: copyOf(qualities, Uint8Array, count),
    ages: copyOf(ages, Float64Array, count),
  };
  return [{ count, ...own, wide }, Object.values(own).map(({ buffer }) => buffer)];
}

interface ColumnOf<T> {
  new (length: number): T;
}

/** A copy of the rows that count. */
function copyOf<
  T extends Uint32Array<ArrayBuffer> | Float64Array<ArrayBuffer> | Uint8Array<ArrayBuffer>,
>(from: ArrayLike<number>, Column: ColumnOf<T>, count: number): T {
  const column = new Column(count);
  if (ArrayBuffer.isView(from)) column.set((from as Float64Array).subarray(0, count));
  else for (let i = 0; i < count; i++) column[i] = from[i] as number;
  return column;
}
