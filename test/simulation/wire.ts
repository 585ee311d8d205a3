import type { FakeModbus } from '../../drivers/modbus/test/fake.js';
import {
  type ByteStream,
  type Endpoint,
  GatewayError,
  mono,
} from '../../gateway/contract/index.js';
import type { Seeded } from '../support/random.js';
import type { VirtualClock } from '../support/virtual-clock.js';
import type { Faults } from './faults.js';

/** One end of a simulated connection. */
export class End implements ByteStream {
  peer: End | undefined;
  open = true;
  deliver: (bytes: Uint8Array) => void = () => undefined;
  ended: (why: GatewayError) => void = () => undefined;
  send: (bytes: Uint8Array) => void = () => undefined;

  onBytes(handler: (bytes: Uint8Array) => void): void {
    this.deliver = handler;
  }
  onEnd(handler: (why: GatewayError) => void): void {
    this.ended = handler;
  }
  write(bytes: Uint8Array): void {
    if (this.open) this.send(bytes.slice());
  }
  close(): void {
    this.open = false;
    if (this.peer) this.peer.open = false;
  }
}

/** A device on a simulated network: real frames, virtual latency, seeded faults. */
export class SimDevice {
  readonly fake: FakeModbus;
  readonly #clock: VirtualClock;
  readonly #random: Seeded;
  readonly #faults: Faults;
  /** Until when it does not answer, or is not there. */
  #silentUntil = 0;
  #downUntil = 0;
  #held: Uint8Array | undefined;
  readonly #connections = new Set<End>();
  /** What an arriving answer is made to look like, given the last request sent: for planted bugs. */
  tamper: ((answer: Uint8Array, lastRequest: Uint8Array | undefined) => Uint8Array) | undefined;
  #lastRequest: Uint8Array | undefined;

  constructor(clock: VirtualClock, random: Seeded, faults: Faults, fake: FakeModbus) {
    this.#clock = clock;
    this.#random = random;
    this.#faults = faults;
    this.fake = fake;
  }

  connect(endpoint: Endpoint, signal: AbortSignal): Promise<ByteStream> {
    const now = this.#clock.mono();
    if (now < this.#downUntil || this.#faults.strikes('refuse-connect', 10)) {
      return Promise.reject(new GatewayError('link-refused', `${endpoint.text} refuses`));
    }
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as GatewayError), { once: true });
      if (this.#faults.strikes('hang-connect', 10)) return;
      this.#clock.at(mono(now + this.#random.int(1, 20)), () => resolve(this.#accept()));
    });
  }

  /** The device goes away for a while. */
  fail(kind: 'down' | 'silent', forMs: number): void {
    const until = this.#clock.mono() + forMs;
    if (kind === 'silent') this.#silentUntil = until;
    else {
      this.#downUntil = until;
      this.#held = undefined;
      for (const end of this.#connections) this.#reset(end);
    }
  }
  heal(): void {
    this.#silentUntil = 0;
    this.#downUntil = 0;
  }

  #accept(): ByteStream {
    const driver = new End();
    const device = new End();
    driver.peer = device;
    device.peer = driver;
    this.#connections.add(driver);
    let arrival = 0;
    driver.send = (bytes) => {
      this.#lastRequest = bytes;
      this.#clock.at(mono(this.#clock.mono() + this.#random.int(1, 5)), () => {
        if (device.open && this.#clock.mono() >= this.#silentUntil) device.deliver(bytes);
      });
    };
    device.send = (answer) => {
      const { answer: bytes, delay } = this.#spoil(driver, answer);
      // In order, as TCP is: what is late holds up what comes after.
      arrival = Math.max(arrival, this.#clock.mono() + delay);
      for (const piece of bytes)
        this.#clock.at(mono(arrival), () => {
          if (driver.open) driver.deliver(this.tamper?.(piece, this.#lastRequest) ?? piece);
        });
    };
    this.fake.serve(device);
    return driver;
  }

  /** In order, as a line is: what was held back comes before what follows, whatever becomes of that. */
  #spoil(driver: End, answer: Uint8Array): { answer: readonly Uint8Array[]; delay: number } {
    const held = this.#takeHeld();
    const spoilt = this.#spoilOne(driver, answer);
    if (!held) return spoilt;
    const more = this.#takeHeld();
    if (more) {
      this.#held = joined(held, more);
      return { answer: [], delay: spoilt.delay };
    }
    const [first, ...rest] = spoilt.answer;
    return { answer: [first ? joined(held, first) : held, ...rest], delay: spoilt.delay };
  }

  #takeHeld(): Uint8Array | undefined {
    const held = this.#held;
    this.#held = undefined;
    return held;
  }

  #spoilOne(driver: End, answer: Uint8Array): { answer: readonly Uint8Array[]; delay: number } {
    const f = this.#faults;
    const delay = this.#random.int(1, 15);
    if (f.strikes('drop-answer')) return { answer: [], delay };
    if (f.strikes('late-answer')) return { answer: [answer], delay: this.#random.int(510, 2_500) };
    if (f.strikes('silent-device', 0.2)) this.fail('silent', this.#random.int(1_000, 30_000));
    if (f.strikes('duplicate')) return { answer: [answer, answer], delay };
    if (f.strikes('split', 5)) {
      const at = this.#random.int(1, answer.length - 1);
      return { answer: [answer.slice(0, at), answer.slice(at)], delay };
    }
    if (f.strikes('merge')) {
      this.#held = answer;
      return { answer: [], delay };
    }
    if (f.strikes('corrupt-header'))
      return { answer: [changed(answer, this.#random.int(0, 7), 0x5a)], delay };
    if (f.strikes('wrong-unit')) return { answer: [changed(answer, 6, 0x03)], delay };
    if (f.strikes('reset-mid-frame')) {
      this.#clock.at(mono(this.#clock.mono() + delay + 1), () => this.#reset(driver));
      return { answer: [answer.slice(0, this.#random.int(1, answer.length - 1))], delay };
    }
    return { answer: [answer], delay };
  }

  #reset(end: End): void {
    if (!end.open) return;
    end.close();
    this.#connections.delete(end);
    end.ended(new GatewayError('link-closed', 'reset by the simulation'));
  }
}

function changed(bytes: Uint8Array, at: number, by: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = (copy[at] ?? 0) ^ by;
  return copy;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
