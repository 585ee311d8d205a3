import type { FakeModbus } from '../../drivers/modbus/test/fake.js';
import { type ByteStream, GatewayError, mono } from '../../gateway/contract/index.js';
import { End } from '../simulation/wire.js';
import type { VirtualClock } from '../support/virtual-clock.js';

/** Bytes that come so long after the request, ms. */
export interface Piece {
  readonly after: number;
  readonly bytes: Uint8Array;
}

/** A line, or a network, with a device at its end that answers as the test says; virtual time. */
export class OddLine {
  /** From request to answer, ms. */
  latency = 5;
  /** What becomes of an answer on its way. */
  answers: (answer: Uint8Array, request: Uint8Array) => readonly Piece[];
  /** Called with each request, before the device sees it; `false` = it is lost. */
  hears: (request: Uint8Array) => boolean = () => true;
  /** Connections that are refused. */
  refuses = false;
  opened = 0;
  readonly clock: VirtualClock;
  readonly #fake: FakeModbus;
  readonly #ends = new Set<End>();

  constructor(clock: VirtualClock, fake: FakeModbus) {
    this.clock = clock;
    this.#fake = fake;
    this.answers = (bytes) => [{ after: this.latency, bytes }];
  }

  connect(): Promise<ByteStream> {
    if (this.refuses) return Promise.reject(new GatewayError('link-refused', 'refused'));
    this.opened++;
    const [near, far] = [new End(), new End()];
    [near.peer, far.peer] = [far, near];
    this.#ends.add(near);
    let request = new Uint8Array(0);
    near.send = (bytes) => {
      request = Uint8Array.from(bytes);
      if (this.hears(request)) far.deliver(bytes);
    };
    far.send = (answer) => {
      for (const { after, bytes } of this.answers(answer, request))
        this.#later(after, () => this.#deliver(near, bytes));
    };
    this.#fake.serve(far);
    return Promise.resolve(near);
  }

  /** Bytes that nobody asked for, on every connection. */
  say(bytes: Uint8Array): void {
    for (const end of this.#ends) this.#deliver(end, bytes);
  }

  /** It closes every connection that is open now, so much later; unless somebody says otherwise by then. */
  hangUp(after = 0, unless: () => boolean = () => false): void {
    const ends = [...this.#ends];
    this.#later(after, () => {
      if (unless()) return;
      for (const end of ends) this.#close(end);
    });
  }
  #close(end: End): void {
    this.#ends.delete(end);
    if (!end.open) return;
    end.close();
    end.ended(new GatewayError('link-closed', 'the device closed the connection'));
  }

  #later(after: number, run: () => void): void {
    this.clock.at(mono(this.clock.mono() + after), run);
  }
  #deliver(end: End, bytes: Uint8Array): void {
    if (end.open) end.deliver(bytes);
  }
}
