import {
  GatewayError,
  mono,
  type Clock,
  type DurationMs,
  type MonoMs,
  type Timer,
} from '../contract/index.js';

/** Something that a device tells by itself, and must not fall silent. */
export interface Told {
  /** For messages. */
  readonly label: string;
  /** When the device told something, or that there is nothing to tell. */
  readonly heardAt: MonoMs;
  /** Longest silence while all is well, ms; infinite: silence proves nothing. */
  readonly longest: DurationMs;
}

/** Watches that a device goes on telling; looks when the first may have been silent for too long. */
export class SilenceWatch {
  readonly #clock: Clock;
  readonly #onSilence: (why: GatewayError) => void;
  #timer: Timer | undefined;

  constructor(clock: Clock, onSilence: (why: GatewayError) => void) {
    this.#clock = clock;
    this.#onSilence = onSilence;
  }

  /** From now on these, and no others. */
  watch(all: readonly Told[]): void {
    this.stop();
    const due = Math.min(...all.map(({ heardAt, longest }) => heardAt + longest));
    // None of them gives a sign of life.
    if (due === Infinity) return;
    this.#timer = this.#clock.at(mono(due), () => {
      const now = this.#clock.mono();
      const silent = all.find(({ heardAt, longest }) => now - heardAt >= longest);
      if (silent) this.#onSilence(silenceOf(silent, now));
      else this.watch(all);
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}

function silenceOf({ heardAt, label }: Told, now: MonoMs): GatewayError {
  const seconds = String(Math.round((now - heardAt) / 100) / 10);
  return new GatewayError('subscription-silent', `${label}: nothing was told for ${seconds} s`);
}
