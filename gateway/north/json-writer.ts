const zero = 48;
const minus = 45;
/** Of the integers of 32 bits. */
const lowest = -2_147_483_648;
const encoder = new TextEncoder();

/**
 * Writes JSON text as bytes into a buffer that is used again: a frame of a thousand values makes no
 * string a value. Grows as needed.
 */
export class JsonWriter {
  #bytes = new Uint8Array(16_384);
  #at = 0;

  /** Begins a new text. */
  begin(): void {
    this.#at = 0;
  }

  /** The text so far, a copy. */
  take(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }

  /** ASCII text as it is: keys, brackets, words of our own. */
  raw(text: string): void {
    this.#room(text.length);
    const bytes = this.#bytes;
    let at = this.#at;
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
    this.#at = at;
  }

  /** One ASCII character. */
  char(code: number): void {
    if (this.#at === this.#bytes.length) this.#room(1);
    this.#bytes[this.#at++] = code;
  }

  /** Any text as a JSON string. */
  string(text: string): void {
    const json = JSON.stringify(text);
    this.#room(json.length * 3);
    this.#at += encoder.encodeInto(json, this.#bytes.subarray(this.#at)).written;
  }

  /** A number; null when it is not finite. */
  number(value: number): void {
    if ((value | 0) === value && !Object.is(value, -0)) this.#integer(value);
    else this.raw(Number.isFinite(value) ? String(value) : 'null');
  }

  #integer(value: number): void {
    // The lowest one has no positive counterpart of 32 bits.
    if (value === lowest) {
      this.raw(String(value));
      return;
    }
    this.#room(11);
    const bytes = this.#bytes;
    let at = this.#at;
    let rest = value;
    if (rest < 0) {
      bytes[at++] = minus;
      rest = -rest;
    }
    const end = at + digitsOf(rest);
    this.#at = end;
    for (at = end - 1; rest >= 10; at--) {
      const next = (rest / 10) | 0;
      bytes[at] = zero + rest - next * 10;
      rest = next;
    }
    bytes[at] = zero + rest;
  }

  #room(length: number): void {
    if (this.#at + length <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + length));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

/** Decimal digits of an integer from 0 to 2³¹ − 1. */
function digitsOf(value: number): number {
  if (value < 10) return 1;
  if (value < 100) return 2;
  if (value < 1_000) return 3;
  if (value < 10_000) return 4;
  if (value < 100_000) return 5;
  let digits = 6;
  for (let limit = 1_000_000; value >= limit; limit *= 10) digits++;
  return digits;
}
