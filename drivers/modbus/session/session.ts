import {
  asGatewayError,
  GatewayError,
  type Batch,
  type ByteStream,
  type DriverEvent,
  type Log,
} from '../../../gateway/contract/index.js';
import { abortError } from '../../lib/abort.js';
import type { FrameSink, Framing, Receiver } from '../wire/framing.js';
import { countedLength, exceptionFlag } from '../frames/frame.js';
import type { LineMemory } from '../line/memory.js';
import type { Doubt } from '../line/watch.js';

/** One question to a device, and how its answer is taken. Kept and used again for a read group. */
export interface Exchange<R> {
  readonly unit: number;
  readonly fn: number;
  /** Equal for questions about the same place. */
  readonly key: string;
  /** Name of the device, for counters. */
  readonly device: string;
  /** Goes before what waits and is not urgent. */
  readonly urgent: boolean;
  /** Steps by which the request may ask for too much, or (below 0) too little: see {@link Receiver.extra}. */
  readonly maxExtra: number;
  readonly minExtra: number;
  /** The device refuses to be asked for too much. */
  noExtra: () => void;
  /** Bytes of the PDU of a normal answer to the request with so many extra steps; undefined when it varies. */
  answerLength: (extra: number) => number | undefined;
  /** Writes the PDU into `out` at `at`; returns its length in bytes. */
  request: (out: Uint8Array, at: number, extra: number) => number;
  /** Takes the answer's PDU; undefined when it does not answer this request. */
  answer: (
    bytes: Uint8Array,
    at: number,
    length: number,
    into: Batch | undefined,
    doubt: Doubt,
  ) => R | undefined;
  /**
   * Takes a PDU that came in the place of the answer, and is none.
   * @param isOurs can it be no other request's?
   * @returns for people what it is: `4 bytes of data instead of 6`; and what came of the request, if that is certain
   */
  odd: (pdu: Uint8Array, isOurs: boolean, into: Batch | undefined) => Odd<R>;
  /** Takes an exception answer. */
  exception: (code: number, into: Batch | undefined, doubt: Doubt) => R;
  /** An answer was dropped that may have been the one to this request: the device answers, whatever comes now. */
  unsure?: (into: Batch | undefined) => void;
  /** The call failed: nothing is known any more. */
  failed: () => void;
  /** Nobody answers this one: what came of it once it is sent. */
  told?: () => R;
}

/** What came in the place of an answer. */
export interface Odd<R> {
  readonly what: string;
  readonly outcome: R | undefined;
}

/** Calls that one session takes at once, sent or waiting: far above any `inFlight`. */
export const maxCalls = 64;
/** Abandoned transaction ids that are remembered, so that none is given out again. */
const maxAbandoned = 256;
/** Signals that keep our listener while idle: the host has one for each of its `inFlight` lanes. */
const maxSignals = 20;
/** An answer this many ids old is late, not foreign. */
const lateWindow = 0x8000;

const notAsAsked = 'answers, but not as asked';
const answersTwice =
  'answers come twice on this line: look at repeaters, radios and converters, or set requestGap above the delay of the second one';
function anotherTalks(unit: number): string {
  return `something else talks on this line, first seen with unit ${unit}: a line takes one client; take the other one off it, or give it a line of its own`;
}

type State = 'free' | 'waiting' | 'sent';
const nothing = (): void => undefined;

/** A call under way. Objects are used again: steady state allocates the promise alone. */
class Call {
  readonly frame: Uint8Array;
  /** The frame as sent; made anew only when the length differs from the last one. */
  wire: Uint8Array;
  state: State = 'free';
  id = 0;
  exchange: Exchange<unknown> | undefined;
  into: Batch | undefined;
  signal: AbortSignal | undefined;
  resolve: (outcome: unknown) => void = nothing;
  reject: (why: GatewayError) => void = nothing;

  constructor(size: number) {
    this.frame = new Uint8Array(size);
    this.wire = this.frame.subarray(0, 0);
  }
}

// The executor of a promise runs at once, so one function serves all: no closure per call.
let takenResolve: (outcome: unknown) => void = nothing;
let takenReject: (why: GatewayError) => void = nothing;
const take = (resolve: (outcome: unknown) => void, reject: (why: GatewayError) => void): void => {
  takenResolve = resolve;
  takenReject = reject;
};

/** What a session needs to know. `firstId` is the first transaction id. */
export interface SessionOptions {
  readonly framing: Framing;
  /** See {@link Framing.receiver}. */
  readonly line?: LineMemory;
  readonly inFlight: number;
  readonly firstId: number;
  /** Takes answers with another unit id: some single devices always answer with their own. */
  readonly anyUnit: boolean;
  /** Takes answers with another id: whoever answers counts itself. */
  readonly anyTransaction?: boolean;
  /** Leaves what comes behind the counted data of a read. */
  readonly surplus?: boolean;
  readonly log: Log;
  count: (event: DriverEvent, device: string) => void;
  /** See {@link DriverContext.notice}. */
  notice: (device: string, text: string) => void;
  /** Called once when the stream breaks while no call is under way. */
  readonly onLost: (why: GatewayError) => void;
}

/**
 * One connection: gives out transaction ids, keeps at most `inFlight` requests on the wire, matches
 * answers, and settles every call exactly once. An answer with an id or of a unit that was not asked puts all that is
 * under way in doubt, and the connection ends; one that is odd otherwise is what came of its own request.
 */
export class Session implements FrameSink {
  /** Answers that came after their call was given up, or twice; dropped. */
  lateAnswers = 0;
  readonly #stream: ByteStream;
  readonly #options: SessionOptions;
  readonly #receiver: Receiver;
  readonly #pool: Call[] = [];
  readonly #sent: Call[] = [];
  readonly #waiting: Call[] = [];
  /** Ids that were sent and given up; the device may still answer them. */
  readonly #abandoned: number[] = [];
  /** Signals that carry our listener: one listener each, however many calls share the signal. */
  readonly #watched: AbortSignal[] = [];
  /** Names of the devices that were asked, by unit id, for counters. */
  readonly #devices = new Map<number, string>();
  #nextId: number;
  #issued = 0;
  /** Id of the last answer, and whether they differ: where the other side gives its own. */
  #otherId: number | undefined;
  #otherCounts = false;
  #lost: GatewayError | undefined;
  /** The first of which a frame came that nobody here asked for: one text for all of them. */
  #foreignUnit: number | undefined;
  readonly #onAbort = (): void => {
    this.#giveUpAborted();
  };

  constructor(stream: ByteStream, options: SessionOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#nextId = options.firstId & 0xffff;
    this.#receiver = options.framing.receiver(this, options.line);
    stream.onBytes((bytes) => {
      this.#receiver.push(bytes);
    });
    stream.onEnd((why) => {
      this.#fail(why);
    });
  }

  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /** Sends one request, or lets it wait for its turn. Settles with the exchange's result. */
  call<R>(exchange: Exchange<R>, into: Batch | undefined, signal: AbortSignal): Promise<R> {
    if (this.#lost) return Promise.reject(this.#lost);
    if (signal.aborted) return Promise.reject(abortError(signal));
    if (this.#sent.length + this.#waiting.length >= maxCalls)
      return Promise.reject(
        new GatewayError('too-many', `more than ${maxCalls} calls on one link`),
      );
    this.#watch(signal);
    const call = this.#pool.pop() ?? new Call(this.#options.framing.maxFrame);
    call.exchange = exchange;
    call.into = into;
    call.signal = signal;
    const promise = new Promise<unknown>(take) as Promise<R>;
    call.resolve = takenResolve;
    call.reject = takenReject;
    if (this.#sent.length < this.#options.inFlight) this.#send(call);
    else this.#enqueue(call);
    return promise;
  }

  /** Rejects what is under way and closes the stream. Nothing is called back afterwards. */
  close(why: GatewayError): void {
    if (!this.#lost) this.#end(why);
  }

  frame(
    id: number,
    unit: number,
    bytes: Uint8Array,
    pduAt: number,
    pduLength: number,
    doubt: Doubt = 'none',
  ): void {
    const call = this.#find(id);
    const exchange = call?.exchange;
    if (!call || !exchange) {
      this.#unexpected(id, unit);
      return;
    }
    const fn = bytes[pduAt] as number;
    if (unit !== exchange.unit && !this.#options.anyUnit) {
      this.broken(`unit ${unit} answers a request to unit ${exchange.unit} (anyUnit takes it)`);
      return;
    }
    let outcome: unknown;
    const length =
      this.#options.surplus === true ? countedLength(bytes, pduAt, pduLength) : pduLength;
    if (fn === exchange.fn) outcome = exchange.answer(bytes, pduAt, length, call.into, doubt);
    else if (fn === (exchange.fn | exceptionFlag) && pduLength === 2) {
      this.#options.count('exception', exchange.device);
      outcome = exchange.exception(bytes[pduAt + 1] as number, call.into, doubt);
    }
    // An echo of another write, where such ones come that nobody here asked for.
    if (outcome === undefined && doubt === 'foreign') {
      this.#receiver.notOurs?.(bytes, pduLength);
      return;
    }
    outcome ??= this.#odd(call, exchange, bytes.subarray(pduAt, pduAt + pduLength));
    if (outcome === undefined) return;
    this.#settle(call, outcome);
  }

  /** The right id, or the only one who was asked, and yet no answer: one device's oddity is its own trouble. */
  #odd(call: Call, exchange: Exchange<unknown>, pdu: Uint8Array): unknown {
    const { device } = exchange;
    const { what, outcome } = exchange.odd(pdu, this.#options.framing.hasIds, call.into);
    this.#options.count('odd', device);
    this.#options.notice(device, `${notAsAsked}: ${what}`);
    return outcome;
  }

  corrupt(): void {
    const device = this.#sent[0]?.exchange?.device;
    if (device !== undefined) this.#options.count('corrupt', device);
  }

  late(unit: number, orId?: number): void {
    const unsure = this.#sent.find(({ id }) => id === orId);
    unsure?.exchange?.unsure?.(unsure.into);
    this.lateAnswers++;
    const device = this.#devices.get(unit);
    if (device !== undefined) this.#options.count('late', device);
  }

  foreign(unit: number, what: 'repetition' | 'another'): void {
    this.#options.count('foreign', this.#devices.get(unit) ?? '');
    if (what === 'repetition') this.#options.notice('', answersTwice);
    else {
      this.#foreignUnit ??= unit;
      this.#options.notice('', anotherTalks(this.#foreignUnit));
    }
  }

  broken(why: string): void {
    this.#options.log.debug('bad frame', { why });
    this.#fail(new GatewayError('bad-frame', `${notAsAsked}: ${why}`));
  }

  #find(id: number): Call | undefined {
    if (this.#options.anyTransaction === true)
      return this.#isRepeated(id) ? undefined : this.#sent[0];
    for (const call of this.#sent) if (call.id === id) return call;
    return undefined;
  }

  /** Where ids are the other side's own and count, the same one again is the same answer again. */
  #isRepeated(id: number): boolean {
    const isSame = id === this.#otherId;
    if (!isSame && this.#otherId !== undefined) this.#otherCounts = true;
    this.#otherId = id;
    return isSame && this.#otherCounts;
  }

  /** An answer that nobody waits for: late or repeated is harmless, never asked for is not. */
  #unexpected(id: number, unit: number): void {
    if (this.#options.anyTransaction === true) {
      this.late(unit);
      return;
    }
    const age = (this.#nextId - id) & 0xffff;
    if (age === 0 || age > Math.min(this.#issued, lateWindow)) {
      this.broken(`transaction ${id} was never sent (anyTransaction takes it)`);
      return;
    }
    this.late(unit);
    const index = this.#abandoned.indexOf(id);
    if (index >= 0) this.#abandoned.splice(index, 1);
    this.#options.log.debug('late answer dropped', { transaction: id });
  }

  #enqueue(call: Call): void {
    call.state = 'waiting';
    const firstPatient = call.exchange?.urgent
      ? this.#waiting.findIndex((other) => !other.exchange?.urgent)
      : -1;
    if (firstPatient < 0) this.#waiting.push(call);
    else this.#waiting.splice(firstPatient, 0, call);
  }

  #sendNext(): void {
    while (!this.#lost && this.#sent.length < this.#options.inFlight) {
      const call = this.#waiting.shift();
      if (!call) return;
      this.#send(call);
    }
  }

  #send(call: Call): void {
    const { exchange, frame } = call;
    if (!exchange) return;
    const { framing } = this.#options;
    const { unit } = exchange;
    if (!this.#devices.has(unit)) this.#devices.set(unit, exchange.device);
    call.id = this.#takeId();
    const extra = this.#extraFor(exchange);
    const size = exchange.request(frame, framing.pduAt, extra);
    const length = framing.seal(frame, call.id, unit, size);
    if (call.wire.length !== length) call.wire = frame.subarray(0, length);
    call.state = 'sent';
    this.#sent.push(call);
    try {
      if (!exchange.told) this.#receiver.sent?.(call.id, exchange, extra, call.wire);
      this.#stream.write(call.wire);
    } catch (thrown) {
      this.#fail(asGatewayError(thrown));
      return;
    }
    if (exchange.told) this.#settle(call, exchange.told());
  }

  #settle(call: Call, outcome: unknown): void {
    const { resolve } = call;
    this.#release(call);
    resolve(outcome);
    this.#sendNext();
  }

  #extraFor(exchange: Exchange<unknown>): number {
    const { minExtra, maxExtra } = exchange;
    if ((maxExtra === 0 && minExtra === 0) || !this.#receiver.extra) return 0;
    return this.#receiver.extra(exchange);
  }

  /** The next id that neither waits for an answer nor may still get one. */
  #takeId(): number {
    for (;;) {
      const id = this.#nextId;
      this.#nextId = (id + 1) & 0xffff;
      if (this.#issued < 0x10000) this.#issued++;
      else if (this.#abandoned.includes(id) || this.#sent.some((call) => call.id === id)) continue;
      return id;
    }
  }

  #watch(signal: AbortSignal): void {
    if (this.#watched.includes(signal)) return;
    if (this.#watched.length >= maxSignals) this.#unwatchIdle();
    this.#watched.push(signal);
    signal.addEventListener('abort', this.#onAbort);
  }

  /** Lets go of signals that no call under way has. */
  #unwatchIdle(): void {
    const watched = this.#watched;
    for (let i = watched.length - 1; i >= 0; i--) {
      const old = watched[i];
      if (old && !this.#inUse(old)) {
        old.removeEventListener('abort', this.#onAbort);
        watched.splice(i, 1);
      }
    }
  }

  #inUse(signal: AbortSignal): boolean {
    return (
      this.#sent.some((call) => call.signal === signal) ||
      this.#waiting.some((call) => call.signal === signal)
    );
  }

  #giveUpAborted(): void {
    for (const call of [...this.#sent, ...this.#waiting]) {
      const { signal, reject, exchange } = call;
      if (!signal?.aborted) continue;
      if (call.state === 'sent') {
        this.#receiver.gaveUp?.(call.id);
        this.#abandoned.push(call.id);
        if (this.#abandoned.length > maxAbandoned) this.#abandoned.shift();
      }
      this.#release(call);
      exchange?.failed();
      reject(abortError(signal));
    }
    this.#unwatchIdle();
    this.#sendNext();
  }

  #release(call: Call): void {
    const list = call.state === 'sent' ? this.#sent : this.#waiting;
    const index = list.indexOf(call);
    if (index >= 0) list.splice(index, 1);
    call.state = 'free';
    call.exchange = undefined;
    call.into = undefined;
    call.signal = undefined;
    call.resolve = nothing;
    call.reject = nothing;
    this.#pool.push(call);
  }

  #fail(why: GatewayError): void {
    if (this.#lost) return;
    const idle = this.#sent.length === 0 && this.#waiting.length === 0;
    this.#end(why);
    if (idle) this.#options.onLost(why);
  }

  #end(why: GatewayError): void {
    this.#lost = why;
    this.#receiver.stop();
    this.#stream.close();
    for (const signal of this.#watched) signal.removeEventListener('abort', this.#onAbort);
    this.#watched.length = 0;
    for (const call of [...this.#sent, ...this.#waiting]) {
      const { reject, exchange } = call;
      if (call.state === 'sent') this.#receiver.gaveUp?.(call.id);
      this.#release(call);
      exchange?.failed();
      reject(why);
    }
  }
}
