import { type Clock, mono, type Timer } from '../contract/index.js';

/** How often each half looks at itself, ms. */
const lookMs = 2_000;

/** Looks now and then, and knows how late it came to it: that is how busy the loop is. */
export class Looks {
  readonly #clock: Clock;
  readonly #look: () => void;
  #timer: Timer | undefined;
  /** Of the last look, ms. */
  lag = 0;

  constructor(clock: Clock, look: () => void) {
    this.#clock = clock;
    this.#look = look;
  }

  start(): void {
    const due = this.#clock.mono() + lookMs;
    this.#timer = this.#clock.at(mono(due), () => {
      this.lag = Math.max(0, this.#clock.mono() - due);
      this.#look();
      this.start();
    });
  }
  stop(): void {
    this.#timer?.cancel();
  }
}

/** How late a loop is, as a line of health. */
export function loopCheck(lag: number): {
  readonly check: string;
  readonly level: 'ok' | 'warn';
  readonly text: string;
} {
  const text = `${lag.toFixed(0)} ms late`;
  return { check: 'event loop', level: lag > 500 ? 'warn' : 'ok', text };
}
