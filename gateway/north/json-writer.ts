const zero = 48;
const minus = 45;
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
    this.#room(11);
    const bytes = this.#bytes;
    let rest = value;
    if (rest < 0) {
      bytes[this.#at++] = minus;
      rest = -rest;
    }
    let digits = 1;
    for (let limit = 10; rest >= limit; limit *= 10) digits++;
    for (let at = this.#at + digits - 1; at >= this.#at; at--) {
      const next = Math.floor(rest / 10);
      bytes[at] = zero + rest - next * 10;
      rest = next;
    }
    this.#at += digits;
  }

  #room(length: number): void {
    if (this.#at + length <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + length));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}
