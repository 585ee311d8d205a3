import type { DurationMs, MonoMs } from '../../gateway/contract/index.js';

export interface LineOptions {
  /** Longest line without its end, bytes. More is never kept: a longer line is skipped up to its end. */
  readonly longest: number;
  /** What the bytes of a line are; default: `ascii`, where a byte beyond 0x7e or a control character is a fault. */
  readonly text?: 'ascii' | 'latin1' | 'utf-8';
  /**
   * Longest pause within a line, ms, by the clock of the context. Bytes that come later are not the rest of it: the half
   * line is dropped. Default: a line may take as long as it likes, and the host's time-out ends the wait for it.
   */
  readonly pause?: { readonly longest: DurationMs; readonly now: () => MonoMs };
}

/** `too-long`: over the bound. `not-text`: bytes that are no text. `cut`: the pause within the line was too long. */
export type LineFault = 'too-long' | 'not-text' | 'cut';

export interface LineHandler {
  /** A whole line without its end, never empty. */
  line: (text: string) => void;
  /** Bytes were dropped; the next line is whole again. */
  fault: (why: LineFault) => void;
}

const lf = 0x0a;
const cr = 0x0d;

/**
 * Cuts a byte stream into lines of text. A line ends with CR, LF or both; empty lines are skipped. It keeps at most one line
 * of the longest size, whatever arrives, and after a fault it goes on behind the next end of a line.
 */
export class LineReader {
  readonly #options: LineOptions;
  readonly #handler: LineHandler;
  readonly #held: Uint8Array;
  #size = 0;
  #isSkipping = false;
  #lastAt = -Infinity;

  constructor(options: LineOptions, handler: LineHandler) {
    this.#options = options;
    this.#handler = handler;
    this.#held = new Uint8Array(options.longest);
  }

  /** Takes the next bytes; they may be reused after the call. */
  push(bytes: Uint8Array): void {
    this.#checkPause();
    for (let at = 0; at < bytes.length;) {
      const end = endOf(bytes, at);
      this.#keep(bytes, at, end);
      if (end < bytes.length) this.#finish();
      at = end + 1;
    }
  }

  /**
   * Drops what is held, and everything up to the next end of a line: for a driver that keeps its connection after a request
   * was given up, when the rest of the answer may still come.
   */
  resynchronise(): void {
    this.#isSkipping = this.#isSkipping || this.#size > 0;
    this.#size = 0;
  }

  #checkPause(): void {
    const { pause } = this.#options;
    if (!pause) return;
    const now = pause.now();
    const isLate = now - this.#lastAt > pause.longest;
    this.#lastAt = now;
    if (!isLate || (this.#size === 0 && !this.#isSkipping)) return;
    const wasSkipping = this.#isSkipping;
    this.#size = 0;
    this.#isSkipping = false;
    if (!wasSkipping) this.#handler.fault('cut');
  }

  #keep(bytes: Uint8Array, from: number, to: number): void {
    if (this.#isSkipping) return;
    if (this.#size + to - from > this.#held.length) {
      this.#size = 0;
      this.#isSkipping = true;
      this.#handler.fault('too-long');
      return;
    }
    this.#held.set(bytes.subarray(from, to), this.#size);
    this.#size += to - from;
  }

  #finish(): void {
    const line = this.#held.subarray(0, this.#size);
    this.#size = 0;
    const wasSkipping = this.#isSkipping;
    this.#isSkipping = false;
    if (wasSkipping || line.length === 0) return;
    const text = textOf(line, this.#options.text ?? 'ascii');
    if (text === undefined) this.#handler.fault('not-text');
    else this.#handler.line(text);
  }
}

/** Where the line ends that holds position `from`; the length if it goes on. */
function endOf(bytes: Uint8Array, from: number): number {
  for (let at = from; at < bytes.length; at++) if (bytes[at] === lf || bytes[at] === cr) return at;
  return bytes.length;
}

function textOf(line: Uint8Array, kind: 'ascii' | 'latin1' | 'utf-8'): string | undefined {
  if (kind === 'utf-8') {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(line);
    } catch {
      return undefined;
    }
  }
  const isText = (byte: number): boolean => (byte >= 0x20 && byte < 0x7f) || byte === 0x09;
  if (kind === 'ascii' && !line.every(isText)) return undefined;
  let text = '';
  for (const byte of line) text += String.fromCharCode(byte);
  return text;
}

/** Text as bytes: of a request in ASCII or Latin-1. Characters beyond that are not checked. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
