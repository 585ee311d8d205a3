import { type Clock, mono, type Timer } from '../../contract/index.js';
import { limits } from '../../limits.js';

export interface WatchdogOptions {
  readonly clock: Clock;
  /** Says that this half is well. */
  readonly beat: () => void;
  /** The other half has said nothing for a second, or is heard again. */
  readonly onSilent: (isSilent: boolean) => void;
  /** It has said nothing for ten: it hangs. */
  readonly onHung: () => void;
}

/**
 * Each half watches the other one. Silence is counted in beats of its own, not in time: when the whole machine was stopped, or this half
 * was, the other one is not to blame.
 */
export class Watchdog {
  readonly #o: WatchdogOptions;
  #timer: Timer | undefined;
  #missed = 0;
  #isSilent = false;

  constructor(options: WatchdogOptions) {
    this.#o = options;
  }

  start(): void {
    this.stop();
    this.#missed = 0;
    this.#arm();
  }
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Whatever the other half says is a sign of life. */
  heard(): void {
    this.#missed = 0;
    this.#say(false);
  }

  #arm(): void {
    const { clock } = this.#o;
    this.#timer = clock.at(mono(clock.mono() + limits.wallBeatMs), () => {
      this.#arm();
      this.#missed++;
      this.#o.beat();
      const silence = this.#missed * limits.wallBeatMs;
      if (silence > limits.wallSilentMs) this.#say(true);
      if (silence > limits.wallHungMs) {
        this.#missed = 0;
        this.#o.onHung();
      }
    });
  }

  #say(isSilent: boolean): void {
    if (isSilent === this.#isSilent) return;
    this.#isSilent = isSilent;
    this.#o.onSilent(isSilent);
  }
}
