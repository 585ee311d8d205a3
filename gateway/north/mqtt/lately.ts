import type { Clock } from '../../contract/index.js';

/** How often something happened within a time that goes along. */
export class Lately {
  readonly #clock: Pick<Clock, 'mono'>;
  readonly #ms: number;
  #times: readonly number[] = [];

  constructor(clock: Pick<Clock, 'mono'>, ms: number) {
    this.#clock = clock;
    this.#ms = ms;
  }

  get count(): number {
    return this.#within().length;
  }
  /** It happened. `most`: more are not counted. */
  note(most: number = Infinity): void {
    this.#times = [...this.#within(), this.#clock.mono()].slice(-most);
  }
  forget(): void {
    this.#times = [];
  }

  #within(): readonly number[] {
    return this.#times.filter((at) => at > this.#clock.mono() - this.#ms);
  }
}
