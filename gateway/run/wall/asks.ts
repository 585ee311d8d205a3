import {
  type Clock,
  errorOf,
  GatewayError,
  mono,
  type MonoMs,
  plainErrorOf,
  type Timer,
} from '../../contract/index.js';
import { type Answer, type Ask } from './messages.js';

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (why: GatewayError) => void;
  readonly timer: Timer;
}

/** Requests to the other half that wait for their answers, each with a time by which it must come. */
export class Asks {
  readonly #clock: Clock;
  readonly #send: (ask: Ask) => void;
  readonly #waiting = new Map<number, Waiting>();
  #id = 0;

  constructor(clock: Clock, send: (ask: Ask) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** Rejects with what the other half says, or when it says nothing within `wait` ms. */
  ask(op: string, args: unknown, wait: number): Promise<unknown> {
    const id = ++this.#id;
    return new Promise((resolve, reject) => {
      const due: MonoMs = mono(this.#clock.mono() + wait);
      const timer = this.#clock.at(due, () => {
        this.#waiting.delete(id);
        reject(new GatewayError('half-down', `no answer to ${op} within ${String(wait)} ms`));
      });
      this.#waiting.set(id, { resolve, reject, timer });
      this.#send({ id, op, args });
    });
  }

  answered(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    if (!waiting) return;
    this.#waiting.delete(answer.id);
    waiting.timer.cancel();
    if (answer.ok) waiting.resolve(answer.value);
    else waiting.reject(errorOf(answer.why));
  }

  /** The other half is gone: nobody answers any more. */
  drop(why: GatewayError): void {
    for (const { reject, timer } of this.#waiting.values()) {
      timer.cancel();
      reject(why);
    }
    this.#waiting.clear();
  }
}

/** Answers a request of the other half. Never rejects. */
export async function answerTo(
  { id, op, args }: Ask,
  handle: (op: string, args: unknown) => unknown,
): Promise<Answer> {
  try {
    return { id, ok: true, value: await handle(op, args) };
  } catch (thrown) {
    return { id, ok: false, why: plainErrorOf(thrown) };
  }
}
