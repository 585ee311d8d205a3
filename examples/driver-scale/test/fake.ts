import type { ByteStream, Value } from 'millrace/contract';
import type { PushingDevice } from 'millrace/conformance';
import { bytesOf, LineReader } from 'millrace/driver-kit';
import type { ScaleAddress } from '../src/address.js';

/** The scale's end of a connection. */
export class FakeScale implements PushingDevice<ScaleAddress> {
  reads = 0;
  readonly writes = 0;
  state: 'ST' | 'US' | 'OL' = 'ST';
  net = 1.234;
  gross = 1.93;
  unit = 'kg';
  readonly #streams = new Set<ByteStream>();
  readonly #codes = new Map<number, string>();
  #refuses = false;
  #generation = 0;

  serve(stream: ByteStream): void {
    const lines = new LineReader(
      { longest: 8 },
      { line: (text) => stream.write(bytesOf(this.#answer(text))), fault: () => undefined },
    );
    this.#streams.add(stream);
    stream.onBytes((bytes) => lines.push(bytes));
    stream.onEnd(() => this.#streams.delete(stream));
  }

  #answer(request: string): string {
    this.reads++;
    if (this.#refuses) return 'NO\r\n';
    const [of, weight] = request === 'N' ? ['NT', this.net] : ['GS', this.gross];
    const digits = Math.abs(weight).toFixed(3).padStart(8, '0');
    return `${this.state},${of},${weight < 0 ? '-' : '+'}${digits}${this.unit}\r\n`;
  }

  value(address: ScaleAddress): Value {
    if (address.value === 'barcode') return this.#codes.get(address.reader) ?? null;
    if (address.value === 'stable') return this.state === 'ST' ? 1 : 0;
    return address.value === 'net' ? this.net : this.gross;
  }
  change(address?: ScaleAddress): void {
    const next = ++this.#generation;
    if (address?.value === 'barcode') this.#codes.set(address.reader, `P${String(next)}`);
    else {
      this.net = next / 1_000;
      this.gross = (next + 500) / 1_000;
    }
  }
  refuse(addresses: readonly ScaleAddress[]): void {
    this.#refuses = addresses.length > 0;
  }
  refuseWrites(): void {
    // Nothing can be written.
  }

  push(address: ScaleAddress): void {
    this.change(address);
    this.pushAgain(address);
  }
  pushAgain(address: ScaleAddress): void {
    if (address.value !== 'barcode') return;
    this.scan(address.reader, this.#codes.get(address.reader) ?? '');
  }
  /** Somebody scans a parcel. */
  scan(reader: number, code: string): void {
    this.#codes.set(reader, code);
    for (const stream of this.#streams) stream.write(bytesOf(`B${String(reader)},${code}\r\n`));
  }
}
