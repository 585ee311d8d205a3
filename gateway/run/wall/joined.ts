import type { Port } from '../../contract/index.js';

/** How messages go from one end of a joined pair to the other. */
export type Carry = <T>(message: T, deliver: (copy: T) => void) => void;

/** Two ends of a wall. */
export interface JoinedPorts<A, B> {
  readonly one: Port<A, B>;
  readonly other: Port<B, A>;
}

/** Two ends of a wall within one heap: of halves that run in one process. */
export function joinedPorts<A, B>(carry: Carry): JoinedPorts<A, B> {
  const one = new End<A, B>(carry);
  const other = new End<B, A>(carry);
  one.peer = other;
  other.peer = one;
  return { one, other };
}

class End<Out, In> implements Port<Out, In> {
  readonly #carry: Carry;
  #take: (message: In) => void = () => undefined;
  #ended: () => void = () => undefined;
  #isOver = false;
  peer: End<In, Out> | undefined;

  constructor(carry: Carry) {
    this.#carry = carry;
  }

  readonly send = (message: Out): boolean => {
    const { peer } = this;
    if (peer && !this.#isOver)
      this.#carry(message, (copy) => {
        if (!this.#isOver) peer.#take(copy);
      });
    return true;
  };
  readonly onMessage = (take: (message: In) => void): void => {
    this.#take = take;
  };
  readonly onReady = (): void => undefined;
  readonly onEnd = (ended: () => void): void => {
    this.#ended = ended;
  };
  readonly end = (): void => {
    if (this.#isOver) return;
    this.#isOver = true;
    const { peer } = this;
    if (!peer || peer.#isOver) return;
    peer.#isOver = true;
    peer.#ended();
  };
}
