import { asGatewayError, type Clock, type GatewayError, mono } from '../../contract/index.js';
import { limits } from '../../limits.js';
import type { Backoff } from '../../scan/backoff.js';
import type { FieldWall, Life, NorthPort } from './field-wall.js';
import type { Begin } from './messages.js';

export interface NorthLivesOptions {
  readonly clock: Clock;
  readonly wall: Pick<FieldWall, 'begin'>;
  readonly backoff: Backoff;
  /** Begins a north half; one that is left from before ends. */
  readonly north: () => Promise<NorthPort>;
}

/** What becomes of them. */
export interface Keeping {
  /** What the next one is to begin with. */
  readonly begin: () => Begin;
  readonly onBack: (life: Life) => void;
  readonly onDown: (why: GatewayError) => void;
}

/** Lives of the north half, one after another: never two at a time, and never one that nobody waits for. */
export class NorthLives {
  readonly #o: NorthLivesOptions;
  #isOver = false;

  constructor(options: NorthLivesOptions) {
    this.#o = options;
  }

  /** The next one. Settles when it has opened; rejects with why it cannot. */
  async begin(begin: Begin): Promise<Life> {
    return this.#o.wall.begin(await this.#o.north(), begin);
  }

  /** No other one begins. */
  stop(): void {
    this.#isOver = true;
  }

  /**
   * Keeps one there for as long as the gateway runs.
   * @param first that begins already; `isKnown`: what it said has been heeded
   */
  async keep(
    first: Promise<Life>,
    { isKnown }: { readonly isKnown: boolean },
    { begin, onBack, onDown }: Keeping,
  ): Promise<void> {
    let next = first;
    let isNews = !isKnown;
    while (!this.#isOver) {
      const why = await this.#live(next, isNews ? onBack : undefined);
      if (this.#over()) return;
      onDown(why);
      await this.#pause();
      if (this.#over()) return;
      next = this.begin(begin());
      isNews = true;
    }
  }

  /** It may have been stopped meanwhile. */
  #over(): boolean {
    return this.#isOver;
  }

  /** @returns why it has ended, or did not begin */
  async #live(
    opening: Promise<Life>,
    onBack: ((life: Life) => void) | undefined,
  ): Promise<GatewayError> {
    try {
      const life = await opening;
      this.#o.backoff.reset();
      if (!this.#isOver) onBack?.(life);
      return await life.ended;
    } catch (thrown) {
      return asGatewayError(thrown);
    }
  }

  #pause(): Promise<void> {
    const { clock, backoff } = this.#o;
    const due = mono(clock.mono() + backoff.next());
    return new Promise((go) => clock.at(due, go));
  }
}

/**
 * What comes in time; undefined: it takes too long, or has ended. Rejects where it refuses: then this must not be a second
 * gateway.
 */
export async function inTime<T>(work: Promise<T>, clock: Clock): Promise<T | undefined> {
  const late = new Promise<undefined>((resolve) => {
    const timer = clock.at(mono(clock.mono() + limits.startAloneMs), () => resolve(undefined));
    const done = (): void => timer.cancel();
    work.then(done, done);
  });
  try {
    return await Promise.race([work, late]);
  } catch (thrown) {
    const error = asGatewayError(thrown);
    if (error.code !== 'half-down') throw error;
    return undefined;
  }
}
