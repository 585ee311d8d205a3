import type { Clock, Timer } from '../../contract/index.js';
import { GatewayError, mono } from '../../contract/index.js';
import { limits } from '../../limits.js';
import { Lately } from './lately.js';
import type { MqttConnection } from './port.js';

/**
 * Watches our own status topic. The will of a connection that is long over may come late, through a bridge or a cluster of
 * brokers, and say `offline` of a gateway that is well: it is answered.
 */
export class StatusWatch {
  readonly #clock: Clock;
  readonly #answer: () => void;
  #expected = '';
  #watched: MqttConnection | undefined;
  #isAsking = false;
  /** Brokers that let nobody subscribe may hang up on who does. */
  #notBefore = 0;
  #timer: Timer | undefined;
  #answeredAt = -Infinity;
  /** Somebody else wrote there. */
  readonly #foreign: Lately;

  constructor(clock: Clock, answer: () => void) {
    this.#clock = clock;
    this.#answer = answer;
    this.#foreign = new Lately(clock, tenMinutesMs);
  }

  /** How often somebody else wrote there in the last ten minutes. */
  get foreign(): number {
    return this.#foreign.count;
  }

  /** The broker has taken our status. */
  begin(connection: MqttConnection, topic: string, payload: string): void {
    this.#expected = payload;
    if (this.#watched === connection || this.#clock.mono() < this.#notBefore) return;
    this.#watched = connection;
    this.#isAsking = true;
    const answered = (): void => {
      if (this.#watched === connection) this.#isAsking = false;
    };
    connection
      .watch(topic, (heard) => {
        if (this.#watched === connection) this.#heard(heard);
      })
      .then(answered, (error: unknown) => {
        // A refusal is an answer, and what stands is repeated all the same; a broken connection is none.
        if (error instanceof GatewayError && error.kind !== 'link') answered();
      });
  }

  /** The connection is gone. */
  end(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#watched = undefined;
    if (this.#isAsking) this.#notBefore = this.#clock.mono() + limits.watchAgainMs;
    this.#isAsking = false;
  }

  #heard(payload: string): void {
    if (payload === this.#expected) return;
    const now = this.#clock.mono();
    this.#foreign.note(limits.statusAnswers);
    // Two gateways with one root would answer each other for ever.
    const at = Math.max(now, this.#answeredAt + limits.statusAnswerMs);
    this.#timer ??= this.#clock.at(mono(at), () => {
      this.#timer = undefined;
      this.#answeredAt = this.#clock.mono();
      this.#answer();
    });
  }
}

const tenMinutesMs = 600_000;
