import { type Clock, mono, type Port } from '../../gateway/contract/index.js';
import type { JoinedPorts } from '../../gateway/run/wall/joined.js';
import type { Seeded } from './random.js';

/** What a pipe does to what goes through it. */
export interface SlowPipeOptions {
  readonly clock: Clock;
  readonly random: Seeded;
  /** Longest time of one message, ms. */
  readonly delay: number;
  /** Messages on their way before it is full. */
  readonly room: number;
  /** Nothing arrives at the moment; it is not lost. */
  readonly isStuck: () => boolean;
}

/**
 * Two ends of a wall as a pipe between two processes makes it: everything is copied, in order, after a while; it fills up; and when one
 * side ends, what is on its way is gone.
 */
export function slowPipes<A, B>(options: SlowPipeOptions): JoinedPorts<A, B> {
  const life = { isOver: false };
  const one = new End<A, B>(options, life);
  const other = new End<B, A>(options, life);
  one.peer = other;
  other.peer = one;
  return { one, other };
}

class End<Out, In> implements Port<Out, In> {
  readonly #o: SlowPipeOptions;
  readonly #life: { isOver: boolean };
  readonly #onItsWay: Out[] = [];
  #isMoving = false;
  #isFull = false;
  #take: (message: In) => void = () => undefined;
  #ended: () => void = () => undefined;
  #ready: () => void = () => undefined;
  peer: End<In, Out> | undefined;

  constructor(options: SlowPipeOptions, life: { isOver: boolean }) {
    this.#o = options;
    this.#life = life;
  }

  readonly send = (message: Out): boolean => {
    if (this.#life.isOver) return true;
    this.#onItsWay.push(structuredClone(message));
    this.#move();
    // Who was told that it is full waits to be called, whatever somebody else sends meanwhile.
    if (this.#onItsWay.length >= this.#o.room) this.#isFull = true;
    return !this.#isFull;
  };
  readonly onMessage = (take: (message: In) => void): void => {
    this.#take = take;
  };
  readonly onReady = (go: () => void): void => {
    this.#ready = go;
  };
  readonly onEnd = (ended: () => void): void => {
    this.#ended = ended;
  };
  readonly end = (): void => {
    if (this.#life.isOver) return;
    this.#life.isOver = true;
    if (this.peer) this.peer.#ended();
  };

  #move(): void {
    if (this.#isMoving || this.#onItsWay.length === 0) return;
    this.#isMoving = true;
    const { clock, random, delay, isStuck } = this.#o;
    const wait = isStuck() ? 100 : random.int(0, delay);
    clock.at(mono(clock.mono() + wait), () => {
      this.#isMoving = false;
      if (this.#life.isOver) return;
      // Some at once, as a read of a pipe gives them.
      const many = isStuck() ? 0 : random.int(1, 20);
      for (const message of this.#onItsWay.splice(0, many)) if (this.peer) this.peer.#take(message);
      if (this.#isFull && this.#onItsWay.length < this.#o.room / 2) {
        this.#isFull = false;
        this.#ready();
      }
      this.#move();
    });
  }
}
