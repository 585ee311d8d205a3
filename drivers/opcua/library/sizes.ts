import { asGatewayError, GatewayError } from '../../../gateway/contract/index.js';
import { isAnswer } from '../service/failures.js';

/** Services that take a list, and how long it may be where the server says nothing. */
const usual = {
  read: 1_000,
  monitor: 1_000,
  register: 1_000,
  translate: 200,
  history: 10,
  /** Samples of one node in one answer. */
  samples: 1_000,
  /** Nodes below one node in one answer. */
  browse: 10_000,
} as const;
export type Service = keyof typeof usual;

/** The request was too long, or its answer. Another one of half the size may do. */
const tooLong =
  /BadTooManyOperations|BadEncodingLimitsExceeded|Bad(?:Request|Response)TooLarge|BadTcpMessageTooLarge/;
/** It is an item that is refused, and the whole request with it: which, is found out by halving. */
const ofItem =
  /Bad(NodeId|AttributeId|IndexRange|DataEncoding|NotReadable|UserAccessDenied|BrowseName|MonitoredItem|Filter|Deadband|TypeMismatch|OutOfRange|InvalidArgument)/;
/** More requests for one list to find it; what is not found by then is refused with it. */
const splits = 128;
/** The server is full: what it took stays, and it takes no more, whatever the size of the request. */
const full = /BadTooManyMonitoredItems/;

/**
 * How much a server takes in one request. Where it does not say, or says too much, it is found out by halving; what was
 * found lies in the memory of the link, for the next connection too.
 */
export class RequestSizes {
  readonly #found: Map<Service, number>;
  readonly #said = new Map<Service, number>();

  /** @param found what was found out before; it is added to */
  constructor(found: Map<Service, number> = new Map()) {
    this.#found = found;
  }

  of(service: Service): number {
    const bounds = [this.#said.get(service), this.#found.get(service)];
    return Math.min(usual[service], ...bounds.filter((one) => one !== undefined));
  }

  /** What the server says itself; nothing, or zero: no limit. */
  said(service: Service, most: number | undefined): void {
    if (most !== undefined && most > 0) this.#said.set(service, most);
  }

  /** Calls until it is short enough. A call of one that is too long rejects as it is. */
  async shortened<R>(service: Service, call: (most: number) => Promise<R>): Promise<R> {
    for (;;) {
      const most = this.of(service);
      try {
        return await call(most);
      } catch (thrown) {
        if (most === 1 || !tooLong.test(asGatewayError(thrown).message)) throw thrown;
        this.#halve(service, most);
      }
    }
  }

  /**
   * One request after the other, each short enough.
   * @param refused stands for one item that is too much alone: it must not be the end of the others
   */
  async each<T, R>(
    service: Service,
    items: readonly T[],
    call: (some: readonly T[]) => Promise<readonly R[]>,
    refused: (why: GatewayError) => R,
  ): Promise<readonly R[]> {
    const results: R[] = [];
    let atMost = Infinity;
    while (results.length < items.length) {
      const size = Math.min(this.of(service), atMost, items.length - results.length);
      const some = items.slice(results.length, results.length + size);
      try {
        results.push(...(await new Parts(call, refused).ask(some)));
      } catch (thrown) {
        const why = asGatewayError(thrown);
        const isFull = full.test(why.message);
        if (!isFull && !tooLong.test(why.message)) throw thrown;
        if (size > 1) {
          if (isFull) atMost = Math.ceil(size / 2);
          else this.#halve(service, size);
          // The connection is gone; the next one asks for less.
          if (why.kind !== 'device') throw thrown;
        } else if (isFull) {
          while (results.length < items.length) results.push(refused(why));
        } else results.push(refused(why));
      }
    }
    return results;
  }

  #halve(service: Service, from: number): void {
    this.#found.set(service, Math.max(1, Math.floor(from / 2)));
  }
}

/** The same call with parts of a list, where one of its items is the end of all. */
class Parts<T, R> {
  readonly #call: (some: readonly T[]) => Promise<readonly R[]>;
  readonly #refused: (why: GatewayError) => R;
  #left = splits;

  constructor(
    call: (some: readonly T[]) => Promise<readonly R[]>,
    refused: (why: GatewayError) => R,
  ) {
    this.#call = call;
    this.#refused = refused;
  }

  /** Rejects where more than these items is concerned: the size of the request, or the connection. */
  async ask(some: readonly T[]): Promise<readonly R[]> {
    try {
      return filled(await this.#call(some), some.length, this.#refused);
    } catch (thrown) {
      const why = asGatewayError(thrown);
      if (!isAnswer(why) || full.test(why.message) || tooLong.test(why.message)) throw why;
      if (some.length === 1 || this.#left <= 0 || !ofItem.test(why.message))
        return some.map(() => this.#refused(why));
      this.#left -= 2;
      const half = Math.ceil(some.length / 2);
      const first = await this.ask(some.slice(0, half));
      return [...first, ...(await this.ask(some.slice(half)))];
    }
  }
}

/** Who is meant by a result is known by its place alone: with one too few or too many, none is known. */
function filled<R>(
  results: readonly R[],
  count: number,
  refused: (why: GatewayError) => R,
): readonly R[] {
  if (results.length === count) return results;
  const what = `the server answers for ${String(results.length)} of ${String(count)}`;
  const why = new GatewayError('bad-frame', what);
  return Array.from({ length: count }, () => refused(why));
}
