import type { ByteStream, Value } from '../../../gateway/contract/index.js';
import { bytesOf, LineReader } from '../../../drivers/lib/index.js';
import type { EventDevice, PushingDevice } from '../../conformance/index.js';
import type { AnnunciatorAddress } from './index.js';

interface Connection {
  readonly stream: ByteStream;
  readonly names: Set<string>;
  listens: boolean;
}

/** The device end of {@link Annunciator}. */
export class FakeAnnunciator
  implements PushingDevice<AnnunciatorAddress>, EventDevice<AnnunciatorAddress>
{
  reads = 0;
  readonly writes = 0;
  acknowledgements = 0;
  readonly #connections = new Set<Connection>();
  readonly #values = new Map<string, number>();
  /** Samples of a tag that nobody has had, oldest first. */
  readonly #kept = new Map<string, number[]>();
  readonly #conditions: string[] = [];
  /** The last value or number that was given; values are beyond those that tags begin with. */
  #last = 100;
  #refused = new Set<string>();
  #notPushed = new Set<string>();
  #noAlarms = false;
  #noAcknowledgements = false;
  readonly confirm: (() => void) | undefined;

  /** @param isAlive does it give a sign of life? */
  constructor(isAlive = true) {
    this.confirm = isAlive
      ? () => {
          for (const { stream } of this.#connections) stream.write(bytesOf('~\n'));
        }
      : undefined;
  }
  readonly keep: (address: AnnunciatorAddress) => void = (address) => {
    this.change(address);
    const kept = this.#kept.get(address.name) ?? [];
    this.#kept.set(address.name, [...kept, this.#of(address.name)]);
  };
  readonly refuseToPush: (addresses: readonly AnnunciatorAddress[]) => void = (addresses) => {
    this.#notPushed = new Set(addresses.map(({ name }) => name));
  };

  serve(stream: ByteStream): void {
    const connection: Connection = { stream, names: new Set(), listens: false };
    this.#connections.add(connection);
    const reader = new LineReader(
      { longest: 256 },
      { line: (text) => this.#answer(connection, text), fault: () => undefined },
    );
    stream.onBytes((bytes) => reader.push(bytes));
    stream.onEnd(() => this.#connections.delete(connection));
  }

  #answer(connection: Connection, text: string): void {
    const [kind, ...words] = text.split(' ');
    const [name = ''] = words;
    const say = (answer: string): void => connection.stream.write(bytesOf(`= ${answer}\n`));
    if (kind === 'R') {
      this.reads++;
      say(words.map((each) => (this.#refused.has(each) ? '?' : String(this.#of(each)))).join(' '));
    } else if (kind === 'S') {
      if (this.#notPushed.has(name)) return say('?');
      connection.names.add(name);
      for (const value of this.#kept.get(name) ?? [])
        connection.stream.write(bytesOf(`! ${name} ${String(value)} 60000\n`));
      this.#kept.delete(name);
      say(String(this.#of(name)));
    } else if (kind === 'L') {
      if (this.#noAlarms) return say('?');
      connection.listens = true;
      for (const key of this.#conditions)
        connection.stream.write(bytesOf(`* ${key} on ${String(++this.#last)}\n`));
      say(this.#conditions.join(' '));
    } else if (kind === 'K') {
      this.acknowledgements++;
      say(this.#noAcknowledgements ? '?' : 'ok');
    }
  }

  #of(name: string): number {
    return this.#values.get(name) ?? name.length;
  }
  value({ name }: AnnunciatorAddress): Value {
    return this.#of(name);
  }
  change(address?: AnnunciatorAddress): void {
    const names = address ? [address.name] : ['a', 'b', 'c', 'd'];
    for (const name of names) this.#values.set(name, ++this.#last);
  }
  refuse(addresses: readonly AnnunciatorAddress[]): void {
    this.#refused = new Set(addresses.map(({ name }) => name));
  }
  refuseWrites(): void {
    // It has none.
  }

  push(address: AnnunciatorAddress): void {
    this.change(address);
    this.pushAgain(address);
  }
  pushAgain({ name }: AnnunciatorAddress): void {
    for (const { stream, names } of this.#connections)
      if (names.has(name)) stream.write(bytesOf(`! ${name} ${String(this.#of(name))}\n`));
  }

  raise(): void {
    const key = `c${String(++this.#last)}`;
    this.#conditions.push(key);
    this.#tell(key, 'on');
  }
  clear(): void {
    const key = this.#conditions.shift();
    if (key !== undefined) this.#tell(key, 'off');
  }
  #tell(key: string, state: string): void {
    for (const { stream, listens } of this.#connections)
      if (listens) stream.write(bytesOf(`* ${key} ${state} ${String(++this.#last)}\n`));
  }
  refuseToListen(on: boolean): void {
    this.#noAlarms = on;
  }
  refuseAcknowledgements(on: boolean): void {
    this.#noAcknowledgements = on;
  }
}
