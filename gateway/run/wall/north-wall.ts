import type { Clock, Port } from '../../contract/index.js';
import { limits } from '../../limits.js';
import { answerTo, Asks } from './asks.js';
import type { Numbered } from './entries.js';
import type { Given } from './keeper.js';
import type { Ask, Begin, Report, ToField, ToNorth, TripPage } from './messages.js';

export type FieldPort = Port<ToField, ToNorth>;

export interface NorthWallOptions {
  readonly clock: Clock;
  /** The field half said something. */
  readonly heard: () => void;
  readonly begin: (begin: Begin) => void;
  readonly entry: (numbered: Numbered) => void;
  readonly report: (report: Report) => void;
  readonly trip: (page: TripPage) => void;
  /** Answers what the field half asks. */
  readonly answer: (op: string, args: unknown) => unknown;
}

/** The wall, seen from the north half. It ends with the field half. */
export class NorthWall {
  readonly #port: FieldPort;
  readonly #o: NorthWallOptions;
  readonly #asks: Asks;

  constructor(port: FieldPort, options: NorthWallOptions) {
    this.#port = port;
    this.#o = options;
    this.#asks = new Asks(options.clock, (ask) => this.send({ kind: 'ask', ask }));
    port.onMessage((message) => this.#take(message));
  }

  send(message: ToField): void {
    this.#port.send(message);
  }

  /** Numbered by the field half, it comes back as an entry. */
  enter(entry: Exclude<Given, { readonly type: 'block' }>): void {
    this.send({ kind: 'enter', entry });
  }

  /** Asks the field half; rejects with what it says, or after a time. */
  ask(op: string, args: unknown, wait: number = limits.wallAnswerMs): Promise<unknown> {
    return this.#asks.ask(op, args, wait);
  }

  #take(message: ToNorth): void {
    this.#o.heard();
    switch (message.kind) {
      case 'begin':
        this.#o.begin(message.begin);
        break;
      case 'entry':
        this.#o.entry(message);
        break;
      case 'trip':
        this.#o.trip(message);
        break;
      case 'ask':
        void this.#answer(message.ask);
        break;
      case 'answer':
        this.#asks.answered(message.answer);
        break;
      case 'beat':
        break;
      default:
        this.#o.report(message);
    }
  }

  async #answer(ask: Ask): Promise<void> {
    this.send({ kind: 'answer', answer: await answerTo(ask, this.#o.answer) });
  }
}
