import { FakeModbus, type FakeRequest } from '../../../drivers/modbus/test/fake.js';
import { socketStream } from '../../conformance/socket.js';
import { listen } from '../../support/listen.js';
import type { Cleanup } from '../../support/scratch.js';
import { elapse, waitFor } from '../../support/wait.js';

/** Pressure above which the interlock trips, and what it writes then. */
export const tripAbove = 10;
export const tripWrites = 7;

const pressure = 0;
const command = 1;
/** A trip that has not come after so long does not come any more, ms. */
const patienceMs = 10_000;
/** Without polls for so long there is nothing to measure, ms. */
const pollPatienceMs = 60_000;

/** The PLC, in the process of the bench: the clock of what is measured. Notes each poll, the frame with a cause and the write. */
export class Plc {
  readonly #fake = new FakeModbus({
    units: [1],
    keep: 0,
    value: () => 0,
    refuse: (request) => this.#note(request),
  });
  #sentAt = NaN;
  #wrote: ((at: number) => void) | undefined;
  #polledAt = NaN;
  #polled = 0;
  /** Writes of a trip without a cause that was sent: what it had read was stale, for it had not asked for too long. */
  unprovoked = 0;
  #longestGap = 0;

  async listen(t: Cleanup): Promise<number> {
    return listen(t, (socket) => {
      const stream = socketStream(socket);
      this.#fake.serve({
        ...stream,
        write: (bytes) => {
          stream.write(bytes);
          // The answer to a poll, with a pressure that is too high.
          const carries = bytes[7] === 3 && (bytes[9] ?? 0) * 256 + (bytes[10] ?? 0) > tripAbove;
          if (carries && Number.isNaN(this.#sentAt)) this.#sentAt = performance.now();
        },
      });
    });
  }

  /** From now on. */
  restart(): void {
    this.unprovoked = 0;
    this.#longestGap = 0;
    this.#polledAt = performance.now();
  }
  /** The longest time between two polls since the restart, ms; the one that has not ended counts. */
  get longestGap(): number {
    return Math.max(this.#longestGap, performance.now() - this.#polledAt);
  }

  /**
   * One trip and its end. @returns ms from the frame with the cause to the frame with the write; Infinity: it never came
   */
  async trip(number: number): Promise<number> {
    for (;;) {
      const before = this.unprovoked;
      await this.#calm();
      // At another place of the scan each time.
      await elapse(100 + ((number * 37) % 100));
      const time = await this.#provoke(before);
      if (time !== undefined) return time;
    }
  }

  /** The pressure is low and the pump runs, and the gateway has seen both. */
  async #calm(): Promise<void> {
    this.#sentAt = 0;
    this.#fake.set(1, 'hr', pressure, 1);
    await this.#seePolls(3);
    this.#fake.set(1, 'hr', command, 0);
    await this.#seePolls(3);
    this.#sentAt = NaN;
  }

  async #seePolls(count: number): Promise<void> {
    this.#polled = 0;
    await waitFor(() => this.#polled >= count, 'polls come', pollPatienceMs);
  }

  /** @returns nothing where it tripped before there was a cause */
  async #provoke(before: number): Promise<number | undefined> {
    if (this.unprovoked > before) return undefined;
    const wrote = new Promise<number>((resolve) => (this.#wrote = resolve));
    const timer = setTimeout(() => this.#wrote?.(Infinity), patienceMs);
    this.#fake.set(1, 'hr', pressure, tripAbove + 1);
    const time = (await wrote) - this.#sentAt;
    clearTimeout(timer);
    this.#wrote = undefined;
    if (this.unprovoked > before) return undefined;
    // No poll came either.
    return Number.isNaN(time) ? Infinity : time;
  }

  /** Before a request is answered. */
  #note({ write, start, pdu, fn }: FakeRequest): number {
    const now = performance.now();
    if (write) this.#noteWrite(start, pdu[fn === 6 ? 4 : 7], now);
    else if (start === pressure) {
      this.#longestGap = Math.max(this.#longestGap, now - this.#polledAt);
      this.#polledAt = now;
      this.#polled++;
    }
    return 0;
  }

  #noteWrite(start: number, value: number | undefined, now: number): void {
    if (start !== command || value !== tripWrites) return;
    if (Number.isNaN(this.#sentAt)) this.unprovoked++;
    this.#wrote?.(now);
  }
}
