import { limits } from '../limits.js';

/** Each message costs something, however short it is. */
const perMessage = 64;

/**
 * What is on its way between the threads and not taken yet: a port has no bound of its own. Both sides have one for each
 * direction: who sends counts up, who takes says so now and then.
 */
export class Flow {
  #onTheWay = 0;

  /** @returns is there room for it? */
  send(bytes: number): boolean {
    if (this.#onTheWay + bytes > limits.streamBytes) return false;
    this.#onTheWay += bytes + perMessage;
    return true;
  }
  taken(count: number): void {
    this.#onTheWay -= count;
  }
}

/** Says what was taken, but not for each piece. */
export class Receipts {
  readonly #say: (count: number) => void;
  #unsaid = 0;

  constructor(say: (count: number) => void) {
    this.#say = say;
  }
  took(bytes: number): void {
    this.#unsaid += bytes + perMessage;
    if (this.#unsaid < limits.streamBytes / 8) return;
    this.#say(this.#unsaid);
    this.#unsaid = 0;
  }
}
