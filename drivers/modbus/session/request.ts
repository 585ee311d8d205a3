/** Single requests, for writes and for the tools; reads of groups have an exchange of their own. */
import {
  echoLength,
  exceptionText,
  Fn,
  get16,
  isEcho,
  isReadAnswer,
  keyOf,
  oddEcho,
  oddRead,
  put16,
  putMaskWrite,
  putRead,
  putWriteCoil,
  putWriteCoils,
  putWriteRegisters,
  readBytes,
} from '../frames/frame.js';
import type { Doubt } from '../line/watch.js';
import type { Exchange, Odd } from './session.js';

/**
 * What the device said: the PDU of its answer, a copy; or the code of its exception, 0 where it answered something else,
 * of which `odd` tells. `isDoubted`: it may be the answer to another question.
 */
export type Answer =
  | { readonly ok: true; readonly pdu: Uint8Array }
  | {
      readonly ok: false;
      readonly exception: number;
      readonly odd?: string;
      readonly isDoubted?: boolean;
    };

/** Sends one request and gives the answer. */
export type Ask = (request: Exchange<Answer>) => Promise<Answer>;

/** One question, sent once, whatever happens. */
export class Request implements Exchange<Answer> {
  readonly unit: number;
  readonly fn: number;
  readonly device: string;
  readonly key: string;
  readonly urgent = true;
  readonly maxExtra = 0;
  readonly minExtra = 0;
  readonly pdu: Uint8Array;
  readonly #length: number | undefined;
  readonly #fits: (pdu: Uint8Array) => boolean;
  readonly #isEcho: boolean;

  /**
   * @param length bytes of the PDU of a normal answer; undefined when it varies
   * @param fits is this PDU an answer to the request?
   * @param isEcho the answer repeats the request
   */
  constructor(
    unit: number,
    device: string,
    pdu: Uint8Array,
    length: number | undefined,
    fits: (pdu: Uint8Array) => boolean,
    isEcho = false,
  ) {
    this.unit = unit;
    this.device = device;
    this.fn = pdu[0] as number;
    this.key = keyOf(unit, this.fn, pdu.length > 2 ? get16(pdu, 1) : 0);
    this.pdu = pdu;
    this.#length = length;
    this.#fits = fits;
    this.#isEcho = isEcho;
  }

  answerLength(): number | undefined {
    return this.#length;
  }

  request(out: Uint8Array, at: number): number {
    out.set(this.pdu, at);
    return this.pdu.length;
  }

  answer(bytes: Uint8Array, at: number, length: number): Answer | undefined {
    const pdu = bytes.slice(at, at + length);
    return this.#fits(pdu) ? { ok: true, pdu } : undefined;
  }

  exception(exception: number): Answer {
    return { ok: false, exception };
  }

  /** Without ids an echo of the same place is the device's word on this write, whatever value it names. */
  odd(pdu: Uint8Array, isOurs: boolean): Odd<Answer> {
    const what = this.#isEcho ? oddEcho(pdu, this.pdu) : `${String(pdu.length)} bytes`;
    const isCertain = isOurs || (this.#isEcho && get16(pdu, 1) === get16(this.pdu, 1));
    return { what, outcome: isCertain ? { ok: false, exception: 0, odd: what } : undefined };
  }

  noExtra(): void {
    // It is never asked longer.
  }

  failed(): void {
    // The device may have done it or not; whoever asked must look.
  }
}

/** `illegal address (2)`, or undefined for an answer. */
export function refusalOf(answer: Answer): string | undefined {
  if (answer.ok) return undefined;
  return answer.odd === undefined
    ? exceptionText(answer.exception)
    : `the device answers ${answer.odd}`;
}

/** Whom a request is for: unit id on the wire, and the name of the device for counters. */
export interface Target {
  readonly unit: number;
  readonly device: string;
}

function build(fill: (out: Uint8Array) => number): Uint8Array {
  const out = new Uint8Array(253);
  return out.slice(0, fill(out));
}

function echoed({ unit, device }: Target, pdu: Uint8Array): Request {
  const fits = (answer: Uint8Array): boolean => isEcho(answer, 0, answer.length, pdu);
  return new Request(unit, device, pdu, echoLength(pdu), fits, true);
}

/** A write to all devices of the line: none of them answers. */
export function toAll(request: Request): Exchange<Answer> {
  return Object.assign(request, { told: (): Answer => ({ ok: true, pdu: request.pdu }) });
}

/** Registers that a single read may ask for too much, where a late answer is owed. */
const mostExtra = 8;

/** FC 1 to 4; data begin at byte 2 of the answer's PDU. */
class PlainRead implements Exchange<Answer> {
  readonly unit: number;
  readonly fn: number;
  readonly device: string;
  readonly key: string;
  readonly urgent = true;
  maxExtra: number;
  readonly minExtra = 0;
  readonly #start: number;
  readonly #count: number;
  #asked = 0;

  constructor({ unit, device }: Target, fn: number, start: number, count: number, extra: number) {
    this.unit = unit;
    this.fn = fn;
    this.device = device;
    this.key = keyOf(unit, fn, start);
    this.#start = start;
    this.#count = count;
    this.maxExtra = Math.min(extra, 0x10000 - start - count);
  }

  answerLength(extra: number): number {
    return 2 + readBytes(this.fn, this.#count + extra);
  }
  request(out: Uint8Array, at: number, extra: number): number {
    this.#asked = readBytes(this.fn, this.#count + extra);
    return putRead(out, at, this.fn, this.#start, this.#count + extra);
  }
  /** What it asked for too much is not for whoever asked. */
  answer(
    bytes: Uint8Array,
    at: number,
    length: number,
    _into: unknown,
    doubt: Doubt = 'none',
  ): Answer | undefined {
    if (!isReadAnswer(bytes, at, length, this.#asked)) return undefined;
    if (doubt !== 'none') return doubted;
    return { ok: true, pdu: bytes.slice(at, at + this.answerLength(0)) };
  }
  odd(pdu: Uint8Array, isOurs: boolean): Odd<Answer> {
    const what = oddRead(pdu, this.fn, this.#asked);
    return { what, outcome: isOurs ? { ok: false, exception: 0, odd: what } : undefined };
  }
  exception(exception: number): Answer {
    return { ok: false, exception };
  }
  noExtra(): void {
    this.maxExtra = 0;
  }
  failed(): void {
    // Whoever asked sees it.
  }
}

const doubted: Answer = {
  ok: false,
  exception: 0,
  odd: 'what may be meant for someone else on the line',
  isDoubted: true,
};

/** Asks once more where the answer may be that to another question. */
export async function askTwice(ask: Ask, request: Exchange<Answer>): Promise<Answer> {
  const first = await ask(request);
  return !first.ok && first.isDoubted === true ? ask(request) : first;
}

/** @param mayBeLonger may it ask for registers that nobody named, so that its answer is like no other? */
export function readRequest(
  to: Target,
  fn: number,
  start: number,
  count: number,
  mayBeLonger = false,
): Exchange<Answer> {
  return new PlainRead(to, fn, start, count, mayBeLonger ? mostExtra : 0);
}

/** FC 5, or FC 15 with one bit. */
export function writeCoil(to: Target, address: number, on: boolean, many: boolean): Request {
  return echoed(
    to,
    build((out) =>
      many
        ? putWriteCoils(out, 0, address, Uint8Array.of(on ? 1 : 0))
        : putWriteCoil(out, 0, address, on),
    ),
  );
}

/** FC 6 or 16; `data` as on the wire, `words` × two bytes a register, at most 246. */
export function writeRegisters(
  to: Target,
  address: number,
  data: Uint8Array,
  many: boolean,
  words: 1 | 2 = 1,
): Request {
  return echoed(
    to,
    build((out) => putWriteRegisters(out, 0, address, data, many, words)),
  );
}

/** FC 22. */
export function maskWrite(to: Target, address: number, and: number, or: number): Request {
  return echoed(
    to,
    build((out) => putMaskWrite(out, 0, address, and, or)),
  );
}

/** FC 23: writes the registers, then reads the same ones; the answer is what the device holds then. */
export function readWrite({ unit, device }: Target, address: number, data: Uint8Array): Request {
  const pdu = build((out) => {
    const count = data.length >> 1;
    putRead(out, 0, Fn.readWriteRegisters, address, count);
    put16(out, 5, address);
    put16(out, 7, count);
    out[9] = data.length;
    out.set(data, 10);
    return 10 + data.length;
  });
  return new Request(unit, device, pdu, 2 + data.length, (a) =>
    isReadAnswer(a, 0, a.length, data.length),
  );
}

/** FC 7: eight bits whose meaning is the device's own. */
export function exceptionStatus({ unit, device }: Target): Request {
  return new Request(unit, device, Uint8Array.of(Fn.readExceptionStatus), 2, (a) => a.length === 2);
}

/** FC 8/0: the device sends back what it got. */
export function loopback({ unit, device }: Target, data: number): Request {
  const pdu = build((out) => putRead(out, 0, Fn.diagnostics, 0, data));
  return new Request(
    unit,
    device,
    pdu,
    5,
    (a) => a.length === 5 && get16(a, 1) === 0 && get16(a, 3) === data,
  );
}

/** FC 17: bytes whose meaning is the device's own. */
export function serverId({ unit, device }: Target): Request {
  return new Request(
    unit,
    device,
    Uint8Array.of(Fn.reportServerId),
    undefined,
    (a) => a.length >= 2 && a[1] === a.length - 2,
  );
}

/** FC 43/14: objects of the identification from `object` on; 1 basic, 2 regular, 3 extended. */
export function identification(
  { unit, device }: Target,
  level: 1 | 2 | 3,
  object: number,
): Request {
  const pdu = Uint8Array.of(Fn.encapsulated, 14, level, object);
  return new Request(
    unit,
    device,
    pdu,
    undefined,
    (a) => a.length >= 7 && a[1] === 14 && a[2] === level,
  );
}
